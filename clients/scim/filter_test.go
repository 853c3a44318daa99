package scim

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// QUIRKS SCIM-8: one space, lower-case operators, double quotes, every and/or
// inside another in parentheses.
func TestAFilterHasOneCanonicalText(t *testing.T) {
	mail := Where{Path{Attr: "emails"}, And{Eq("type", "work"), Compare{MustPath("value"), OpEndsWith, "@x.org"}}}
	for want, f := range map[string]Filter{
		`userName eq "jane"`:                            Eq("userName", "jane"),
		`active eq true`:                                Eq("active", true),
		`title pr`:                                      Present("title"),
		`manager eq null`:                               Eq("manager", nil),
		`age gt 30`:                                     Compare{MustPath("age"), OpGreater, json.Number("30")},
		`a eq 1 and (b eq 2 or c eq 3)`:                 And{Eq("a", 1), Or{Eq("b", 2), Eq("c", 3)}},
		`(a eq 1 and b eq 2) or c eq 3`:                 Or{And{Eq("a", 1), Eq("b", 2)}, Eq("c", 3)},
		`not (a eq 1 or b eq 2)`:                        Not{Or{Eq("a", 1), Eq("b", 2)}},
		`emails[type eq "work" and value ew "@x.org"]`:  mail,
		`a eq 1 and emails[type eq "w" or type eq "h"]`: And{Eq("a", 1), Where{Path{Attr: "emails"}, Or{Eq("type", "w"), Eq("type", "h")}}},
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "7"`: Eq(EnterpriseUser+":manager.value", "7"),
		`x eq "<a> & \" \\ \u0001 é"`: Eq("x", "<a> & \" \\ \x01 é"),
	} {
		if got := f.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		back, err := ParseFilter(want)
		if err != nil || back.String() != want {
			t.Errorf("%s was read as %v, %v", want, back, err)
		}
	}
}

func TestAFilterIsWrittenAsTheProfileWants(t *testing.T) {
	f := And{Eq("userName", "a"), Or{Eq("externalId", "b"), Eq(EnterpriseUser+":department", "c")}}
	for want, overrides := range map[string]map[string]any{
		`userName eq "a" and (externalId eq "b" or urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "c")`:   nil,
		`userName EQ "a" AND (externalId EQ "b" OR urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department EQ "c")`:   {"filter_op_case": "upper"},
		`(userName eq "a" and (externalId eq "b" or urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "c"))`: {"filter_paren": "always"},
		`userName eq "a" and (externalId eq "b" or urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.department eq "c")`:   {"ext_sep": "dot"},
	} {
		got, err := profile(t, overrides).FilterText(f)
		if err != nil || got != want {
			t.Errorf("got  %s, %v\nwant %s", got, err, want)
		}
	}
	if _, err := profile(t, nil).FilterText(Eq("userName", "Jos\xe9")); answer(err) != "failed INVALID_VALUE" {
		t.Errorf("text that is not UTF-8: %v", err)
	}
}

func TestFiltersThatAreNone(t *testing.T) {
	for _, text := range []string{
		"", "userName", "userName eq", `userName eq "a`, `userName eq a`, `userName is "a"`, `userName eq "a" and`, `userName eq "a" or or`, `(userName pr`, `userName pr)`,
		`emails[type eq "a"`, `userName eq {"a":1}`, `userName eq ["a"]`, `eq "a"`, `userName eq "a" title pr`, strings.Repeat("(", 100) + "a pr", `1a pr`, `a..b pr`, `a eq "\x"`,
	} {
		if f, err := ParseFilter(text); err == nil {
			t.Errorf("%q was read as %s", text, f)
		}
	}
}

func TestNamesAndOperatorsGoInAnyCase(t *testing.T) {
	f, err := ParseFilter(`userName EQ "a" AND NOT (title PR)`)
	if err != nil || f.String() != `userName eq "a" and not (title pr)` {
		t.Errorf("got %v, %v", f, err)
	}
	f, err = ParseFilter(`a pr or b pr and c pr`)
	if err != nil || f.String() != `a pr or (b pr and c pr)` {
		t.Errorf("and binds tighter: got %v, %v", f, err)
	}
}

func TestPathsAndWhatIsNone(t *testing.T) {
	for text, want := range map[string]Path{
		"userName":       {Attr: "userName"},
		"name.givenName": {Attr: "name", Sub: "givenName"},
		"members.$ref":   {Attr: "members", Sub: "$ref"},
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value": {Schema: EnterpriseUser, Attr: "manager", Sub: "value"},
		"urn:ietf:params:scim:schemas:core:2.0:User:userName":                      {Attr: "userName"},
		`emails[type eq "a:b.c]"].value`:                                           {Attr: "emails", Where: Eq("type", "a:b.c]"), Sub: "value"},
	} {
		got, err := ParsePath(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ".", "a.", "a.b.c", "a b", `emails[type eq "x"`, `emails[]`, "1a", "a[b pr]c"} {
		if p, err := ParsePath(text); err == nil {
			t.Errorf("%q was read as %+v", text, p)
		}
	}
}

func TestAFilterMatchesByTheRulesOfTheAttribute(t *testing.T) {
	jane := object0(t, `{"id":"Ab1","userName":"Jane","active":"True","externalId":"E1","age":30,"title":"","emails":[{"type":"work","value":"J@X.org","primary":true},{"type":"home","value":"j@h.org"}],
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"Department":"R&D"}}`)
	for text, want := range map[string]bool{
		`userName eq "JANE"`: true, `username sw "ja"`: true, `userName co "x"`: false, `id eq "ab1"`: false, `id eq "Ab1"`: true, `externalId eq "e1"`: false,
		`active eq true`: true, `active eq false`: false, `age gt 29`: true, `age le 29.5`: false, `nickName pr`: false, `nickName eq null`: true, `userName ne "jane"`: false,
		`emails eq "j@x.org"`: true, `emails.value ew "@H.ORG"`: true, `emails[type eq "home" and value eq "j@x.org"]`: false, `emails[type eq "work" and primary eq true]`: true,
		`emails.type eq "home" and emails.value eq "j@x.org"`: true, `not (userName pr)`: false, `title pr`: true,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "r&d"`: true,
		`userName eq "x" or userName eq "jane"`:                                          true, `userName eq 7`: false,
	} {
		f, err := ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := Matches(f, jane, nil); got != want {
			t.Errorf("%s: got %t", text, got)
		}
	}
}

func TestOnlyFiltersThatTheTargetUnderstandsAreSent(t *testing.T) {
	aws, err := LoadProfile("aws-identity-center")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		p    *Profile
		f    Filter
		want string // "": allowed
	}{
		{aws, Eq("userName", "a"), ""},
		{aws, And{Eq("id", "a"), Eq("manager", "b")}, ""},
		{aws, And{Eq("userName", "a"), Eq("externalId", "b")}, "filter_combos"},
		{aws, Compare{MustPath("userName"), OpStartsWith, "a"}, "filter_ops"},
		{aws, Or{Eq("userName", "a"), Eq("userName", "b")}, "filter_ops"},
		{profile(t, map[string]any{"filter_ops": []string{}}), Eq("userName", "a"), "filter_ops"},
		{profile(t, map[string]any{"external_id": "not_combinable"}), And{Eq("userName", "a"), Eq("externalId", "b")}, "external_id"},
		{profile(t, map[string]any{"external_id": "unsupported"}), Eq("externalId", "b"), "external_id"},
		{profile(t, map[string]any{"filter_attrs": map[string]any{"users": []string{"USERNAME"}}}), Eq("userName", "b"), ""},
		{profile(t, map[string]any{"filter_attrs": map[string]any{"users": []string{"userName"}}}), Eq("emails.value", "b"), "filter_attrs"},
		{profile(t, map[string]any{"filter_max_nodes": 3}), Or{Eq("id", "a"), Eq("id", "b")}, ""},
		{profile(t, map[string]any{"filter_max_nodes": 3}), Or{Eq("id", "a"), Eq("id", "b"), Eq("id", "c")}, "filter_max_nodes"},
	} {
		err := tt.p.CheckFilter(Users, tt.f)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || answer(err) != "failed UNSUPPORTED" || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: got %v; want %q", tt.f, err, tt.want)
		}
	}
}

// anyFilter draws filters whose values are hostile.
func anyFilter(t *rapid.T, depth int) Filter {
	value := rapid.OneOf(
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.SampledFrom([]any{`a" or userName pr or "`, `\`, `\"`, `" and (`, "]", "\x00", true, false, nil, json.Number("1.5")}),
	)
	path := rapid.SampledFrom([]string{"userName", "name.givenName", "emails.value", EnterpriseUser + ":department"})
	kind := rapid.IntRange(0, 4).Draw(t, "kind")
	if depth == 0 {
		kind = 0
	}
	sub := func() Filter { return anyFilter(t, depth-1) }
	switch kind {
	case 1:
		return And{sub(), sub()}
	case 2:
		return Or{sub(), sub()}
	case 3:
		return Not{sub()}
	case 4:
		return Where{Path{Attr: "emails"}, sub()}
	}
	return Compare{MustPath(path.Draw(t, "path")), rapid.SampledFrom(comparisons).Draw(t, "op"), value.Draw(t, "value")}
}

// QUIRKS SCIM-6: whatever a value holds, the filter that the target reads is the
// one that was meant, also after the journey through the URL.
func TestAValueNeverChangesAFilter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFilter(t, 3)
		var q parameters
		q.add("filter", f.String())
		got, err := url.ParseQuery(q.String())
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseFilter(got.Get("filter"))
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		// Lists of lists of the same word are flat in text, so texts are compared.
		if back.String() != f.String() {
			t.Fatalf("%s was read as %s", f, back)
		}
		if strings.Contains(q.String(), "+") || strings.Contains(q.String(), " ") {
			t.Fatalf("%s is not encoded well", q.String())
		}
	})
}

// FuzzParseFilter reads arbitrary text: no panic, and what was read is written and
// read again unchanged.
func FuzzParseFilter(f *testing.F) {
	for _, s := range []string{`userName eq "a" or title pr`, `emails[type eq "work" and not (value co "x")]`, `urn:a:b eq -1.5e3`, `((a pr))`, `a eq "\u0022 or b pr"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		one, err := ParseFilter(text)
		if err != nil {
			return
		}
		two, err := ParseFilter(one.String())
		if err != nil || two.String() != one.String() {
			t.Errorf("%q: %s became %v, %v", text, one, two, err)
		}
	})
}

// FuzzEqValue looks for a value that changes the structure of a filter.
func FuzzEqValue(f *testing.F) {
	f.Add(`eq "a" or userName pr`)
	f.Add(`\`)
	f.Fuzz(func(t *testing.T, value string) {
		text, err := (&Profile{}).FilterText(Eq("userName", value))
		if err != nil {
			return // not UTF-8
		}
		back, err := ParseFilter(text)
		if c, ok := back.(Compare); err != nil || !ok || c.Value != value || c.Path.Attr != "userName" {
			t.Errorf("%q became %#v, %v", value, back, err)
		}
	})
}
