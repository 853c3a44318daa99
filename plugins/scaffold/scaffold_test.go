package scaffold

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A new plugin of every kind compiles and passes the conformance suite before a
// line of it is changed.
func TestANewPluginConforms(t *testing.T) {
	for _, k := range Kinds() {
		t.Run(string(k.Kind), func(t *testing.T) {
			if testing.Short() {
				t.Skip("builds a plugin and runs its conformance suite: run without -short")
			}
			r := write(t, Options{Name: "acme-crm", Kind: k.Kind, Replace: "../.."})
			for _, args := range [][]string{{"vet", "./..."}, {"test", "-short", "-timeout", "5m", "./..."}} {
				cmd := exec.Command("go", args...)
				cmd.Dir = r.Dir
				cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOPROXY=off", "GOWORK=off")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
				}
			}
			if out, err := exec.Command("gofmt", "-l", r.Dir).CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("not as gofmt writes it: %s %v", out, err)
			}
		})
	}
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
	r := write(t, Options{Name: "acme", Kind: File})
	var got []string
	entries, err := os.ReadDir(r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		got = append(got, e.Name())
		if strings.Contains(read(t, r, e.Name()), "[[") {
			t.Errorf("%s is not filled in", e.Name())
		}
	}
	if !slices.Equal(got, r.Files) {
		t.Errorf("wrote %v, told %v", got, r.Files)
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
		`"Acme" cannot be the name`:             {Name: "Acme"},
		`"a" cannot be the name`:                {Name: "a"},
		`"../x" cannot be the name`:             {Name: "../x"},
		`no kind "ldap"; use one of http, file`: {Name: "acme", Kind: "ldap"},
		"needs no plugin of its own":            {Name: "acme", Kind: "sql"},
		"is not a checkout of provhub":          {Name: "acme", Replace: t.TempDir()},
	} {
		o.Dir = filepath.Join(t.TempDir(), "new")
		if _, err := Write(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %q", err, want)
		}
	}
}
