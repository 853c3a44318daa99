package query

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFiltersOfTheRFC(t *testing.T) {
	const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	for in, want := range map[string]string{
		`userName eq "bjensen"`:                                      `userName eq "bjensen"`,
		`userName Eq "john"`:                                         `userName eq "john"`,
		`name.familyName co "O'Malley"`:                              `name.familyName co "O'Malley"`,
		`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"`: `urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"`,
		`title pr`: `title pr`,
		`meta.lastModified gt "2011-05-13T04:42:34Z"`: `meta.lastModified gt "2011-05-13T04:42:34Z"`,
		`title pr and userType eq "Employee"`:         `title pr and userType eq "Employee"`,
		`title pr or userType eq "Intern"`:            `title pr or userType eq "Intern"`,
		`a pr or b pr and c pr`:                       `a pr or (b pr and c pr)`,
		`a pr and b pr or c pr`:                       `(a pr and b pr) or c pr`,
		`(a pr or b pr) and c pr`:                     `(a pr or b pr) and c pr`,
		`not (a pr) and b pr`:                         `not (a pr) and b pr`,
		`NOT(a pr AND b pr)`:                          `not (a pr and b pr)`,
		`not (a pr or b pr) or c pr`:                  `not (a pr or b pr) or c pr`,
		`userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`: `userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`,
		`userType ne "Employee" and not (emails co "example.com")`:                              `userType ne "Employee" and not (emails co "example.com")`,
		`emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp"]`:             `emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp"]`,
		`emails[not (primary eq true)]`:                                                         `emails[not (primary eq true)]`,
		enterprise + `:manager.value eq "26118915"`:                                             enterprise + `:manager.value eq "26118915"`,
		`active eq false`:                  `active eq false`,
		`title eq null`:                    `title eq null`,
		`x-y.$ref eq "a"`:                  `x-y.$ref eq "a"`,
		`n ge -1.50e3`:                     `n ge -1.50e3`,
		`userName eq "a\" or userName pr"`: `userName eq "a\" or userName pr"`,
		`userName eq "\u00e9\\\n"`:         `userName eq "é\\\n"`,
		`  a   pr  `:                       `a pr`,
		`and pr and or pr`:                 `and pr and or pr`, // keywords are no reserved names
		`not eq "x"`:                       `not eq "x"`,
	} {
		e, err := Parse(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := e.String(); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", in, got, want)
		}
	}
}

func TestTextsThatAreNoFilters(t *testing.T) {
	for in, want := range map[string]string{
		``:                             `at character 1: want an attribute, got the end`,
		`userName`:                     `at character 9: want an operator after userName, got the end`,
		`userName eq`:                  `at character 12: want a space after "eq"`,
		`userName eq bjensen`:          `at character 13: want a text in double quotes, a number, true, false or null; got "bjensen"`,
		`userName eq 'bjensen'`:        `at character 13: '\'' has no place here`,
		`userName eq "bjensen`:         `at character 13: the text has no closing quote`,
		`userName eq "a\q"`:            `at character 13: the text is no JSON string`,
		"userName eq \"a\nb\"":         `at character 13: the text is no JSON string`,
		`userName is "x"`:              `at character 10: want an operator after userName, got "is"`,
		`userName eq"x"`:               `at character 12: want a space after "eq"`,
		`userName eq "a" userName pr`:  `at character 17: "userName" is left over`,
		`userName eq "a" and`:          `at character 20: want an attribute, got the end`,
		`(userName pr`:                 `at character 13: want ")", got the end`,
		`userName pr)`:                 `at character 12: ")" is left over`,
		`emails[type eq "work"`:        `at character 22: want "]", got the end`,
		`emails[a[b pr]]`:              `at character 9: "[" stands within "["`,
		`emails[]`:                     `at character 8: want an attribute, got "]"`,
		`emails[type pr].value eq "x"`: `at character 16: ".value" is left over`,
		`a.b.c pr`:                     `at character 1: "b.c" is no sub-attribute's name`,
		`1a pr`:                        `at character 1: "1a" is no attribute's name`,
		`core:userName pr`:             `at character 1: "core" is no schema's URI`,
		`n eq 01`:                      `at character 6: want a text in double quotes, a number, true, false or null; got "01"`,
		`not a pr`:                     `at character 5: want an operator after not, got "a"`,
		"a eq \"\xff\"":                `at character 1: this is no UTF-8 text`,
		strings.Repeat("(", 101) + "a pr" + strings.Repeat(")", 101): `at character 102: more than 100 parentheses are nested`,
	} {
		e, err := Parse(in)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, %v\nwant %s", in, e, err, want)
		}
	}
}

func TestPathsOfPatch(t *testing.T) {
	for in, want := range map[string]Path{
		`displayName`:                             {Attr: Attr{Name: "displayName"}},
		`name.givenName`:                          {Attr: Attr{Name: "name", Sub: "givenName"}},
		`urn:x:2.0:User`:                          {Attr: Attr{URI: "urn:x:2.0", Name: "User"}},
		`urn:x:2.0:User:manager.value`:            {Attr: Attr{URI: "urn:x:2.0:User", Name: "manager", Sub: "value"}},
		`members[value eq "2819c223"]`:            {Attr: Attr{Name: "members"}, Filter: Compare{Attr{Name: "value"}, Equal, "2819c223"}},
		`addresses[type eq "work"].streetAddress`: {Attr: Attr{Name: "addresses"}, Filter: Compare{Attr{Name: "type"}, Equal, "work"}, Sub: "streetAddress"},
	} {
		got, err := ParsePath(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
		}
		if d := cmp.Diff(want, got); d != "" || got.String() != in {
			t.Errorf("%s: %s", in, d)
		}
	}
	for _, in := range []string{``, ` name`, `name `, `name.`, `.name`, `a b`, `emails[type eq "work"]value`, `emails[type eq "work"].`, `emails[type eq "work"].a.b`,
		`emails[type eq "work"] .value`, `emails.value[type pr] x`, `userName eq "x"`, `emails[type eq "work"`, `"x"`, `urn:x:`, `(a)`} {
		if p, err := ParsePath(in); err == nil {
			t.Errorf("%q is read as %v", in, p)
		}
	}
	if _, err := ParseAttr(`emails[type pr]`); err == nil {
		t.Error("a filter is read as an attribute")
	}
}

func TestPartsOfAFilter(t *testing.T) {
	e, err := Parse(`a eq "1" and b[x pr and not (y pr)] and (c pr or d pr)`)
	if err != nil {
		t.Fatal(err)
	}
	if n := Nodes(e); n != 11 {
		t.Errorf("got %d nodes", n)
	}
	if got := Conjuncts(e); len(got) != 3 || got[2].String() != "c pr or d pr" {
		t.Errorf("got %v", got)
	}
}

// QUIRKS SCIM-6: whatever a filter holds, writing it and reading it again gives
// the same tree.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`userName eq "a\" or userName pr"`, `a pr or b pr and c pr`, `not(x[y eq -1.5e3 or z co "]"])`, `urn:x:y.z eq null`, `a eq "\ud800"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(e.String())
		if err != nil {
			t.Fatalf("%q became %q: %v", text, e, err)
		}
		if d := cmp.Diff(e, again); d != "" {
			t.Fatalf("%q became %q: %s", text, e, d)
		}
	})
}

func FuzzParsePath(f *testing.F) {
	for _, s := range []string{`emails[type eq "work"].value`, `urn:x:2.0:User:manager.value`, `members[value eq "\"]"]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePath(text)
		if err != nil {
			return
		}
		again, err := ParsePath(p.String())
		if err != nil {
			t.Fatalf("%q became %q: %v", text, p, err)
		}
		if d := cmp.Diff(p, again); d != "" {
			t.Fatalf("%q became %q: %s", text, p, d)
		}
	})
}
