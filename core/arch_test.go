// Package core_test holds the test of the walls between the rooms.
package core_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/provhub/provhub/"

// wall says what a folder may import of this module. The longest matching
// folder counts; tests are not held to it.
type wall struct {
	folder string
	may    []string // folders, each with everything below it
	why    string
}

var pure = []string{"core/identity", "wording", "connectors/connector"}

var walls = []wall{
	{"connectors/connector", nil, "the contract imports the standard library only, so that a connector builds without the hub"},
	{"connectors/connector/span", []string{"connectors/connector"}, "spans are told of by everybody, and know the codes of the contract alone"},
	{"connectors/connectortest", []string{"connectors/connector", "connectors/connectortest", "connectors/memory", "clients", "plugins", "core/pluginhost", "schemas", "wording"}, "the conformance kit runs a connector through the real process"},
	{"connectors", []string{"connectors/connector", "clients", "schemas", "wording"}, "connectors import neither the core nor each other"},
	{"connectors/sql", []string{"connectors/connector", "connectors/sql", "clients", "wording"}, "connectors import neither the core nor each other"},
	{"connectors/scim", []string{"connectors/connector", "connectors/scim", "clients", "schemas", "wording"}, "connectors import neither the core nor each other"},
	{"connectors/ldap", []string{"connectors/connector", "connectors/ldap", "clients", "schemas", "wording"}, "connectors import neither the core nor each other"},
	{"connectors/sftp", []string{"connectors/connector", "connectors/sftp", "clients", "schemas", "wording"}, "connectors import neither the core nor each other"},
	{"clients", []string{"connectors/connector", "clients", "schemas", "wording"}, "a client speaks one protocol, for connectors and sources alike"},
	{"plugins/protocol", []string{"connectors/connector", "schemas"}, "the wire knows the contract, nothing else"},
	{"plugins/redact", []string{"connectors/connector"}, "redaction serves both sides of the wire"},
	{"plugins/sdk", []string{"connectors/connector", "plugins/protocol", "plugins/redact", "schemas"}, "the SDK is used outside the hub"},
	{"plugins", []string{"connectors", "clients", "plugins", "schemas"}, "plugins know nothing of the core"},
	{"schemas", nil, "schemas are data"},
	{"wording", nil, "a helper of everybody imports nobody"},
	{"logtest", nil, "a helper of everybody imports nobody"},
	{"core/identity", []string{"connectors/connector"}, "the shared values stand at the bottom"},
	{"core/source", append(pure, "core/source", "clients"), "a reader knows people, not accounts"},
	{"core/mapping", append(pure, "core/source", "core/mapping"), "mapping is pure"},
	{"core/lifecycle", append(pure, "core/source"), "lifecycle is pure"},
	{"core/plan", append(pure, "core/mapping"), "planning is pure"},
	{"core/quality", pure, "judging a reading is pure"},
	{"core/schedule", nil, "a schedule knows times, not what runs"},
	{"core/store", append(pure, "core/plan", "core/mapping", "core/store", "schemas"), "the store keeps plans, it does not make them"},
	{"core/pluginhost", []string{"connectors/connector", "plugins/protocol", "plugins/redact", "schemas", "core/pluginhost", "wording"}, "the host knows processes, not accounts"},
	{"core/reconcile", append(pure, "core/plan"), "comparing reads the target and the ledger, and writes nothing"},
	{"core/config", append(pure, "core/reconcile", "clients", "core/source", "core/mapping", "core/lifecycle", "core/plan", "core/quality", "core/schedule", "core/store", "schemas"), "config describes the rooms it configures"},
	{"core/secret", append(pure, "core/config"), "secrets are where the config says"},
	{"core/tracing", []string{"connectors/connector", "core/config"}, "an exporter knows spans, not what they are about"},
	{"core/cycle", append(pure, "core/source", "core/mapping", "core/lifecycle", "core/plan", "core/quality", "core/store", "core/config"), "a cycle starts no process and sends nothing"},
	{"core/dispatch", append(pure, "core/plan", "core/store"), "dispatch sends what was planned; it knows a target as an interface"},
	{"core/helpdesk", append(pure, "core/plan", "core/store"), "helpdesk finds words for what the store holds"},
	{"core/jobs", []string{"core/schedule", "core/store"}, "jobs know when, not what"},
	{"core/hub", []string{"core", "clients", "connectors/connector", "plugins/protocol", "wording"}, "the hub assembles the core"},
	{"core/signin", []string{"connectors/connector", "core/store", "wording"}, "signing in knows people who look at the hub, not the hub"},
	{"core/web", []string{"core", "connectors/connector"}, "the pages show what the hub says"},
	{"core/daemon", []string{"core/hub", "core/jobs", "core/schedule", "core/store", "core/config", "core/dispatch", "core/plan", "wording"}, "a node does what the hub can, for good"},
	{"core/alert", []string{"connectors/connector", "core/config", "core/hub", "core/plan", "core/pluginhost", "core/secret", "core/store", "wording"}, "alerts judge what the hub says of itself"},
	{"core/metrics", []string{"connectors/connector", "core/hub", "core/plan", "core/pluginhost", "core/store"}, "metrics count what the hub says"},
	{"core/api", []string{"core/hub", "core/store", "connectors/connector"}, "the API says what the hub says"},
	{"cmd/provhub", []string{"core", "connectors/connector", "connectors/connectortest", "plugins/scaffold", "wording"}, "the program prints what the hub says"},
}

// pureRooms, and all that is below them, do no I/O, read no clock and use no randomness:
// the same inputs give the same plan (QUIRKS EXPR-3).
var pureRooms = []string{"core/identity", "core/mapping", "core/plan", "core/lifecycle", "core/quality", "core/schedule", "core/helpdesk"}

// impure are packages, and calls, that a pure room does without.
var impure = []string{"os", "net", "math/rand", "math/rand/v2", "crypto/rand", "database/sql", "time.Now", "time.Since", "time.Until"}

func TestArrowsNeverRunBackUp(t *testing.T) {
	files := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != ".." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "templates" || name == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		files++
		return checkFile(t, path)
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 100 {
		t.Fatalf("only %d files were looked at", files)
	}
}

func checkFile(t *testing.T, path string) error {
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	folder := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../")
	w := wallOf(folder)
	pure := slices.ContainsFunc(pureRooms, func(room string) bool { return folder == room || strings.HasPrefix(folder, room+"/") })
	if pure {
		checkCalls(t, path, f)
	}
	for _, spec := range f.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		if pure && slices.Contains(impure, imported) {
			t.Errorf("%s imports %s: %s is pure", path, imported, folder)
		}
		ours, ok := strings.CutPrefix(imported, module)
		if !ok || w == nil || ours == folder {
			continue
		}
		if !slices.ContainsFunc(w.may, func(may string) bool { return ours == may || strings.HasPrefix(ours, may+"/") }) {
			t.Errorf("%s imports %s: %s", path, ours, w.why)
		}
	}
	return nil
}

// checkCalls reports calls that read the clock.
func checkCalls(t *testing.T, path string, f *ast.File) {
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if pkg, ok := sel.X.(*ast.Ident); ok && slices.Contains(impure, pkg.Name+"."+sel.Sel.Name) {
			t.Errorf("%s uses %s.%s: a pure room takes now", path, pkg.Name, sel.Sel.Name)
		}
		return true
	})
}

// wallOf returns the wall with the longest folder around folder.
func wallOf(folder string) *wall {
	var best *wall
	for i := range walls {
		w := &walls[i]
		if (folder == w.folder || strings.HasPrefix(folder, w.folder+"/")) && (best == nil || len(w.folder) > len(best.folder)) {
			best = w
		}
	}
	return best
}
