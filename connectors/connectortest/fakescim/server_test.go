package fakescim

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client talks to a server as a test says, without help.
type client struct {
	t     testing.TB
	http  *http.Client
	base  string
	token string
}

// response is what came back.
type response struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func serve(t testing.TB, o Options) (*Server, *client) {
	t.Helper()
	s, err := New(o)
	require.NoError(t, err)
	c := &client{t: t, http: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.CertPool()}}}, base: s.URL(), token: s.Token()}
	t.Cleanup(func() {
		c.http.CloseIdleConnections()
		require.NoError(t, s.Close())
	})
	return s, c
}

// try makes a request; body "" is none. header holds name, value, name, value …
func (c *client) try(method, path, body string, header ...string) (response, error) {
	req, err := http.NewRequest(method, c.base+path, strings.NewReader(body))
	if err != nil {
		return response{}, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	out := response{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	if err != nil {
		return out, err
	}
	if strings.Contains(resp.Header.Get("Content-Type"), "json") {
		dec := json.NewDecoder(bytes.NewReader(raw))
		err = dec.Decode(&out.body)
	}
	return out, err
}

// do is try for a request that must be answered.
func (c *client) do(method, path, body string, header ...string) response {
	c.t.Helper()
	r, err := c.try(method, path, body, header...)
	require.NoError(c.t, err, "%s %s", method, path)
	return r
}

// want makes a request whose answer must have the status, and the scimType when
// it is refused; "" is any.
func (c *client) want(status int, scimType, method, path, body string, header ...string) response {
	c.t.Helper()
	r := c.do(method, path, body, header...)
	require.Equal(c.t, status, r.status, "%s %s: %s", method, path, r.raw)
	if scimType != "" {
		require.Equal(c.t, scimType, r.body["scimType"], "%s %s: %s", method, path, r.raw)
	}
	return r
}

const (
	userSchema  = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]`
	bothSchemas = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]`
	groupSchema = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"]`
	patchSchema = `"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]`
)

// user makes a user and returns its id.
func (c *client) user(name string) string {
	c.t.Helper()
	r := c.want(201, "", "POST", "/Users", `{`+userSchema+`,"userName":"`+name+`"}`)
	return r.body["id"].(string)
}

// patch makes a PATCH of operations.
func (c *client) patch(status int, scimType, path, ops string) response {
	c.t.Helper()
	return c.want(status, scimType, "PATCH", path, `{`+patchSchema+`,"Operations":[`+ops+`]}`)
}

func TestAUserIsCreatedReadReplacedAndDeleted(t *testing.T) {
	s, c := serve(t, Options{})
	r := c.want(201, "", "POST", "/Users", `{`+bothSchemas+`,"userName":"Jane","externalId":"E1","password":"s3cret","active":true,
		"name":{"givenName":"Jane","familyName":"Doe"},"emails":[{"value":"j@x.org","type":"work","primary":true}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales"},"id":"mine","groups":[{"value":"x"}]}`)
	id := r.body["id"].(string)
	require.NotEqual(t, "mine", id, "id is the server's")
	require.Equal(t, s.URL()+"/Users/"+id, r.header.Get("Location"))
	require.Equal(t, `W/"1"`, r.header.Get("ETag"))
	require.NotContains(t, r.raw, "s3cret")
	require.NotContains(t, r.body, "groups")
	require.True(t, s.CheckPassword("jane", "s3cret"))

	got := c.want(200, "", "GET", "/Users/"+id, "")
	require.Equal(t, "Sales", got.body["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"].(map[string]any)["department"])
	require.Equal(t, r.body, got.body)

	put := c.want(200, "", "PUT", "/Users/"+id, `{`+userSchema+`,"userName":"jane2","title":"Boss"}`)
	require.Equal(t, "Boss", put.body["title"])
	require.NotContains(t, put.body, "name", "PUT replaces everything")
	require.True(t, s.CheckPassword("jane2", "s3cret"), "a password that is never shown stays")

	c.want(204, "", "DELETE", "/Users/"+id, "")
	c.want(404, "", "GET", "/Users/"+id, "")
	c.want(404, "", "DELETE", "/Users/"+id, "")
	users, groups := s.Len()
	require.Zero(t, users+groups)
}

func sorted(list []string) string {
	slices.Sort(list)
	return strings.Join(list, " ")
}
