package memory

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provhub/provhub/connectors/connector"
)

// readmeConfig is the config that README.md shows.
func readmeConfig(t *testing.T, readme string) Config {
	t.Helper()
	block := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(readme)
	if block == nil {
		t.Fatal("README.md shows no config")
	}
	if fs := Definition.Validate([]byte(block[1])); len(fs) > 0 {
		t.Fatal(fs)
	}
	var c Config
	if err := json.Unmarshal([]byte(block[1]), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestReadmeNamesEveryKeyAndEveryFault(t *testing.T) {
	readme := readFile(t, "README.md")
	for _, typ := range []reflect.Type{reflect.TypeFor[Config](), reflect.TypeFor[Fault]()} {
		for i := range typ.NumField() {
			key, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if !strings.Contains(readme, "`"+key+"`") {
				t.Errorf("the key %s is not in README.md", key)
			}
		}
	}
	for _, m := range modes {
		if !strings.Contains(readme, "`"+string(m)+"`") {
			t.Errorf("the fault %s is not in README.md", m)
		}
	}
	for _, call := range callNames {
		if !strings.Contains(readme, "`"+call+"`") {
			t.Errorf("the call %s is not in README.md", call)
		}
	}
}

// The config of README.md does what it says, crash excepted: that would end the test.
func TestReadme(t *testing.T) {
	c := readmeConfig(t, readFile(t, "README.md"))
	dir := t.TempDir()
	c.Journal, c.Control = filepath.Join(dir, c.Journal), filepath.Join(dir, c.Control)
	c.Faults = slices.DeleteFunc(c.Faults, func(f Fault) bool { return f.Do == CrashDone })
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	open := func(token string) *Target {
		got, err := Definition.Open(t.Context(), raw, connector.Instance{ID: "readme", Secrets: map[string]connector.Secret{"token": connector.NewSecret(token)}})
		if err != nil {
			t.Fatal(err)
		}
		return got.(*Target)
	}
	tg := target{Target: open("test"), t: t}
	create := func(key, name string) string {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := tg.Create(ctx, connector.Create{Call: connector.Call{ID: key, Key: key, Attempt: 1}, Type: typeUser, Attributes: user(name)})
		return answer(err)
	}
	got := []string{
		create("1", "jane@example.org"), // refused by name
		create("2", "ann"),              // the second create of all: the target is down
		create("2", "ann"),              // and a second time for this operation
		create("2", "ann"),
	}
	if d := cmp.Diff([]string{"ALREADY_EXISTS", "UNAVAILABLE", "UNAVAILABLE", "applied"}, got); d != "" {
		t.Errorf("answers (-want +got):\n%s", d)
	}

	if err := os.WriteFile(c.Control, []byte(`{"faults": [{"do": "fail", "calls": ["create"], "code": "QUOTA", "key": "bob"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	create("3", "bob") // down
	create("3", "bob") // down
	if got := create("3", "bob"); got != "QUOTA" {
		t.Errorf("with the control file: %s, want QUOTA", got)
	}
	if !strings.Contains(readFile(t, c.Journal), "ann") {
		t.Error("the journal has not recorded what took effect")
	}
	tg.Target = open("wrong")
	create("4", "cyd") // down
	create("4", "cyd") // down
	if got := create("4", "cyd"); got != "AUTHENTICATION" {
		t.Errorf("with another token: %s, want AUTHENTICATION", got)
	}
}

func TestAFileOfOnceIsInTheInstancesFolder(t *testing.T) {
	dir := t.TempDir()
	raw := []byte(`{"faults": [{"do": "fail", "once": "happened"}]}`)
	got, err := Definition.Open(t.Context(), raw, connector.Instance{ID: "once", DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Check(t.Context()); err == nil {
		t.Error("the fault did not happen")
	}
	readFile(t, filepath.Join(dir, "happened"))
	if err := got.Check(t.Context()); err != nil {
		t.Errorf("it happened again: %v", err)
	}
}
