package config_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/schemas"
)

const minimal = `
sources:
  - name: hr
    type: csv
    path: hr.csv
    anchor: id
    columns: [{name: id}, {name: mail}]
connectors:
  - name: crm
    plugin: sql
    attributes:
      - {to: userName, from: person.mail}
`

func parse(t *testing.T, text string) (*config.Config, config.Faults) {
	t.Helper()
	cfg, err := config.Parse("dir/provhub.yaml", []byte(text), config.Settings{})
	var faults config.Faults
	if err != nil && !errors.As(err, &faults) {
		t.Fatalf("Parse: %v", err)
	}
	return cfg, faults
}

func TestTheExampleIsValidAndShowsEveryKey(t *testing.T) {
	path := filepath.Join("..", "..", "config.example.yaml")
	if _, err := config.Load(path, config.Settings{}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var schema any
	if err := json.Unmarshal(schemas.Config, &schema); err != nil {
		t.Fatal(err)
	}
	for _, key := range properties(schema) {
		if !strings.Contains(string(text), key+":") {
			t.Errorf("config.example.yaml does not show %s", key)
		}
	}
}

// properties collects the names of all properties of a JSON Schema.
func properties(v any) []string {
	var names []string
	switch x := v.(type) {
	case map[string]any:
		if props, ok := x["properties"].(map[string]any); ok {
			for name := range props {
				names = append(names, name)
			}
		}
		for _, sub := range x {
			names = append(names, properties(sub)...)
		}
	case []any:
		for _, sub := range x {
			names = append(names, properties(sub)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func TestDefaults(t *testing.T) {
	cfg, faults := parse(t, minimal)
	if faults != nil {
		t.Fatal(faults)
	}
	dir, _ := filepath.Abs("dir")
	if want := "sqlite:" + filepath.Join(dir, "provhub.db"); cfg.State.URL != want {
		t.Errorf("state is %s, want %s", cfg.State.URL, want)
	}
	if got, want := cfg.Sources[0].CSV.Path, filepath.Join(dir, "hr.csv"); got != want {
		t.Errorf("a relative path begins at %s, want %s", got, want)
	}
	c := cfg.Connectors[0]
	if c.Policy.OnLeave != plan.ReactDisable || !c.Policy.RevokeOnLeave || c.Policy.OnMatch != "" {
		t.Errorf("policy is %+v", c.Policy)
	}
	if got := c.Guards.Run[plan.Guarded(plan.Disable)]; got != (plan.Limit{Percent: 5}) {
		t.Errorf("the default guard of disable is %+v", got)
	}
	if got := c.Guards.Day[plan.Guarded(plan.Disable)]; got.Percent != 10 {
		t.Errorf("the default guard of a day is %+v", got)
	}
	if want := (config.Retry{Attempts: 8, First: 2 * time.Second, Max: time.Hour, Timeout: 30 * time.Second}); c.Retry != want {
		t.Errorf("retry is %+v, want %+v", c.Retry, want)
	}
	if !c.FedBy(cfg.Sources[0].Name) {
		t.Error("the only source does not feed the connector")
	}
	if r := c.RulesFor(identity.Person); r == nil || r.Attributes[0].From.Place != "provhub.yaml:12" {
		t.Errorf("rules are %+v", r)
	}
}

func TestPluginConfigKeepsTheCaseOfItsKeys(t *testing.T) {
	cfg, faults := parse(t, strings.Replace(minimal, "plugin: sql", "plugin: sql\n    config: {userTable: Users, Map: {givenName: firstName}}", 1))
	if faults != nil {
		t.Fatal(faults)
	}
	if got, want := string(cfg.Connectors[0].Config), `{"Map":{"givenName":"firstName"},"userTable":"Users"}`; got != want {
		t.Errorf("config is %s, want %s", got, want)
	}
}

func TestAllFaultsAreListedAtOnceWithTheirLines(t *testing.T) {
	_, faults := parse(t, `
org: acme
sorces: []
sources:
  - name: hr
    type: csv
    path: hr.csv
    anchor: employe_id
    zone: Europe/Berln
    columns: [{name: employee_id}, {name: mail}]
connectors:
  - name: crm
    plugin: sql
    sources: [hrr]
    secrets: {dsn: crm_dsn}
    attributes:
      - {to: userName, from: person.mail, aply: create}
  - name: crm
    plugin: sql
    delete_after: 90 days
    guards: {disable: {max: "20"}}
    attributes:
      - {to: userName, form: person.mail}
`)
	got := make([]string, len(faults))
	for i, f := range faults {
		got[i] = f.String()
	}
	want := []string{
		`dir/provhub.yaml:8: sources[0].anchor: there is no column "employe_id" (did you mean "employee_id"?)`,
		`dir/provhub.yaml:9: sources[0].zone: "Europe/Berln" is no IANA time zone such as Europe/Berlin`,
		`dir/provhub.yaml:14: connectors[0].sources[0]: there is no source "hrr" (did you mean "hr"?)`,
		`dir/provhub.yaml:15: connectors[0].secrets.dsn: there is no secret "crm_dsn"`,
		`dir/provhub.yaml:18: connectors[1].name: "crm" is the name of another entry of connectors, in line 12`,
		`dir/provhub.yaml:3: sorces: unknown key (did you mean "sources"?)`,
		`dir/provhub.yaml:17: connectors[0].attributes[0].aply: unknown key (did you mean "apply"?)`,
		`dir/provhub.yaml:20: connectors[1].delete_after: "90 days" is not of the expected form: a duration such as 30s, 5m, 12h or 90d`,
		`dir/provhub.yaml:21: connectors[1].guards.disable.max: expected integer, found string`,
		`dir/provhub.yaml:23: connectors[1].attributes[0].form: unknown key (did you mean "from"?)`,
		`dir/provhub.yaml:23: connectors[1].attributes[0].from: is missing`,
	}
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestNamesThatPointNowhereAreFaults(t *testing.T) {
	_, faults := parse(t, `
sources:
  - name: hr
    type: csv
    path: hr.csv
    anchor: employe_id
    zone: Europe/Berln
    columns: [{name: employee_id}, {name: mail}, {name: mail}]
    lifecycle: {status: mial}
secrets:
  - {name: crm_dsn, env: A, file: b}
connectors:
  - name: crm
    plugin: sql
    sources: [hrr]
    secrets: {dsn: crm_dns}
    attributes:
      - {to: userName, from: person.mail}
      - {to: userName, from: person.mail}
  - name: crm
    plugin: sql
    attributes: [{to: a, from: person.mail}]
`)
	for _, want := range []string{
		`:6: sources[0].anchor: there is no column "employe_id" (did you mean "employee_id"?)`,
		`:7: sources[0].zone: "Europe/Berln" is no IANA time zone`,
		`:8: sources[0].columns[2].name: "mail" is a column already`,
		`:9: sources[0].lifecycle.status: there is no column "mial" (did you mean "mail"?)`,
		`:11: secrets[0]: give exactly one of env and file`,
		`:15: connectors[0].sources[0]: there is no source "hrr" (did you mean "hr"?)`,
		`:16: connectors[0].secrets.dsn: there is no secret "crm_dns" (did you mean "crm_dsn"?)`,
		`:19: connectors[0].attributes[1].to: "userName" has a rule already, in line 18`,
		`:20: connectors[1].name: "crm" is the name of another entry of connectors, in line 13`,
	} {
		if !strings.Contains(faults.Error(), want) {
			t.Errorf("no fault %q in\n%v", want, faults)
		}
	}
}

func TestBadYAMLNamesTheLine(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"syntax", "sources:\n  - name: [hr\n", "provhub.yaml:"},
		{"a key given twice", "org: a\norg: b\n", "provhub.yaml:2: org: given twice, first in line 1"},
		{"an empty file", "", "the file is empty"},
		{"not a mapping", "- a\n", "expected keys such as"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, faults := parse(t, tc.text)
			if !strings.Contains(faults.Error(), tc.want) {
				t.Errorf("got %q, want %q in it", faults.Error(), tc.want)
			}
		})
	}
}

func TestAMissingFileSaysWhatToDo(t *testing.T) {
	_, err := config.Load(filepath.Join(t.TempDir(), "provhub.yaml"), config.Settings{})
	if err == nil || !strings.Contains(err.Error(), "provhub init") {
		t.Errorf("got %v", err)
	}
}

func TestFlagsWinOverEnvironmentOverFile(t *testing.T) {
	t.Setenv("PROVHUB_STATE_URL", "sqlite:/env.db")
	t.Setenv("PROVHUB_LOG_LEVEL", "debug")
	f := pflag.NewFlagSet("t", pflag.ContinueOnError)
	config.AddFlags(f)
	if err := f.Parse([]string{"--log-level", "warn"}); err != nil {
		t.Fatal(err)
	}
	s, err := config.ReadSettings(f)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse("provhub.yaml", []byte("state: {url: \"sqlite:file.db\"}\n"+minimal), s)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.State.URL != "sqlite:/env.db" || cfg.Log.Level != "warn" || s.ConfigPath != "provhub.yaml" {
		t.Errorf("got %+v %+v %q", cfg.State, cfg.Log, s.ConfigPath)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("sources: {x: 1}\nconnectors: [[]]\n1: 2\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := config.Parse("provhub.yaml", data, config.Settings{})
		if (cfg == nil) == (err == nil) {
			t.Fatalf("config %v, error %v", cfg, err)
		}
	})
}

func TestSourcesOfAConnector(t *testing.T) {
	const head = "sources:\n  - {name: hr, type: csv, path: a.csv, anchor: id, columns: [{name: id}]}\n  - {name: acme, type: csv, path: b.csv, anchor: id, columns: [{name: id}]}\nconnectors:\n"
	for _, tt := range []struct{ name, sources, want string }{
		{"several", "sources: [hr, acme]", ""},
		{"none", "", `connectors[0].sources: is missing: there are several sources, say which ones feed crm, such as sources: [hr]`},
		{"a name in place of a list", "source: hr", `connectors[0].source: unknown key: it is a list, also of one: write sources: [hr]`},
		{"twice", "sources: [hr, hr]", `connectors[0].sources[1]: "hr" is in the list already`},
		{"unknown", "sources: [hr, acmee]", `connectors[0].sources[1]: there is no source "acmee" (did you mean "acme"?)`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "provhub.yaml")
			text := head + "  - name: crm\n    plugin: memory\n    attributes: [{to: userName, from: person.id}]\n"
			if tt.sources != "" {
				text += "    " + tt.sources + "\n"
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, err := config.Load(path, config.Settings{})
			switch {
			case tt.want == "" && err != nil:
				t.Fatal(err)
			case tt.want == "":
				if c := &cfg.Connectors[0]; !c.FedBy("hr") || !c.FedBy("acme") || c.FedBy("x") {
					t.Errorf("it is fed by %v", c.Sources)
				}
			case err == nil || !strings.Contains(err.Error(), tt.want):
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
