package config

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/wording"
)

// builder turns the raw file into a [Config] and reports what no schema can find.
type builder struct {
	*document
	dir string // absolute folder of the file
}

func (b *builder) config(raw *rawConfig, s Settings) *Config {
	cfg := &Config{
		Path: b.file,
		Org:  cmp.Or(s.Org, raw.Org, "default"),
		Log:  Log{Level: cmp.Or(s.LogLevel, raw.Log.Level, "info"), Format: cmp.Or(s.LogFormat, raw.Log.Format, "text")},
		Plugins: Plugins{
			Dir:  b.path(cmp.Or(s.PluginDir, raw.Plugins.Dir)),
			Lock: b.path(cmp.Or(raw.Plugins.Lock, "plugins.lock")),
			Data: b.path(cmp.Or(raw.Plugins.Data, "plugins.data")),
		},
	}
	cfg.State.URL = b.stateURL(cmp.Or(s.StateURL, raw.State.URL.value, "sqlite:provhub.db"))
	if len(raw.Plugins.Dev) > 0 {
		cfg.Plugins.DevOverrides = map[string]string{}
		for typ, path := range raw.Plugins.Dev {
			cfg.Plugins.DevOverrides[typ] = b.path(path)
		}
	}
	b.secrets(cfg, raw)
	cfg.Retention = b.retention(&raw.Retention)
	cfg.Serve = b.serve(cfg, &raw.Serve, s.Listen)
	cfg.Web = b.web(cfg, raw.Web)
	cfg.Alerts = b.alerts(cfg, raw.Alerts)
	cfg.Tracing = b.tracing(cfg, &raw.Tracing)
	b.sources(cfg, raw)
	b.connectors(cfg, raw)
	return cfg
}

// path makes a path of the file absolute; "" stays "".
func (b *builder) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(b.dir, p)
}

func (b *builder) stateURL(url string) string {
	if file, ok := strings.CutPrefix(url, "sqlite:"); ok {
		return "sqlite:" + b.path(file)
	}
	return url
}

func (b *builder) secrets(cfg *Config, raw *rawConfig) {
	names := b.unique("secrets")
	for i, s := range raw.Secrets {
		path := fmt.Sprintf("secrets[%d]", i)
		names(s.Name, path)
		if (s.Env == "") == (s.File == "") {
			b.add(s.Name.line, path, "give exactly one of env and file")
		}
		cfg.Secrets = append(cfg.Secrets, Secret{Name: s.Name.value, Env: s.Env, File: b.path(s.File)})
	}
}

// unique returns a check that a list has no two entries of one name.
func (b *builder) unique(list string) func(name text, path string) {
	seen := map[string]int{}
	return func(name text, path string) {
		if first, ok := seen[name.value]; ok {
			b.add(name.line, path+".name", "%q is the name of another entry of %s, in line %d", name.value, list, first)
			return
		}
		seen[name.value] = name.line
	}
}

// known reports a name that none of the given ones is; "" is fine.
func (b *builder) known(t text, path, what string, names []string) {
	if t.value == "" {
		return
	}
	for _, n := range names {
		if n == t.value {
			return
		}
	}
	b.add(t.line, path, "there is no %s %q%s", what, t.value, wording.DidYouMean(t.value, names))
}

// duration reads 30s, 5m, 12h or 90d; the schema has checked the form.
func (b *builder) duration(t text, path string) time.Duration {
	if t.value == "" {
		return 0
	}
	if days, ok := strings.CutSuffix(t.value, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n > 36500 {
			b.add(t.line, path, "%q is too long", t.value)
		}
		return time.Duration(n) * 24 * time.Hour
	}
	v, err := time.ParseDuration(t.value)
	if err != nil {
		b.add(t.line, path, "%q is not a duration such as 30s, 5m, 12h or 90d", t.value)
	}
	return v
}

func (l rawLimit) limit() plan.Limit {
	return plan.Limit{Max: l.Max, Percent: l.Percent, MinPopulation: l.MinPopulation}
}
