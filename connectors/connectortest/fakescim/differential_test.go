package fakescim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// pair is two services that get the same requests: ours, and one that others
// wrote (scimmy, see scripts/testenv). Ids differ, so that each has its own.
type pair struct {
	t      *testing.T
	prefix string // of all names
	sides  [2]*client
	ids    [2]map[string]string // name → id
	differ map[string]string    // request → why the answers differ
	met    map[string]bool      // those of differ that did
}

func newPair(t *testing.T, differ map[string]string) *pair {
	t.Helper()
	address := os.Getenv("PROVHUB_TEST_SCIM_URL")
	if address == "" {
		t.Skip("needs PROVHUB_TEST_SCIM_URL: run make test")
	}
	_, ours := serve(t, Options{PlainHTTP: true})
	theirs := &client{t: t, http: &http.Client{Transport: &http.Transport{}}, base: address, token: os.Getenv("PROVHUB_TEST_SCIM_TOKEN")}
	p := &pair{t: t, prefix: "fs" + uuid.NewString()[:8], sides: [2]*client{ours, theirs}, ids: [2]map[string]string{{}, {}}, differ: differ, met: map[string]bool{}}
	t.Cleanup(func() {
		for name, id := range p.ids[1] {
			kind := "/Users/"
			if strings.HasPrefix(name, "group") {
				kind = "/Groups/"
			}
			_, err := theirs.try("DELETE", kind+id, "")
			require.NoError(t, err)
		}
		theirs.http.CloseIdleConnections()
		for request := range differ {
			require.True(t, p.met[request], "the answers to %s do not differ any more", request)
		}
	})
	return p
}

// both makes a request on both sides and compares the answers: the status, the
// scimType, and what a body holds. "{name}" stands for an id, "~" for the prefix.
// keep names what a create makes.
func (p *pair) both(name, method, path, body, keep string) {
	p.t.Helper()
	var shown [2]string
	for i, c := range p.sides {
		fill := func(s string) string {
			for name, id := range p.ids[i] {
				s = strings.ReplaceAll(s, "{"+name+"}", id)
			}
			return strings.ReplaceAll(s, "~", p.prefix)
		}
		r := c.do(method, fill(path), fill(body))
		if id, ok := r.body["id"].(string); ok && keep != "" {
			p.ids[i][keep] = id
		}
		if shown[i] = p.show(i, r); method == "PATCH" && r.status < 300 {
			shown[i] = "done" // with or without the resource, RFC 7644 §3.5.2; a GET follows
		}
	}
	if reason, known := p.differ[name]; known {
		p.met[name] = p.met[name] || shown[0] != shown[1]
		require.NotEmpty(p.t, reason)
		return
	}
	require.Equal(p.t, shown[1], shown[0], "%s: %s %s\n%s", name, method, path, body)
}

// show is an answer without what no two services share.
func (p *pair) show(side int, r response) string {
	if r.status >= 300 {
		out := itoa(r.status)
		if s, ok := r.body["scimType"].(string); ok {
			out += " " + s
		}
		return out
	}
	raw, err := json.Marshal(p.plain(side, r.body))
	require.NoError(p.t, err)
	return itoa(r.status) + " " + string(raw)
}

// plain takes out what no two services share, and puts names in the place of ids.
func (p *pair) plain(side int, v any) any {
	switch x := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, y := range x {
			switch k {
			case "meta", "$ref", "location", "version", "schemas", "itemsPerPage": // scimmy gives the size of its pages
			default:
				out[k] = p.plain(side, y)
			}
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = p.plain(side, x[i])
		}
		return out
	case string:
		for name, id := range p.ids[side] {
			x = strings.ReplaceAll(x, id, "{"+name+"}")
		}
		return x
	}
	return v
}

func TestAnotherServiceAnswersAlike(t *testing.T) {
	p := newPair(t, map[string]string{
		"create without schemas":            "RFC 7643 §3 requires schemas; scimmy takes the endpoint's",
		"no JSON":                           "the parser before scimmy refuses it, without a scimType",
		"attributes of an extension":        "scimmy cannot choose among an extension's attributes",
		"filter: not":                       "scimmy's not has no effect behind and",
		"filter: left over":                 "scimmy reads a filter that ends with or",
		"filter: and":                       "scimmy compares title by case, though caseExact is false",
		"filter: value path":                "scimmy fails over accounts without e-mail",
		"after patch: complex":              "RFC 7644 §3.5.2.3 can be read both ways; ours keeps the sub-attributes that are not named",
		"after patch: append what is there": "RFC 7644 §3.5.2.1: a value that is there is not added again",
		"after patch: primary moves":        "RFC 7644 §3.5.2: the old primary value ceases to be one",
		"patch: extension sub-attribute":    "scimmy finds no sub-attributes in an extension",
		"patch: chosen nothing, remove":     "RFC 7644 Table 9: noTarget when the filter yields no match",
		"members: remove again":             "the same",
		"patch of nothing":                  "either scimType does",
		"after members: empty":              "an empty list and no list are the same (RFC 7643 §2.5)",
		"a group by name":                   "scimmy compares displayName by case, though caseExact is false",
	})
	const ent = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	p.both("create", "POST", "/Users", `{`+userSchema+`,"userName":"~ann"}`, "ann")
	whole := func(name string) string {
		return `{` + bothSchemas + `,"userName":"` + name + `","externalId":"~E","displayName":"Bob","nickName":"Bo","title":"Dr","active":true,
		"name":{"givenName":"Bob","familyName":"Best"},"emails":[{"value":"b@x.org","type":"work","primary":true},{"value":"h@x.org","type":"home"}],
		"` + ent + `":{"department":"IT","manager":{"value":"{ann}"}}}`
	}
	p.both("create whole", "POST", "/Users", whole("~bob"), "bob")
	p.both("create twice", "POST", "/Users", `{`+userSchema+`,"userName":"~ANN"}`, "")
	p.both("create without a name", "POST", "/Users", `{`+userSchema+`}`, "")
	p.both("create with a wrong type", "POST", "/Users", `{`+userSchema+`,"userName":"~x","active":"true"}`, "")
	p.both("create with an unknown schema", "POST", "/Users", `{"schemas":["urn:x"],"userName":"~x"}`, "")
	p.both("create without schemas", "POST", "/Users", `{"userName":"none~"}`, "stray")
	p.both("no JSON", "POST", "/Users", `{"userName"`, "")

	p.both("get", "GET", "/Users/{bob}", "", "")
	p.both("get nobody", "GET", "/Users/nobody", "", "")
	p.both("attributes", "GET", "/Users/{bob}?attributes=userName,name.givenName", "", "")
	p.both("attributes of an extension", "GET", "/Users/{bob}?attributes="+ent+":department", "", "")
	p.both("excluded attributes", "GET", "/Users/{bob}?excludedAttributes=emails,name.givenName,"+ent, "", "")

	for name, filter := range map[string]string{
		"eq":          `userName eq "~BOB"`,
		"externalId":  `externalId eq "~E"`,
		"case counts": `externalId eq "~e"`,
		"nobody":      `userName eq "~nobody"`,
		"sw":          `userName sw "~"`,
		"and":         `userName sw "~" and title eq "dr"`,
		"or":          `userName eq "~ann" or userName eq "~bob"`,
		"precedence":  `userName eq "~ann" or userName eq "~bob" and title eq "none"`,
		"parentheses": `(userName eq "~ann" or userName eq "~bob") and title eq "none"`,
		"not":         `userName sw "~" and not (title eq "dr")`,
		"pr":          `userName sw "~" and title pr`,
		"value path":  `userName sw "~" and emails[type eq "work" and value ew "x.org"]`,
		"boolean":     `userName sw "~" and active eq true`,
		"broken":      `userName eq "`,
		"an operator": `userName is "x"`,
		"left over":   `userName eq "x" or`,
	} {
		p.both("filter: "+name, "GET", "/Users?sortBy=userName&filter="+url.QueryEscape(strings.ReplaceAll(filter, "~", p.prefix)), "", "")
	}
	p.both("page", "GET", `/Users?count=1&startIndex=2&filter=userName+sw+%22~%22`, "", "")
	p.both("no page", "GET", `/Users?count=0&filter=userName+sw+%22~%22`, "", "")
	p.both("behind the end", "GET", `/Users?startIndex=9&filter=userName+sw+%22~%22`, "", "")
	p.both("search", "POST", "/Users/.search", `{"schemas":["`+urnSearch+`"],"filter":"userName eq \"~ann\"","attributes":["userName"]}`, "")

	for _, patch := range [][2]string{
		{"add", `{"op":"add","path":"nickName","value":"B"}`},
		{"op in any case", `{"op":"Replace","path":"nickName","value":"Bo"}`},
		{"replace", `{"op":"replace","path":"title","value":"Prof"}`},
		{"sub-attribute", `{"op":"replace","path":"name.givenName","value":"Rob"}`},
		{"path-less", `{"op":"replace","value":{"displayName":"Rob"}}`},
		{"complex", `{"op":"replace","path":"name","value":{"middleName":"M"}}`},
		{"chosen value", `{"op":"replace","path":"emails[type eq \"home\"].value","value":"n@x.org"}`},
		{"append", `{"op":"add","path":"emails","value":[{"value":"o@x.org","type":"other"}]}`},
		{"append what is there", `{"op":"add","path":"emails","value":[{"value":"h@x.org","type":"home"}]}`},
		{"primary moves", `{"op":"replace","path":"emails[type eq \"home\"].primary","value":true}`},
		{"remove chosen", `{"op":"remove","path":"emails[type eq \"home\"]"}`},
		{"extension", `{"op":"replace","path":"` + ent + `:department","value":"HR"}`},
		{"extension sub-attribute", `{"op":"replace","path":"` + ent + `:manager.value","value":"{ann}"}`},
		{"remove", `{"op":"remove","path":"nickName"}`},
		{"remove what is not there", `{"op":"remove","path":"locale"}`},
		{"disable", `{"op":"replace","path":"active","value":false}`},
		{"two at once", `{"op":"replace","path":"title","value":"A"},{"op":"replace","path":"displayName","value":"B"}`},
		{"all or nothing", `{"op":"replace","path":"title","value":"Z"},{"op":"remove"}`},
		{"chosen nothing, replace", `{"op":"replace","path":"emails[type eq \"none\"].value","value":"x"}`},
		{"chosen nothing, remove", `{"op":"remove","path":"emails[type eq \"none\"]"}`},
		{"remove without a path", `{"op":"remove"}`},
		{"unknown operation", `{"op":"move","path":"title","value":"x"}`},
		{"unknown attribute", `{"op":"add","path":"shoeSize","value":"9"}`},
		{"broken path", `{"op":"add","path":"emails[type","value":"9"}`},
		{"wrong type", `{"op":"replace","path":"active","value":7}`},
		{"required", `{"op":"remove","path":"userName"}`},
		{"no value", `{"op":"add","path":"title"}`},
		{"read-only", `{"op":"replace","path":"id","value":"x"}`},
	} {
		p.both("one more", "POST", "/Users", whole("~cid"), "cid")
		p.both("patch: "+patch[0], "PATCH", "/Users/{cid}", `{`+patchSchema+`,"Operations":[`+patch[1]+`]}`, "")
		p.both("after patch: "+patch[0], "GET", "/Users/{cid}", "", "")
		p.both("gone", "DELETE", "/Users/{cid}", "", "")
	}
	p.both("patch nobody", "PATCH", "/Users/nobody", `{`+patchSchema+`,"Operations":[{"op":"add","path":"title","value":"x"}]}`, "")
	p.both("patch of nothing", "PATCH", "/Users/{bob}", `{`+patchSchema+`,"Operations":[]}`, "")
	p.both("put", "PUT", "/Users/{bob}", `{`+userSchema+`,"userName":"~bob","title":"Ms","active":true}`, "")
	p.both("put nobody", "PUT", "/Users/nobody", `{`+userSchema+`,"userName":"~q"}`, "")

	p.both("group", "POST", "/Groups", `{`+groupSchema+`,"displayName":"~G","members":[{"value":"{ann}"}]}`, "group")
	p.both("group with nobody", "POST", "/Groups", `{`+groupSchema+`,"displayName":"~H","members":[{"value":"nobody"}]}`, "")
	p.both("groups of a user", "GET", "/Users/{ann}", "", "")
	for _, patch := range [][2]string{
		{"add", `{"op":"add","path":"members","value":[{"value":"{bob}"}]}`},
		{"add again", `{"op":"add","path":"members","value":[{"value":"{bob}"}]}`},
		{"remove", `{"op":"remove","path":"members[value eq \"{ann}\"]"}`},
		{"remove again", `{"op":"remove","path":"members[value eq \"{ann}\"]"}`},
		{"add nobody", `{"op":"add","path":"members","value":[{"value":"nobody"}]}`},
		{"replace", `{"op":"replace","path":"members","value":[{"value":"{ann}"}]}`},
		{"rename", `{"op":"replace","value":{"displayName":"~I"}}`},
		{"empty", `{"op":"remove","path":"members"}`},
	} {
		p.both("members: "+patch[0], "PATCH", "/Groups/{group}", `{`+patchSchema+`,"Operations":[`+patch[1]+`]}`, "")
		p.both("after members: "+patch[0], "GET", "/Groups/{group}", "", "")
	}
	p.both("a group by name", "GET", "/Groups?filter=displayName+eq+%22~i%22&excludedAttributes=members", "", "")
	p.both("delete", "DELETE", "/Users/{bob}", "", "")
	p.both("delete twice", "DELETE", "/Users/{bob}", "", "")
	p.both("nothing there", "GET", "/Nothing", "", "")
	p.both("a type", "GET", "/ResourceTypes/User", "", "")
}
