package fakescim

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fetch asks for a token.
func (c *client) fetch(s *Server, name, secret string, form ...string) response {
	c.t.Helper()
	v := url.Values{"grant_type": {"client_credentials"}, "client_id": {name}, "client_secret": {secret}}
	for i := 0; i < len(form); i += 2 {
		v.Set(form[i], form[i+1])
	}
	other := *c
	other.base = s.TokenURL()
	return other.do("POST", "", v.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Authorization", "")
}

// RFC 7644 §2, RFC 6749 §4.4
func TestWhoMayComeIn(t *testing.T) {
	now := time.Date(2026, 3, 31, 10, 0, 0, 0, time.UTC)
	s, c := serve(t, Options{Now: func() time.Time { return now }, Token: "t0p", Basic: Login{"svc", "pw"}, Client: Login{"app", "s3cret"}, TokenLife: 10 * time.Minute})
	c.want(200, "", "GET", "/Users", "")
	r := c.want(401, "", "GET", "/Users", "", "Authorization", "")
	require.Equal(t, `Bearer realm="SCIM", Basic realm="SCIM"`, r.header.Get("WWW-Authenticate"))
	require.Equal(t, "401", r.body["status"])
	c.want(401, "", "GET", "/Users", "", "Authorization", "Bearer wrong")
	c.want(401, "", "GET", "/ServiceProviderConfig", "", "Authorization", "Bearer ")
	c.want(200, "", "GET", "/Users", "", "Authorization", "Basic c3ZjOnB3")
	c.want(401, "", "GET", "/Users", "", "Authorization", "Basic c3ZjOnB4")

	require.Equal(t, "invalid_client", c.fetch(s, "app", "wrong").body["error"])
	require.Equal(t, "unsupported_grant_type", c.fetch(s, "app", "s3cret", "grant_type", "password").body["error"])
	got := c.fetch(s, "app", "s3cret")
	require.EqualValues(t, 600, got.body["expires_in"])
	require.Equal(t, "no-store", got.header.Get("Cache-Control"))
	c.token = got.body["access_token"].(string)
	c.want(200, "", "GET", "/Users", "")
	now = now.Add(10 * time.Minute)
	c.want(401, "", "GET", "/Users", "")
	require.Equal(t, 1, s.Counts().Logins)

	c.token = "t0p"
	s.SetToken("other")
	c.want(401, "", "GET", "/Users", "")
	for _, r := range s.Log() {
		require.NotContains(t, r.String(), "t0p")
	}
}

func TestTheLogKeepsWhatCameAndNoSecrets(t *testing.T) {
	s, c := serve(t, Options{})
	id := c.user("ann")
	c.do("GET", `/Users?filter=userName+eq+%22ann%22`, "")
	c.do("GET", "/Groups/none", "")
	require.Equal(t, []string{"POST /Users 201", "GET /Users 200", "GET /Groups/none 404"}, lines(s.Log()))
	require.Equal(t, 2, s.Count("", "/Users"))
	require.Equal(t, 1, s.Count("POST", "/Users"))
	require.Equal(t, Counts{Connections: 1, Requests: 3}, s.Counts())
	s.ResetLog()
	c.do("GET", "/Users/"+id, "")
	require.Len(t, s.Log(), 1)
}

func lines(log []Request) (out []string) {
	for _, r := range log {
		out = append(out, r.String())
	}
	return out
}

func TestWhatIsNoRequest(t *testing.T) {
	_, c := serve(t, Options{})
	id := c.user("ann")
	for _, tc := range []struct {
		status                   int
		scimType                 string
		method, path, body, head string
	}{
		{404, "", "GET", "/Nothing", "", ""},
		{404, "", "GET", "/Users/" + id + "/x", "", ""},
		{404, "", "GET", "/Users/", "", ""},
		{404, "", "GET", "/Usersx", "", ""},
		{405, "", "DELETE", "/Users", "", ""},
		{405, "", "POST", "/ServiceProviderConfig", `{}`, ""},
		{501, "", "GET", "/Me", "", ""},
		{501, "", "POST", "/.search", `{}`, ""},
		{403, "", "GET", "/Schemas?filter=id+pr", "", ""},
		{406, "", "GET", "/Users", "", "Accept: text/html"},
		{415, "", "POST", "/Users", `{}`, "Content-Type: text/plain"},
		{400, "invalidSyntax", "POST", "/Users", `{"userName":`, ""},
		{400, "invalidSyntax", "POST", "/Users", `[]`, ""},
		{400, "invalidSyntax", "POST", "/Users", `{} {}`, ""},
		{400, "invalidSyntax", "POST", "/Users", `{"userName":"x"}`, ""},
		{400, "invalidSyntax", "POST", "/Users", `{` + groupSchema + `,"userName":"x"}`, ""},
		{400, "invalidSyntax", "POST", "/Users", `{` + userSchema + `,"userName":"x","shoeSize":9}`, ""},
		{400, "invalidSyntax", "POST", "/Users", `{` + userSchema + `,"userName":"x","USERNAME":"y"}`, ""},
		{400, "invalidSyntax", "POST", "/Users", `{` + userSchema + `,"userName":"x","emails":{"value":"e"}}`, ""},
		{400, "invalidSyntax", "POST", "/Users", `{` + userSchema + `,"userName":"x","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"d"}}`, ""},
		{400, "invalidValue", "POST", "/Users", `{` + userSchema + `}`, ""},
		{400, "invalidValue", "POST", "/Users", `{` + userSchema + `,"userName":""}`, ""},
		{400, "invalidValue", "POST", "/Users", `{` + userSchema + `,"userName":7}`, ""},
		{400, "invalidValue", "POST", "/Users", `{` + userSchema + `,"userName":"x","active":"true"}`, ""},
		{400, "invalidValue", "POST", "/Users", `{` + userSchema + `,"userName":"x","x509Certificates":[{"value":"%"}]}`, ""},
		{400, "invalidValue", "POST", "/Groups", `{` + groupSchema + `,"displayName":"g","members":[{"value":"nobody"}]}`, ""},
		{400, "invalidValue", "POST", "/Groups", `{` + groupSchema + `,"displayName":"g","members":[{"display":"nobody"}]}`, ""},
		{409, "uniqueness", "POST", "/Users", newUser("ANN"), ""},
		{404, "", "PUT", "/Users/none", newUser("x"), ""},
		{404, "", "PATCH", "/Users/none", `{` + patchSchema + `,"Operations":[{"op":"remove","path":"title"}]}`, ""},
		{400, "mutability", "PUT", "/Users/" + id, `{` + userSchema + `,"userName":"x","id":"other"}`, ""},
		{400, "invalidSyntax", "PATCH", "/Users/" + id, `{"Operations":[{"op":"remove","path":"title"}]}`, ""},
		{400, "invalidSyntax", "PATCH", "/Users/" + id, `{` + patchSchema + `}`, ""},
		{400, "invalidSyntax", "PATCH", "/Users/" + id, `{` + patchSchema + `,"Operations":["x"]}`, ""},
		{400, "invalidSyntax", "POST", "/Users/.search", `{}`, ""},
	} {
		var header []string
		if name, value, ok := strings.Cut(tc.head, ": "); ok {
			header = []string{name, value}
		}
		r := c.want(tc.status, tc.scimType, tc.method, tc.path, tc.body, header...)
		require.Equal(t, itoa(tc.status), r.body["status"])
		require.NotEmpty(t, r.body["detail"])
	}
	c.want(201, "", "POST", "/Users", newUser("b"), "Content-Type", "application/json; charset=utf-8", "Accept", "application/json")
}

// RFC 7644 §3.14
func TestVersions(t *testing.T) {
	_, c := serve(t, Options{})
	id := c.user("ann")
	at := "/Users/" + id
	c.want(304, "", "GET", at, "", "If-None-Match", `W/"1"`)
	c.want(200, "", "GET", at, "", "If-None-Match", `W/"2"`)
	body := `{` + patchSchema + `,"Operations":[{"op":"replace","path":"title","value":"x"}]}`
	c.want(200, "", "PATCH", at, body, "If-Match", `W/"1"`)
	c.want(412, "", "PATCH", at, body, "If-Match", `W/"1"`)
	c.want(412, "", "PUT", at, newUser("ann"), "If-Match", `"1", "3"`)
	c.want(412, "", "DELETE", at, "", "If-Match", `W/"1"`)
	c.want(200, "", "PUT", at, newUser("ann"), "If-Match", "*")
	c.want(204, "", "DELETE", at, "", "If-Match", `W/"3"`)
}

// RFC 7644 §3.7
func TestBulk(t *testing.T) {
	s, c := serve(t, Options{})
	op := func(method, path, id, data string) string {
		out := `{"method":"` + method + `","path":"` + path + `"`
		if id != "" {
			out += `,"bulkId":"` + id + `"`
		}
		if data != "" {
			out += `,"data":` + data
		}
		return out + "}"
	}
	send := func(status int, more string, ops ...string) response {
		return c.want(status, "", "POST", "/Bulk", `{"schemas":["`+urnBulkIn+`"],`+more+`"Operations":[`+strings.Join(ops, ",")+`]}`)
	}
	statuses := func(r response) (out string) {
		for _, x := range r.body["Operations"].([]any) {
			m := x.(map[string]any)
			id, _ := m["bulkId"].(string)
			out += id + ":" + m["status"].(string) + " "
		}
		return strings.TrimSpace(out)
	}
	r := send(200, "",
		op("POST", "/Groups", "g", `{`+groupSchema+`,"displayName":"G","members":[{"value":"bulkId:a"}]}`), // before its member
		op("POST", "/Users", "a", newUser("ann")),
		op("POST", "/Users", "b", newUser("ann")),
		op("PATCH", "/Groups/bulkId:g", "p", `{`+patchSchema+`,"Operations":[{"op":"replace","path":"displayName","value":"H"}]}`),
		op("POST", "/Groups", "x", `{`+groupSchema+`,"displayName":"X","members":[{"value":"bulkId:nobody"}]}`),
		op("GET", "/Users", "q", ""),
		op("DELETE", "/Users/none", "", ""),
	)
	require.Equal(t, "a:201 b:409 q:400 :404 g:201 p:204 x:409", statuses(r))
	first := r.body["Operations"].([]any)[0].(map[string]any)
	require.True(t, strings.HasPrefix(first["location"].(string), s.URL()+"/Users/"))
	require.Equal(t, `W/"1"`, first["version"])
	require.Contains(t, r.body["Operations"].([]any)[1].(map[string]any)["response"], "scimType")
	g, _ := s.Group("H")
	require.Len(t, g.Members, 1)

	r = send(200, `"failOnErrors":1,`, op("DELETE", "/Users/none", "", ""), op("DELETE", "/Users/"+g.Members[0], "", ""))
	require.Equal(t, ":404", statuses(r))
	require.Equal(t, ":400", statuses(send(200, "", op("POST", "/Users", "", newUser("x")))))
	send(413, "", strings.Split(strings.Repeat(op("DELETE", "/Users/x", "", "")+"\n", 1001), "\n")[:1001]...)
	send(413, "", op("POST", "/Users", "big", newUser(strings.Repeat("x", 1<<20))))
	c.want(400, "invalidSyntax", "POST", "/Bulk", `{"schemas":["`+urnBulkIn+`"]}`)
	c.want(405, "", "GET", "/Bulk", "")
}

// RFC 7643 §5 to §7, RFC 9865 §4
func TestDiscovery(t *testing.T) {
	s, c := serve(t, Options{Basic: Login{"a", "b"}, Extensions: []Extension{{Type: "User", Required: true, Document: []byte(`{"id":"urn:acme:User","name":"Acme","attributes":[{"name":"badge","required":true}]}`)}}})
	r := c.want(200, "", "GET", "/ServiceProviderConfig", "")
	require.Equal(t, map[string]any{"supported": true, "maxOperations": 1000.0, "maxPayloadSize": float64(1 << 20)}, r.body["bulk"])
	require.Equal(t, true, r.body["pagination"].(map[string]any)["cursor"])
	require.Len(t, r.body["authenticationSchemes"], 2)
	r = c.want(200, "", "GET", "/Schemas", "")
	require.EqualValues(t, 4, r.body["totalResults"])
	r = c.want(200, "", "GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group", "")
	a := r.body["attributes"].([]any)[0].(map[string]any)
	require.Equal(t, map[string]any{"name": "displayName", "type": "string", "description": "A name for the group", "multiValued": false, "required": true, "caseExact": false,
		"mutability": "readWrite", "returned": "default", "uniqueness": "none"}, a)
	r = c.want(200, "", "GET", "/ResourceTypes/User", "")
	require.Equal(t, "/Users", r.body["endpoint"])
	require.Equal(t, map[string]any{"schema": "urn:acme:User", "required": true}, r.body["schemaExtensions"].([]any)[1])
	c.want(404, "", "GET", "/ResourceTypes/Device", "")
	c.want(404, "", "GET", "/Schemas/urn:x", "")
	c.want(400, "invalidValue", "POST", "/Users", newUser("ann"))
	c.want(201, "", "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:acme:User"],"userName":"ann","urn:acme:user":{"BADGE":"7"}}`)
	u, _ := s.User("ann")
	require.JSONEq(t, `{"userName":"ann","active":true,"urn:acme:User":{"badge":"7"}}`, u.JSON())
	require.Len(t, s.Users(), 1)
	s.Clear()
	require.Empty(t, s.Users())
	c.want(404, "", "GET", "/Users/"+u.ID, "")
}

func TestOptionsThatCannotBe(t *testing.T) {
	for _, o := range []Options{
		{Extensions: []Extension{{Type: "Device", Document: []byte(`{"id":"urn:x","name":"x"}`)}}},
		{Extensions: []Extension{{Type: "User", Document: []byte(`{"name":"x"}`)}}},
		{Extensions: []Extension{{Type: "User", Document: []byte(`{`)}}},
		{Extensions: []Extension{{Type: "User", Document: []byte(`{"id":"urn:x","name":"x","attributes":[{"name":"a","type":"text"}]}`)}}},
		{Addr: "127.0.0.1:99999"},
	} {
		_, err := New(o)
		require.Error(t, err)
	}
	s, _ := serve(t, Options{Unique: []string{"User.externalId", "Group.displayName"}})
	for _, doc := range [][2]string{{"User", `{}`}, {"User", `{"userName":"a","x":1}`}, {"Device", `{}`}, {"User", `x`}, {"Group", `{"displayName":"g","members":[{"value":"x"}]}`}} {
		_, err := s.Seed(doc[0], doc[1])
		require.Error(t, err)
	}
	require.Error(t, s.SeedMembers("none", "x"))
	path, err := s.CAFile(t.TempDir())
	require.NoError(t, err)
	pem, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(pem), "BEGIN CERTIFICATE")
	_, err = s.CAFile("/nowhere/at/all")
	require.Error(t, err)
}

func TestValuesThatOneResourceAloneMayHave(t *testing.T) {
	_, c := serve(t, Options{Unique: []string{"User.externalId", "Group.displayName"}})
	c.want(201, "", "POST", "/Users", `{`+userSchema+`,"userName":"a","externalId":"E"}`)
	c.want(409, "uniqueness", "POST", "/Users", `{`+userSchema+`,"userName":"b","externalId":"E"}`)
	c.want(201, "", "POST", "/Users", `{`+userSchema+`,"userName":"c","externalId":"e"}`)
	c.want(201, "", "POST", "/Groups", `{`+groupSchema+`,"displayName":"G"}`)
	c.want(409, "uniqueness", "POST", "/Groups", `{`+groupSchema+`,"displayName":"g"}`)
}

func TestManyAtOnce(t *testing.T) {
	s, c := serve(t, Options{PlainHTTP: true})
	g := c.want(201, "", "POST", "/Groups", `{`+groupSchema+`,"displayName":"G"}`).body["id"].(string)
	c.http.Transport = &http.Transport{MaxIdleConnsPerHost: 8}
	done := make(chan error)
	for w := range 8 {
		go func() {
			for i := range 20 {
				r, err := c.try("POST", "/Users", newUser("u"+itoa(w*100+i)))
				if err == nil {
					_, err = c.try("PATCH", "/Groups/"+g, `{`+patchSchema+`,"Operations":[{"op":"add","path":"members","value":[{"value":"`+r.body["id"].(string)+`"}]}]}`)
				}
				if err == nil {
					_, err = c.try("GET", "/Users?filter=title+pr&cursor=", "")
				}
				if err == nil && i%4 == 0 {
					_, err = c.try("DELETE", "/Users/"+r.body["id"].(string), "")
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		require.NoError(t, <-done)
	}
	c.http.CloseIdleConnections()
	got, _ := s.Group("G")
	require.Len(t, got.Members, 8*15)
}
