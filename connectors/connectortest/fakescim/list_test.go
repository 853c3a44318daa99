package fakescim

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// names returns the userNames or displayNames of a page.
func (r response) names() string {
	var out []string
	for _, x := range r.body["Resources"].([]any) {
		m := x.(map[string]any)
		name, ok := m["userName"].(string)
		if !ok {
			name, _ = m["displayName"].(string)
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

func seed(t testing.TB, s *Server, typ string, docs ...string) (ids []string) {
	t.Helper()
	for _, d := range docs {
		id, err := s.Seed(typ, d)
		require.NoError(t, err)
		ids = append(ids, id)
	}
	return ids
}

// RFC 7644 §3.4.2.2
func TestFilters(t *testing.T) {
	s, c := serve(t, Options{PlainHTTP: true, Now: func() time.Time { return time.Date(2026, 3, 31, 10, 0, 0, 0, time.UTC) },
		Extensions: []Extension{{Type: "User", Document: []byte(`{"id":"urn:acme:User","name":"Acme","attributes":[
			{"name":"level","type":"integer"},{"name":"since","type":"dateTime"},{"name":"tags","multiValued":true},{"name":"code","caseExact":true}]}`)}}})
	ids := seed(t, s, "User",
		`{"userName":"Ann","externalId":"A","title":"Dr","active":true,"name":{"familyName":"Ash"},"emails":[{"value":"ann@x.org","type":"work","primary":true},{"value":"a@home.org","type":"home"}],
			"urn:acme:User":{"level":3,"since":"2020-01-01T00:00:00Z","tags":["x","y"],"code":"q"}}`,
		`{"userName":"bob","externalId":"a","active":false,"name":{"familyName":"Best"},"emails":[{"value":"bob@home.org","type":"work"}],
			"urn:acme:User":{"level":10,"since":"2021-01-01T01:00:00+01:00","code":"Q"}}`,
		`{"userName":"Cid","title":"","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"IT","manager":{"value":"m"}}}`)
	g := seed(t, s, "Group", `{"displayName":"G","members":[{"value":"`+ids[0]+`"}]}`)[0]
	for filter, want := range map[string]string{
		`userName eq "ann"`:        "Ann",
		`userName eq "ANN"`:        "Ann",
		`externalId eq "a"`:        "bob",
		`externalId eq "A"`:        "Ann",
		`userName ne "ann"`:        "bob Cid",
		`title pr`:                 "Ann",
		`not (title pr)`:           "bob Cid",
		`title eq null`:            "bob Cid",
		`title ne "Dr"`:            "bob Cid",
		`userName sw "B"`:          "bob",
		`userName ew "N"`:          "Ann",
		`userName co "i"`:          "Cid",
		`userName gt "ann"`:        "bob Cid",
		`userName le "BOB"`:        "Ann bob",
		`active eq false`:          "bob",
		`active ne false`:          "Ann Cid",
		`name pr`:                  "Ann bob",
		`name.familyName eq "ash"`: "Ann",
		`emails co "home"`:         "Ann bob",
		`emails.value ew "x.org"`:  "Ann",
		`emails.type eq "work" and emails.value co "home"`:                                "Ann bob",
		`emails[type eq "work" and value co "home"]`:                                      "bob",
		`emails[type eq "work" and not (value co "home")]`:                                "Ann",
		`emails[primary eq true]`:                                                         "Ann",
		`emails pr`:                                                                       "Ann bob",
		`urn:ietf:params:scim:schemas:core:2.0:User:userName eq "bob"`:                    "bob",
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "it"`:   "Cid",
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "m"`: "Cid",
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr`:                   "Cid",
		`urn:acme:User:level gt 3`:                                                        "bob",
		`urn:acme:User:level ge 3 and urn:acme:User:level lt 10.0`:                        "Ann",
		`urn:acme:User:since eq "2021-01-01T00:00:00Z"`:                                   "bob",
		`urn:acme:User:since lt "2020-06-01T00:00:00Z"`:                                   "Ann",
		`urn:acme:User:tags eq "y"`:                                                       "Ann",
		`urn:acme:User:code eq "Q"`:                                                       "bob",
		`meta.created le "2026-03-31T10:00:00Z"`:                                          "Ann bob Cid",
		`meta.resourceType eq "User" and userName eq "bob"`:                               "bob",
		`schemas eq "urn:acme:User"`:                                                      "Ann bob",
		`id eq "` + ids[1] + `"`:                                                          "bob",
		`id eq "` + ids[1] + `" and userName eq "ann"`:                                    "",
		`groups.value eq "` + g + `"`:                                                     "Ann",
		`groups eq "` + g + `"`:                                                           "Ann",
		`groups[value eq "` + g + `"] and title pr`:                                       "Ann",
		`groups pr`: "Ann",
		`userName eq "ann" or userName eq "bob" and title pr`:   "Ann",
		`(userName eq "ann" or userName eq "cid") and title pr`: "Ann",
	} {
		r := c.want(200, "", "GET", "/Users?filter="+url.QueryEscape(filter), "")
		require.Equal(t, want, r.names(), filter)
		again := c.want(200, "", "POST", "/Users/.search", `{"schemas":["`+urnSearch+`"],"filter":`+quoted(filter)+`}`)
		require.Equal(t, want, again.names(), filter)
	}
	for _, filter := range []string{`userName`, `shoeSize eq "9"`, `active eq "true"`, `active gt true`, `userName eq 5`, `name eq "x"`, `urn:acme:User:level eq "3"`, `urn:acme:User:level co 3`,
		`urn:acme:User:since eq "yesterday"`, `password eq "x"`, `password pr`, `emails[shoe eq "x"]`, `userName[x pr]`, `emails.type[x pr]`, `emails[type.x eq "x"]`, `meta.location pr`,
		`urn:acme:User eq "x"`, `urn:other:User:x pr`, `userName eq null and`} {
		c.want(400, "invalidFilter", "GET", "/Users?filter="+url.QueryEscape(filter), "")
	}
	for filter, want := range map[string]string{`displayName eq "g"`: "G", `members.value eq "` + ids[0] + `"`: "G", `members eq "` + ids[1] + `"`: "", `members[value eq "` + ids[0] + `"]`: "G",
		`members[type eq "User"]`: "G", `members pr`: "G", `id eq "` + g + `" and members eq "` + ids[0] + `"`: "G"} {
		require.Equal(t, want, c.want(200, "", "GET", "/Groups?filter="+url.QueryEscape(filter), "").names(), filter)
	}
}

func quoted(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

func TestOrder(t *testing.T) {
	s, c := serve(t, Options{PlainHTTP: true})
	seed(t, s, "User", `{"userName":"b","title":"Z","active":true}`, `{"userName":"C","emails":[{"value":"z"},{"value":"a","primary":true}]}`, `{"userName":"a","title":"y","active":false,"emails":[{"value":"m"}]}`)
	for query, want := range map[string]string{
		"sortBy=userName":                          "a b C",
		"sortBy=userName&sortOrder=descending":     "C b a",
		"sortBy=title":                             "a b C",
		"sortBy=title&sortOrder=descending":        "C b a",
		"sortBy=emails":                            "C a b",
		"sortBy=emails.value&sortOrder=Descending": "b a C",
		"sortBy=active":                            "a b C",
		"sortBy=meta.created&count=2":              "b C",
		"sortBy=userName&startIndex=2&count=1":     "b",
	} {
		require.Equal(t, want, c.want(200, "", "GET", "/Users?"+query, "").names(), query)
	}
	c.want(400, "invalidPath", "GET", "/Users?sortBy=shoeSize", "")
	c.want(400, "invalidPath", "GET", "/Users?sortBy=name", "")
	c.want(400, "invalidPath", "GET", "/Users?sortBy=password", "")
	c.want(400, "invalidValue", "GET", "/Users?sortBy=title&sortOrder=up", "")
}

// RFC 7644 §3.4.2.4
func TestPagesByIndex(t *testing.T) {
	s, c := serve(t, Options{PlainHTTP: true})
	for i := range 5 {
		seed(t, s, "User", fmt.Sprintf(`{"userName":"u%d"}`, i))
	}
	r := c.want(200, "", "GET", "/Users?startIndex=2&count=2", "")
	require.Equal(t, "u1 u2", r.names())
	require.EqualValues(t, 5, r.body["totalResults"])
	require.EqualValues(t, 2, r.body["itemsPerPage"])
	require.EqualValues(t, 2, r.body["startIndex"])
	require.NotContains(t, r.body, "nextCursor")
	for query, want := range map[string]string{"": "u0 u1 u2 u3 u4", "startIndex=0&count=1": "u0", "startIndex=-3&count=1": "u0", "startIndex=6": "", "startIndex=5": "u4", "count=0": "", "count=-1": ""} {
		require.Equal(t, want, c.want(200, "", "GET", "/Users?"+query, "").names(), query)
	}
	c.want(400, "", "GET", "/Users?startIndex=x", "")
	c.want(400, "invalidCount", "GET", "/Users?count=x", "")
	c.want(400, "", "GET", "/Users?count%20=3", "")
}

// RFC 9865 §2
func TestPagesByCursor(t *testing.T) {
	now := time.Date(2026, 3, 31, 10, 0, 0, 0, time.UTC)
	s, c := serve(t, Options{PlainHTTP: true, Now: func() time.Time { return now }})
	for i := range 5 {
		seed(t, s, "User", fmt.Sprintf(`{"userName":"u%d"}`, i))
	}
	next := func(r response) string { return url.QueryEscape(r.body["nextCursor"].(string)) }
	one := c.want(200, "", "GET", "/Users?cursor&count=2", "")
	require.Equal(t, "u0 u1", one.names())
	require.NotContains(t, one.body, "startIndex")
	two := c.want(200, "", "GET", "/Users?count=2&cursor="+next(one), "")
	require.Equal(t, "u2 u3", two.names())
	require.Equal(t, "u2 u3", c.want(200, "", "GET", "/Users?count=2&cursor="+next(one), "").names(), "a page may be asked for again")
	three := c.want(200, "", "POST", "/Users/.search", `{"schemas":["`+urnSearch+`"],"count":2,"cursor":"`+two.body["nextCursor"].(string)+`"}`)
	require.Equal(t, "u4", three.names())
	require.NotContains(t, three.body, "nextCursor")

	c.want(400, "invalidCount", "GET", "/Users?count=3&cursor="+next(one), "")
	c.want(400, "invalidCursor", "GET", "/Users?count=2&cursor=nonsense", "")
	c.want(400, "", "GET", "/Users?count=2&startIndex=1&cursor", "")
	now = now.Add(2 * time.Hour)
	c.want(400, "expiredCursor", "GET", "/Users?count=2&cursor="+next(one), "")
}

func TestWhichAttributesAreReturned(t *testing.T) {
	_, c := serve(t, Options{PlainHTTP: true})
	id := c.want(201, "", "POST", "/Users", jane).body["id"].(string)
	keys := func(query string) string {
		r := c.want(200, "", "GET", "/Users/"+id+"?"+query, "")
		var out []string
		for k, v := range r.body {
			if i := strings.LastIndexByte(k, ':'); i > 0 {
				k = "ext"
			}
			if m, ok := v.(map[string]any); ok && k != "meta" {
				for sub := range m {
					out = append(out, k+"."+sub)
				}
				continue
			}
			out = append(out, k)
		}
		return sorted(out)
	}
	const ext = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	for query, want := range map[string]string{
		"":                                  "emails ext.department ext.manager id meta name.familyName name.givenName schemas title userName active",
		"attributes=userName":               "id schemas userName",
		"attributes=USERNAME,name":          "id name.familyName name.givenName schemas userName",
		"attributes=name.givenName":         "id name.givenName schemas",
		"attributes=" + ext:                 "ext.department ext.manager id schemas",
		"attributes=" + ext + ":department": "ext.department id schemas",
		"attributes=password,shoeSize":      "id schemas",
		"excludedAttributes=emails,meta,id": "ext.department ext.manager id name.familyName name.givenName schemas title userName active",
		"excludedAttributes=name.givenName,title,emails,meta,active": "ext.department ext.manager id name.familyName schemas userName",
		"excludedAttributes=" + ext:                                  "emails id meta name.familyName name.givenName schemas title userName active",
	} {
		require.Equal(t, sorted(strings.Fields(want)), keys(query), query)
	}
	c.want(400, "", "GET", "/Users/"+id+"?attributes=id&excludedAttributes=name", "")
	c.want(400, "invalidPath", "GET", "/Users/"+id+"?attributes=a..b", "")
}
