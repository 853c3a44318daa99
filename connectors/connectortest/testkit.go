package connectortest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/provhub/provhub/connectors/connector"
)

// testkit is what testkit.yaml says of a target, for those who do not test from
// Go. Paths of files are relative to it.
//
//	fake:              http            # a built-in stand-in for the target
//	config:            {base_url: "${fake.url}", page_size: 7}
//	secrets:           {token: {value: "${fake.token}"}}
//	wrong_secrets:     {token: {value: nonsense}}
//	other:             {base_url: "${other.url}"}   # a second fake
//	values:            {user.country: [DE, FR], mail: ["kit-%d@example.com"]}
//	faults:            {hang: {base_url: "http://127.0.0.1:8081"}}
//	share:             0.1             # of the operations of the heavy checks, for slow targets
//	skip:              {E12: "the API has no password policy"}
//
// Texts may also name ${kit.folder}, where the file lies, and ${kit.temporary}, a
// folder that is made for the test.
//
// With a fake, config and secrets may be left out where they are those of
// provhub's own connector for such targets.
type testkit struct {
	Fake         *fakeOptions              `yaml:"fake"`
	Config       map[string]any            `yaml:"config"`
	Secrets      map[string]testSecret     `yaml:"secrets"`
	WrongSecrets map[string]testSecret     `yaml:"wrong_secrets"`
	NewSecrets   map[string]testSecret     `yaml:"new_secrets"`
	Types        []string                  `yaml:"types"`
	Values       map[string][]any          `yaml:"values"`
	Settle       time.Duration             `yaml:"settle"`
	Durable      bool                      `yaml:"durable"`
	Faults       map[string]map[string]any `yaml:"faults"`
	Delay        time.Duration             `yaml:"delay"`
	Share        float64                   `yaml:"share"`
	Other        map[string]any            `yaml:"other"`
	WeakPassword string                    `yaml:"weak_password"`
	OlderConfigs map[int]map[string]any    `yaml:"older_configs"`
	LastRelease  string                    `yaml:"last_release"` // file with a DescribeResponse
	Skip         map[string]string         `yaml:"skip"`
}

// testSecret says where a secret comes from: one of its fields.
type testSecret struct {
	Env   string `yaml:"env"`
	File  string `yaml:"file"`
	Value string `yaml:"value"`
}

// LoadTarget reads what the file at path (testkit.yaml) says of the target of
// the plugin at binary, and starts the fakes that it names, which end ends. path
// "" is a target that needs no config.
func LoadTarget(path, binary string) (t Target, end func(), err error) {
	if path == "" {
		return Target{Binary: binary}, func() {}, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return Target{}, func() {}, err
	}
	var k testkit
	dec := yaml.NewDecoder(strings.NewReader(string(b)))
	dec.KnownFields(true)
	if err := dec.Decode(&k); err != nil {
		return Target{}, func() {}, fmt.Errorf("%s: %w", path, err)
	}
	l := &loader{dir: filepath.Dir(path), words: map[string]string{}}
	if err = l.folders(); err == nil {
		t, err = l.target(k)
	}
	if err != nil {
		l.end()
		return Target{}, func() {}, fmt.Errorf("%s: %w", path, err)
	}
	t.Binary = binary
	return t, l.end, nil
}

// loader turns what testkit.yaml says into a target.
type loader struct {
	dir   string
	words map[string]string
	ends  []func()
}

func (l *loader) end() {
	for _, end := range l.ends {
		end()
	}
}

// folders names the folders that texts may refer to.
func (l *loader) folders() error {
	dir, err := filepath.Abs(l.dir)
	if err != nil {
		return err
	}
	temporary, err := os.MkdirTemp("", "provhub-testkit-")
	if err != nil {
		return err
	}
	l.ends = append(l.ends, func() { _ = os.RemoveAll(temporary) })
	l.words["kit.folder"], l.words["kit.temporary"] = dir, temporary
	return nil
}

func (l *loader) target(k testkit) (t Target, err error) {
	t = Target{Types: k.Types, Values: k.Values, Settle: k.Settle, Durable: k.Durable, Delay: k.Delay, Share: k.Share, WeakPassword: k.WeakPassword, Skip: k.Skip,
		Faults: map[Fault]json.RawMessage{}, OlderConfigs: map[int]json.RawMessage{}}
	if k.Fake != nil {
		if err := l.fakes(&k, &t); err != nil {
			return t, err
		}
	}
	if t.Config, err = l.config(k.Config); err != nil {
		return t, err
	}
	if k.Other != nil {
		if t.Other, err = l.config(k.Other); err != nil {
			return t, err
		}
	}
	for name, config := range k.Faults {
		if !slices.Contains(allFaults, Fault(name)) {
			return t, fmt.Errorf("faults: %q is not a fault; known are %s", name, strings.Join(words(allFaults), ", "))
		}
		if t.Faults[Fault(name)], err = l.config(config); err != nil {
			return t, err
		}
	}
	for version, config := range k.OlderConfigs {
		if t.OlderConfigs[version], err = l.config(config); err != nil {
			return t, err
		}
	}
	for _, s := range []struct {
		from map[string]testSecret
		to   *map[string]connector.Secret
	}{{k.Secrets, &t.Secrets}, {k.WrongSecrets, &t.WrongSecrets}, {k.NewSecrets, &t.NewSecrets}} {
		if *s.to, err = l.secrets(s.from); err != nil {
			return t, err
		}
	}
	if k.LastRelease != "" {
		t.LastRelease, err = os.ReadFile(filepath.Join(l.dir, k.LastRelease))
	}
	return t, err
}

// fakes starts the target's stand-in and a second one that shares nothing with
// it, and fills in what the file leaves out.
func (l *loader) fakes(k *testkit, t *Target) error {
	running := map[string]*standIn{}
	for _, who := range []string{"fake", "other"} {
		s, err := newStandIn(*k.Fake, l.dir, running["fake"])
		if err != nil {
			return err
		}
		l.ends = append(l.ends, s.close)
		for name, value := range s.words {
			l.words[who+"."+name] = value
		}
		running[who] = s
	}
	s := running["fake"]
	if k.Config == nil {
		k.Config, k.Other = s.config, running["other"].config
	}
	t.Oracle, t.Durable = s.oracle, true
	for _, d := range []struct {
		of   *map[string]testSecret
		from map[string]string
	}{{&k.Secrets, s.secrets}, {&k.WrongSecrets, s.wrongs}, {&k.NewSecrets, s.newSecrets}} {
		if *d.of != nil {
			continue
		}
		for name, value := range d.from {
			if *d.of == nil {
				*d.of = map[string]testSecret{}
			}
			(*d.of)[name] = testSecret{Value: value}
		}
	}
	return nil
}

// config writes a config as JSON; nil is an empty one.
func (l *loader) config(m map[string]any) (json.RawMessage, error) {
	if m == nil {
		m = map[string]any{}
	}
	v, err := expand(m, l.words)
	if err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

func (l *loader) secrets(from map[string]testSecret) (map[string]connector.Secret, error) {
	if from == nil {
		return nil, nil
	}
	out := map[string]connector.Secret{}
	for name, s := range from {
		value, err := l.secret(s)
		if err != nil {
			return nil, fmt.Errorf("secret %s: %w", name, err)
		}
		out[name] = connector.NewSecret(value)
	}
	return out, nil
}

func (l *loader) secret(s testSecret) (string, error) {
	switch {
	case s.Env != "":
		v, ok := os.LookupEnv(s.Env)
		if !ok {
			return "", fmt.Errorf("the environment variable %s is not set", s.Env)
		}
		return v, nil
	case s.File != "":
		if !filepath.IsAbs(s.File) {
			s.File = filepath.Join(l.dir, s.File)
		}
		b, err := os.ReadFile(s.File)
		return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), err
	}
	return expandText(s.Value, l.words)
}

var allFaults = []Fault{LostReply, Hang, Slow, Reset, RateLimited, Busy, Down, Truncated, Panics, ExpiredToken}
