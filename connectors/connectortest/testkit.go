package connectortest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/provhub/provhub/connectors/connector"
)

// testkit is what testkit.yaml says of a target, for those who do not test from
// Go. Paths of files are relative to it.
//
//	config:            {base_url: "http://127.0.0.1:8080"}
//	secrets:           {token: {env: ACME_TOKEN}}
//	wrong_secrets:     {token: {value: nonsense}}
//	values:            {user.country: [DE, FR], mail: ["kit-%d@example.com"]}
//	faults:            {hang: {base_url: "http://127.0.0.1:8081"}}
//	skip:              {E12: "the sandbox has no password policy"}
type testkit struct {
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
	Other        map[string]any            `yaml:"other"`
	WeakPassword string                    `yaml:"weak_password"`
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
// the plugin at binary. path "" is a target that needs no config.
func LoadTarget(path, binary string) (Target, error) {
	if path == "" {
		return Target{Binary: binary}, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return Target{}, err
	}
	var k testkit
	dec := yaml.NewDecoder(strings.NewReader(string(b)))
	dec.KnownFields(true)
	if err := dec.Decode(&k); err != nil {
		return Target{}, fmt.Errorf("%s: %w", path, err)
	}
	t, err := k.target(filepath.Dir(path))
	if err != nil {
		return Target{}, fmt.Errorf("%s: %w", path, err)
	}
	t.Binary = binary
	return t, nil
}

func (k testkit) target(dir string) (t Target, err error) {
	t = Target{Types: k.Types, Values: k.Values, Settle: k.Settle, Durable: k.Durable, Delay: k.Delay, WeakPassword: k.WeakPassword, Skip: k.Skip,
		Faults: map[Fault]json.RawMessage{}}
	if t.Config, err = json.Marshal(orEmpty(k.Config)); err != nil {
		return t, err
	}
	if k.Other != nil {
		if t.Other, err = json.Marshal(k.Other); err != nil {
			return t, err
		}
	}
	for name, config := range k.Faults {
		if !known(Fault(name)) {
			return t, fmt.Errorf("faults: %q is not a fault; known are %s", name, strings.Join(words(allFaults), ", "))
		}
		if t.Faults[Fault(name)], err = json.Marshal(orEmpty(config)); err != nil {
			return t, err
		}
	}
	for _, s := range []struct {
		from map[string]testSecret
		to   *map[string]connector.Secret
	}{{k.Secrets, &t.Secrets}, {k.WrongSecrets, &t.WrongSecrets}, {k.NewSecrets, &t.NewSecrets}} {
		if *s.to, err = resolve(s.from, dir); err != nil {
			return t, err
		}
	}
	if k.LastRelease != "" {
		t.LastRelease, err = os.ReadFile(filepath.Join(dir, k.LastRelease))
	}
	return t, err
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

func resolve(from map[string]testSecret, dir string) (map[string]connector.Secret, error) {
	if from == nil {
		return nil, nil
	}
	out := map[string]connector.Secret{}
	for name, s := range from {
		value := s.Value
		switch {
		case s.Env != "":
			v, ok := os.LookupEnv(s.Env)
			if !ok {
				return nil, fmt.Errorf("secret %s: the environment variable %s is not set", name, s.Env)
			}
			value = v
		case s.File != "":
			if !filepath.IsAbs(s.File) {
				s.File = filepath.Join(dir, s.File)
			}
			b, err := os.ReadFile(s.File)
			if err != nil {
				return nil, fmt.Errorf("secret %s: %w", name, err)
			}
			value = strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
		}
		out[name] = connector.NewSecret(value)
	}
	return out, nil
}

var allFaults = []Fault{LostReply, Hang, Slow, Reset, RateLimited, Busy, Down, Truncated, Panics, ExpiredToken}

func known(f Fault) bool {
	for _, x := range allFaults {
		if x == f {
			return true
		}
	}
	return false
}
