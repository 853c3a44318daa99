package scaffold

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/provhub/provhub/connectors/connectortest"
)

// A new plugin of every kind compiles and passes the conformance suite before a
// line of it is changed: by its own tests, and from outside with its testkit.yaml.
func TestANewPluginConforms(t *testing.T) {
	for _, k := range Kinds() {
		t.Run(string(k.Kind), func(t *testing.T) {
			if testing.Short() {
				t.Skip("builds a plugin and runs its conformance suite: run without -short")
			}
			r := write(t, Options{Name: "acme-crm", Kind: k.Kind, Replace: "../.."})
			for _, args := range [][]string{{"vet", "./..."}, {"test", "-short", "-timeout", "10m", "./..."}, {"build", "."}} {
				command(t, r.Dir, "go", args...)
			}
			if out := command(t, r.Dir, "gofmt", "-l", "."); out != "" {
				t.Errorf("not as gofmt writes it: %s", out)
			}
			target, end, err := connectortest.LoadTarget(filepath.Join(r.Dir, "testkit.yaml"), filepath.Join(r.Dir, "provhub-connector-acme-crm"))
			if err != nil {
				t.Fatal(err)
			}
			defer end()
			report, err := connectortest.Suite(t.Context(), target, connectortest.Options{Quick: true, Only: fromOutside})
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range report.Outcomes {
				if o.Status == connectortest.Failed {
					t.Errorf("%s %s: %s", o.ID, o.Title, o.Reason)
				}
			}
		})
	}
}

// fromOutside are checks that depend on what testkit.yaml says.
var fromOutside = []string{"B2", "B5", "C1", "C4", "C5", "E1", "E12", "G1", "G2", "I1"}

// command runs a program and returns what it says.
func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOPROXY=off", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func write(t *testing.T, o Options) Result {
	t.Helper()
	o.Dir = filepath.Join(t.TempDir(), "provhub-connector-"+o.Name)
	r, err := Write(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAReleaseIsRequiredByItsVersion(t *testing.T) {
	r := write(t, Options{Name: "acme", Version: "v1.2.0", Module: "corp.example/acme"})
	want := "module corp.example/acme\n\ngo 1.26.0\n\nrequire github.com/provhub/provhub v1.2.0\n"
	if got := read(t, r, "go.mod"); got != want {
		t.Errorf("got %q; want %q", got, want)
	}
	if slices.Contains(r.Files, "go.sum") {
		t.Error("there are sums of a release that nobody downloaded")
	}
	if !strings.Contains(read(t, r, "README.md"), "go mod tidy") {
		t.Error("the README does not say what comes first")
	}
}

func read(t *testing.T, r Result, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(r.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWhatIsWrittenIsWhatIsTold(t *testing.T) {
	for _, k := range Kinds() {
		r := write(t, Options{Name: "acme", Kind: k.Kind})
		var got []string
		err := filepath.WalkDir(r.Dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name, err := filepath.Rel(r.Dir, path)
			got = append(got, filepath.ToSlash(name))
			content := read(t, r, name)
			if strings.Contains(content, "[[") {
				t.Errorf("%s: %s is not filled in", k.Kind, name)
			}
			info, statErr := d.Info()
			if runs := strings.HasPrefix(content, "#!"); statErr == nil && runs != (info.Mode()&0o100 != 0) {
				t.Errorf("%s: the mode of %s is %v", k.Kind, name, info.Mode())
			}
			return errors.Join(err, statErr)
		})
		if err != nil {
			t.Fatal(err)
		}
		if slices.Sort(got); !slices.Equal(got, r.Files) {
			t.Errorf("%s: wrote %v, told %v", k.Kind, got, r.Files)
		}
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Write(Options{Name: "acme", Dir: dir})
	b, _ := os.ReadFile(filepath.Join(dir, "main.go"))
	if err == nil || !strings.Contains(err.Error(), "not empty") || string(b) != "mine" {
		t.Errorf("got %v; main.go: %s", err, b)
	}
}

func TestOptionsThatCannotWorkAreExplained(t *testing.T) {
	for want, o := range map[string]Options{
		`"Acme" cannot be the name`:                                {Name: "Acme"},
		`"a" cannot be the name`:                                   {Name: "a"},
		`"../x" cannot be the name`:                                {Name: "../x"},
		`no kind "scim"; use one of http, ldap, sql, file, script`: {Name: "acme", Kind: "scim"},
		"is not a checkout of provhub":                             {Name: "acme", Replace: t.TempDir()},
	} {
		o.Dir = filepath.Join(t.TempDir(), "new")
		if _, err := Write(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %q", err, want)
		}
	}
}
