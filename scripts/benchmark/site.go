package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"github.com/provhub/provhub/core/config"
)

// site is one hub with its config, its state, its source and its targets, in a
// folder of its own.
type site struct {
	b   *bench
	dir string
	env []string
	setting
}

// setting says what a site is like.
type setting struct {
	State      string // URL; "": a SQLite file in the site's folder
	Plugin     string // type
	Config     string // of the plugin, YAML in one line
	SecretName string // the plugin's only secret, or the source's; "": none
	Secret     string
	Source     string // YAML of a source, indented by four; "": hr.csv
	Match      string // attribute by which accounts are found; "": the default
	Grant      string // what everybody is given; "": nothing
	Dialect    string // of the target, for sql
	DSN        string // of the target, for sql
	Scope      string
	More       string // YAML of each connector, in one line; "": nothing more
	Every      string // how often the source is read by nodes that serve, such as 30s; "": nobody serves
	Connectors []string
	Attributes []attribute
	Bin        string
}

// attribute is one rule.
type attribute struct{ To, From string }

// inTable is what a row of app_user gets, inMemory what a user of the memory
// connector gets.
var (
	inTable = []attribute{{"login", "person.email"}, {"email", "person.email"}, {"given_name", "person.given"}, {"family_name", "person.family"},
		{"employee_no", "person.employee_id"}, {"title", "person.title"}}
	inMemory = []attribute{{"userName", "person.email"}, {"externalId", "person.employee_id"}, {"displayName", `'person.given + " " + person.family'`},
		{"givenName", "person.given"}, {"familyName", "person.family"}, {"mail", "lower(person.email)"}, {"title", "person.title"},
		{"department", "person.department"}}
)

//go:embed site.yaml
var siteConfig string

// newSite makes a site with the plugins it needs pinned.
func (b *bench) newSite(ctx context.Context, s setting) (*site, error) {
	dir, err := os.MkdirTemp(b.dir, "site-")
	if err != nil {
		return nil, err
	}
	s.Bin, s.State = b.bin, cmp.Or(s.State, "sqlite:"+filepath.Join(dir, "provhub.db"))
	if s.Connectors == nil {
		s.Connectors = []string{"app"}
	}
	t := &site{b: b, dir: dir, setting: s, env: []string{"PROVHUB_BENCH_SECRET=" + s.Secret, "PROVHUB_BENCH_PUSH=" + pushToken}}
	if err := t.configure(); err != nil {
		return nil, err
	}
	_, _, err = t.provhub(ctx, "plugin", "pin", s.Plugin)
	return t, err
}

// configure writes the config file.
func (s *site) configure() error {
	var text bytes.Buffer
	if err := template.Must(template.New("site").Parse(siteConfig)).Execute(&text, s.setting); err != nil {
		return err
	}
	return os.WriteFile(s.path("provhub.yaml"), text.Bytes(), 0o600)
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

// source replaces the source.
func (s *site) source(p people) error {
	if err := p.write(s.path("next.csv")); err != nil {
		return err
	}
	return put(s.path("next.csv"), s.path("hr.csv"))
}

// provhub runs the program on the site as a process.
func (s *site) provhub(ctx context.Context, args ...string) (usage, []byte, error) {
	return run(ctx, s.dir, s.env, filepath.Join(s.b.bin, "provhub"), args...)
}

// newestPlan returns the hash of the plan made last.
func (s *site) newestPlan(ctx context.Context) (string, error) {
	_, out, err := s.provhub(ctx, "plan", "list", "--limit", "1", "--output", "json")
	if err != nil {
		return "", err
	}
	var plans []struct{ Hash string }
	if err := json.Unmarshal(out, &plans); err != nil || len(plans) != 1 {
		return "", fmt.Errorf("`provhub plan list` gives no plan: %w\n%s", err, tail(out))
	}
	return plans[0].Hash, nil
}

// load reads the config as provhub does.
func (s *site) load() (*config.Config, error) {
	return config.Load(s.path("provhub.yaml"), config.Settings{})
}

func (s *site) remove() { s.b.remove(s.dir) }
