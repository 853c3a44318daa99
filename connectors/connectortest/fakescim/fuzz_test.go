package fakescim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"testing"
)

// whatever is asked, the service answers it with sense: never with a failure of
// its own, and a refusal changes nothing.
func FuzzPatch(f *testing.F) {
	for _, s := range [][2]string{{"add", "emails[type eq \"work\"].value"}, {"remove", "members"}, {"replace", "name"}, {"replace", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value"}, {"add", "id"}} {
		f.Add(s[0], s[1], `"x"`)
		f.Add(s[0], s[1], `[{"value":"x","primary":true},null,{}]`)
		f.Add(s[0], s[1], `{"name":{"givenName":null},"emails":[[]],"active":1e99}`)
	}
	s, err := New(Options{PlainHTTP: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	id, err := s.Seed("User", `{"userName":"jane","name":{"givenName":"J"},"emails":[{"value":"e","type":"work"}]}`)
	if err != nil {
		f.Fatal(err)
	}
	rules := rulesOf(s.options.Profile)
	f.Fuzz(func(t *testing.T, op, path, value string) {
		if !json.Valid([]byte(value)) {
			return
		}
		raw, err := json.Marshal(map[string]any{"schemas": []string{urnPatch}, "Operations": []any{map[string]any{"op": op, "path": path, "value": json.RawMessage(value)}}})
		if err != nil {
			return
		}
		body, err := parseObject(raw)
		if err != nil {
			return
		}
		before := s.Users()
		rep := s.serve(&request{method: http.MethodPatch, path: "/Users/" + id, query: url.Values{}, header: http.Header{}, body: body, rules: &rules})
		if rep.status >= 500 {
			t.Fatalf("%s %q %s: %v", op, path, value, rep.body)
		}
		if after := s.Users(); rep.status >= 400 && !reflect.DeepEqual(before, after) {
			t.Fatalf("%s %q %s was refused and changed\n%v\nto\n%v", op, path, value, before, after)
		}
		if _, err := json.Marshal(rep.body); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{`userName eq "x"`, `emails[type eq "work" and not (value co "x")]`, `meta.created gt "2020-01-01T00:00:00Z"`, `name pr or active eq true`, `groups.value eq "x"`, `schemas eq "x"`, `members[value eq "x"]`} {
		f.Add(s)
	}
	s, err := New(Options{PlainHTTP: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	id, err := s.Seed("User", `{"userName":"x","active":true,"name":{"givenName":"J"},"emails":[{"value":"e","type":"work"}]}`)
	if err == nil {
		_, err = s.Seed("Group", `{"displayName":"x","members":[{"value":"`+id+`"}]}`)
	}
	if err != nil {
		f.Fatal(err)
	}
	rules := rulesOf(s.options.Profile)
	f.Fuzz(func(t *testing.T, filter string) {
		for _, path := range []string{"/Users", "/Groups"} {
			rep := s.serve(&request{method: http.MethodGet, path: path, query: url.Values{"filter": {filter}, "sortBy": {"displayName"}}, header: http.Header{}, rules: &rules})
			if rep.status >= 500 {
				t.Fatalf("%s %q: %v", path, filter, rep.body)
			}
		}
	})
}
