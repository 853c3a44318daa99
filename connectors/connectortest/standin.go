package connectortest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// fakeOptions say which built-in fake stands in for the target: in testkit.yaml
// "fake: http", or with options "fake: {kind: sqlite, schema: schema.sql}".
type fakeOptions struct {
	Kind    string `yaml:"kind"`
	Schema  string `yaml:"schema"`  // sqlite: file with the SQL that makes the tables
	Profile string `yaml:"profile"` // scim: dialect; usual: that of the RFCs
	Flavor  string `yaml:"flavor"`  // ldap: openldap, 389ds or ad; usual: openldap
	Oracle  *bool  `yaml:"oracle"`  // whether its state is compared with what the plugin reads; usual: where it can be
}

// UnmarshalYAML takes the kind alone, too.
func (o *fakeOptions) UnmarshalYAML(unmarshal func(any) error) error {
	if unmarshal(&o.Kind) == nil {
		return nil
	}
	type plain fakeOptions
	return unmarshal((*plain)(o))
}

// standIn is a fake that runs.
type standIn struct {
	// words are what testkit.yaml may say in place of "${fake.NAME}".
	words map[string]string
	// config and the secrets are those of provhub's connector for such targets.
	config                      map[string]any // nil: testkit.yaml must say it
	secrets, newSecrets, wrongs map[string]string
	oracle                      Oracle
	close                       func()
}

// standIns start the fakes. dir is the folder of testkit.yaml. twin is one that
// runs already and whose secrets are to be accepted as well; nil: none.
var standIns = map[string]func(o fakeOptions, dir string, twin *standIn) (*standIn, error){
	"http": newHTTP, "ldap": newLDAP, "scim": newSCIM, "sftp": newSFTP, "sqlite": newSQLite,
}

func newStandIn(o fakeOptions, dir string, twin *standIn) (*standIn, error) {
	start, ok := standIns[o.Kind]
	if !ok {
		return nil, fmt.Errorf("fake: there is no fake %q; there are %s", o.Kind, strings.Join(slices.Sorted(maps.Keys(standIns)), ", "))
	}
	s, err := start(o, dir, twin)
	if err != nil {
		return nil, err
	}
	if o.Oracle != nil && !*o.Oracle {
		s.oracle = nil
	}
	return s, nil
}

// expand replaces "${WHO.NAME}" in all texts of v: what a fake, the other fake or
// the kit itself gives.
func expand(v any, words map[string]string) (any, error) {
	switch x := v.(type) {
	case string:
		return expandText(x, words)
	case []any:
		for i := range x {
			y, err := expand(x[i], words)
			if err != nil {
				return nil, err
			}
			x[i] = y
		}
	case map[string]any:
		for k := range x {
			y, err := expand(x[k], words)
			if err != nil {
				return nil, err
			}
			x[k] = y
		}
	}
	return v, nil
}

func expandText(s string, words map[string]string) (string, error) {
	for _, who := range []string{"fake", "other", "kit"} {
		for begin := strings.Index(s, "${"+who+"."); begin >= 0; begin = strings.Index(s, "${"+who+".") {
			name, _, closed := strings.Cut(s[begin+2:], "}")
			value, ok := words[name]
			if !ok || !closed {
				return "", fmt.Errorf("%q stands for nothing; there are %s", s[begin:], strings.Join(slices.Sorted(maps.Keys(words)), ", "))
			}
			s = s[:begin] + value + s[begin+len("${"+name+"}"):]
		}
	}
	return s, nil
}
