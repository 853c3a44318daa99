package scim

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/provhub/provhub/schemas"
)

// file writes a profile of the user's own and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func profile(t testing.TB, overrides map[string]any) *Profile {
	t.Helper()
	p, err := LoadProfile("")
	if err == nil {
		p, err = p.With(overrides)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryProfileLoadsAndNamesItsSource(t *testing.T) {
	for _, name := range Profiles() {
		p, err := LoadProfile(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p.Name != name {
			t.Errorf("%s.yaml is called %s", name, p.Name)
		}
		if p.VendorDoc == "" || p.Description == "" {
			t.Errorf("%s: vendor_doc and description say what the profile is for and where it comes from", name)
		}
		if _, err := time.Parse(time.DateOnly, p.VerifiedOn); err != nil {
			t.Errorf("%s: verified_on: %v", name, err)
		}
		for key := range p.Src {
			if _, ok := p.layers[len(p.layers)-1].values[key]; !ok {
				t.Errorf("%s: src names %s, which the profile does not set", name, key)
			}
		}
	}
}

func TestTheRootSetsEveryKey(t *testing.T) {
	p := profile(t, nil)
	for _, key := range settable() {
		if _, ok := p.values[key]; !ok {
			t.Errorf("rfc7644.yaml does not set %s", key)
		}
	}
}

// The schema, the fields and their words must not drift apart.
func TestTheSchemaDescribesTheFields(t *testing.T) {
	props := profileSchema()["properties"].(map[string]any)
	if got, want := sortedKeys(props), slices.Sorted(slices.Values(profileKeys())); !slices.Equal(got, want) {
		t.Errorf("the schema has  %v\nthe fields are %v", got, want)
	}
	for name, s := range props {
		text, _ := json.Marshal(s)
		if !strings.Contains(string(text), `"description"`) {
			t.Errorf("%s has no description", name)
		}
	}
	if profileSchema()["additionalProperties"] != false {
		t.Error("the schema is not closed")
	}
}

// The words that the schema allows are the constants of profile_words.go.
func TestTheWordsOfTheSchemaAreTheConstants(t *testing.T) {
	words := constants(t, "profile_words.go")
	props := profileSchema()["properties"].(map[string]any)
	defs := profileSchema()["$defs"].(map[string]any)
	checked := 0
	for _, group := range reflect.VisibleFields(reflect.TypeFor[Profile]()) {
		name, _, _ := strings.Cut(group.Tag.Get("json"), ",")
		s, _ := props[name].(map[string]any)
		if ref, ok := s["$ref"].(string); ok {
			s = defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		}
		typ := group.Type
		if items, ok := s["items"].(map[string]any); ok && typ.Kind() == reflect.Slice {
			s, typ = items, typ.Elem()
		}
		want, ok := words[typ.Name()]
		if !ok {
			continue
		}
		var got []string
		for _, w := range list(s["enum"]) {
			got = append(got, w.(string))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the schema allows %v, the constants are %v", name, got, want)
		}
		checked++
	}
	if checked < 30 {
		t.Errorf("only %d keys were looked at", checked)
	}
}

// constants returns the text constants of a file by the name of their type.
func constants(t *testing.T, file string) map[string][]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
			typ := v.Type.(*ast.Ident).Name
			word, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out[typ] = append(out[typ], word)
		}
		return true
	})
	return out
}

func TestAValueComesFromTheNearestProfileThatSetsIt(t *testing.T) {
	parent := file(t, "parent.yaml", "name: parent\nversion: 1\nverified: docs-only\nverified_on: 2026-11-22\nvendor_doc: https://parent.example\npage_max: 50\nop_case: capital\n")
	child := filepath.Join(filepath.Dir(parent), "child.yaml")
	text := "name: child\nversion: 3\nextends: parent.yaml\nverified: tried-on\nverified_on: 2026-11-23\npage_max: 10\nsrc: {page_max: seen}\n"
	if err := os.WriteFile(child, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := LoadProfile(child)
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "child" || p.Version != 3 || p.Verified != TriedOn || p.VerifiedOn != "2026-11-23" || p.VendorDoc != "" {
		t.Errorf("the identity is %+v", p.ProfileIdentity)
	}
	for key, want := range map[string]string{"page_max": "profile child (seen)", "op_case": "profile parent (https://parent.example)", "accept": "default"} {
		if got := p.Origin(key).String(); got != want {
			t.Errorf("%s comes from %q, want %q", key, got, want)
		}
	}
	if p.PageMax != 10 || p.OpCase != OpCapital || p.Accept != "application/scim+json" || time.Duration(p.Timeout) != time.Minute {
		t.Errorf("got %d, %s, %s, %s", p.PageMax, p.OpCase, p.Accept, time.Duration(p.Timeout))
	}
}

// QUIRKS SCIM-21: profile and override beat what the target says of itself.
func TestDiscoveryFillsInWhatNobodySaid(t *testing.T) {
	p := profile(t, map[string]any{"page_max": 7})
	p, err := p.Discovered("/ServiceProviderConfig", map[string]any{"page_max": 200, "bulk_max_ops": 1000})
	if err != nil {
		t.Fatal(err)
	}
	if p.PageMax != 7 || p.BulkMaxOps != 1000 {
		t.Errorf("got page_max %d, bulk_max_ops %d", p.PageMax, p.BulkMaxOps)
	}
	var lines []string
	for _, s := range p.Settings() {
		if s.Key == "page_max" || s.Key == "bulk_max_ops" || s.Key == "etag" {
			lines = append(lines, s.String())
		}
	}
	want := []string{"page_max = 7  # override", "bulk_max_ops = 1000  # discovered /ServiceProviderConfig", `etag = "auto"  # default`}
	if !slices.Equal(lines, want) {
		t.Errorf("got %q", lines)
	}
	if len(p.Settings()) != len(settable()) {
		t.Errorf("%d of %d settings are printed", len(p.Settings()), len(settable()))
	}
}

func TestTheOriginalProfileStaysAsItIs(t *testing.T) {
	p := profile(t, nil)
	before := reflect.ValueOf(*p).FieldByName("PagingRules").Interface()
	if _, err := p.With(map[string]any{"page_max": 7}); err != nil {
		t.Fatal(err)
	}
	if p.PagingRules != before || p.Origin("page_max").Kind != OriginDefault {
		t.Error("With changed its receiver")
	}
}

func TestAProfileWithFaultsNamesEachOfThem(t *testing.T) {
	path := file(t, "x.yaml", "name: x\nversion: 1\nverified: docs-only\nverified_on: 2026-11-22\npageing: cursor\npaging: cursors\ntimeout: soon\nrate:\n  - {class: user_write, n: 0, per: 1m}\n")
	_, err := LoadProfile(path)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`x.yaml:5: pageing: unknown key (did you mean "paging"?)`,
		`x.yaml:6: paging: cursors is none of auto, index, cursor, none (did you mean "cursor"?)`,
		`x.yaml:7: timeout: "soon" is not a duration such as 30s or 5m`,
		`x.yaml:9: rate.0.n: `,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
}

func TestProfilesThatCannotBe(t *testing.T) {
	head := "version: 1\nverified: docs-only\nverified_on: 2026-11-22\n"
	for name, tt := range map[string]struct{ text, want string }{
		"no YAML":          {"a: [", "did not find"},
		"no keys":          {"- a", "expected keys such as name:"},
		"key given twice":  {head + "name: x\nname: y\n", "already defined"},
		"no name":          {head, "name: is missing"},
		"name of the root": {head + "name: rfc7644\n", "choose another"},
		"no such parent":   {head + "name: x\nextends: slak\n", `did you mean "slack"?`},
		"its own parent":   {head + "name: x\nextends: it.yaml\n", "circle"},
	} {
		_, err := LoadProfile(file(t, "it.yaml", tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v; want %q", name, err, tt.want)
		}
	}
	if _, err := LoadProfile("./none.yaml"); err == nil {
		t.Error("a file that is not there was loaded")
	}
}

func TestOverridesThatCannotBe(t *testing.T) {
	_, err := profile(t, nil).With(map[string]any{"name": "x", "member_add_max": -1, "bulk": "yes"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"name: unknown key", "member_add_max: ", "bulk: yes is none of none, auto, supported"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
}

func TestTheReadmeListsEveryProfile(t *testing.T) {
	text, err := os.ReadFile("../../schemas/scim/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Profiles() {
		p, err := LoadProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`(?m)^\|[^|]*\b` + name + `\b[^|]*\|[^|]*\| ` + string(p.Verified) + ` \|$`).Match(text) {
			t.Errorf("no row with %s, %s", name, p.Verified)
		}
	}
}

// The profile in the README must load.
func TestTheReadmesProfileLoads(t *testing.T) {
	text, err := os.ReadFile("../../schemas/scim/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var yaml []string
	for line := range strings.Lines(string(text)) {
		if code, ok := strings.CutPrefix(line, "    "); ok || strings.TrimSpace(line) == "" && len(yaml) > 0 {
			yaml = append(yaml, strings.TrimRight(code, "\n"))
		}
	}
	p, err := LoadProfile(file(t, "acme.yaml", strings.Join(yaml, "\n")))
	if err != nil || p.PageMax != 50 || p.PatchStyle != PatchDotted || p.Origin("page_max").Source != "seen on our tenant" || len(p.StatusMap) != 1 {
		t.Errorf("got %v, %v", p, err)
	}
}

func TestEveryFileOfTheFolderIsAProfileOrTheSchema(t *testing.T) {
	entries, err := schemas.SCIM.ReadDir("scim")
	if err != nil || len(entries) != len(Profiles())+1 {
		t.Errorf("%d files, %d profiles, %v", len(entries), len(Profiles()), err)
	}
}
