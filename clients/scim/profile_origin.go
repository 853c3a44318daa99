package scim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// OriginKind says who decided a value of a profile. The later of the kinds wins.
type OriginKind string

// The kinds of origins, weakest first.
const (
	OriginDefault    OriginKind = "default"    // the root profile
	OriginDiscovered OriginKind = "discovered" // the target itself
	OriginProfile    OriginKind = "profile"
	OriginOverride   OriginKind = "override" // the connector's config
)

// strength orders the kinds.
var strength = map[OriginKind]int{OriginDefault: 0, OriginDiscovered: 1, OriginProfile: 2, OriginOverride: 3}

// Origin says where a value comes from.
type Origin struct {
	Kind   OriginKind
	Name   string // of the profile; what was asked, for discovered values
	Source string // documentation; "" when none is known
}

// String returns the origin as people read it: "profile slack (https://…)".
func (o Origin) String() string {
	s := string(o.Kind)
	if o.Name != "" && o.Kind != OriginDefault {
		s += " " + o.Name
	}
	if o.Source != "" && o.Kind != OriginDefault {
		s += " (" + o.Source + ")"
	}
	return s
}

func (l layer) originOf(key string) Origin {
	return Origin{Kind: l.kind, Name: l.name, Source: cmp.Or(l.src[key], l.doc)}
}

// Setting is one effective value of a profile.
type Setting struct {
	Key    string
	Value  string // JSON
	Origin Origin
}

// String returns "key = value  # origin".
func (s Setting) String() string { return fmt.Sprintf("%s = %s  # %s", s.Key, s.Value, s.Origin) }

// Settings returns every effective value with its origin, in the order of the
// fields of [Profile].
func (p *Profile) Settings() []Setting {
	out := make([]Setting, 0, len(p.values))
	for _, key := range profileKeys() {
		if v, ok := p.values[key]; ok {
			text, err := json.Marshal(v)
			if err != nil {
				panic(err) // it was JSON
			}
			out = append(out, Setting{Key: key, Value: string(text), Origin: p.origin[key]})
		}
	}
	return out
}

// Origin returns where the value of key comes from; the zero Origin when there is
// no such key.
func (p *Profile) Origin(key string) Origin { return p.origin[key] }

// With returns the profile with values of the connector's config on top, by key.
// nil and empty return p itself. The error names every key that is not known and
// every value that cannot be.
func (p *Profile) With(overrides map[string]any) (*Profile, error) {
	if len(overrides) == 0 {
		return p, nil
	}
	values, err := checkOverrides(overrides)
	if err != nil {
		return nil, err
	}
	return p.over(layer{kind: OriginOverride, values: values})
}

// Discovered returns the profile with values that the target told of itself, by
// key, wherever neither a profile nor an override says otherwise. from names what
// was asked, such as "/ServiceProviderConfig".
func (p *Profile) Discovered(from string, values map[string]any) (*Profile, error) {
	if len(values) == 0 {
		return p, nil
	}
	values, err := checkOverrides(values)
	if err != nil {
		return nil, err
	}
	return p.over(layer{kind: OriginDiscovered, name: from, values: values})
}

// over composes the profile anew with l where its kind belongs.
func (p *Profile) over(l layer) (*Profile, error) {
	chain := append(slices.Clone(p.layers), l)
	slices.SortStableFunc(chain, func(a, b layer) int { return strength[a.kind] - strength[b.kind] })
	return compose(chain)
}

// profileKeys returns the keys of a profile in the order of its fields.
func profileKeys() []string {
	var keys []string
	t := reflect.TypeFor[Profile]()
	for i := range t.NumField() {
		if group := t.Field(i); group.Anonymous {
			for j := range group.Type.NumField() {
				name, _, _ := strings.Cut(group.Type.Field(j).Tag.Get("json"), ",")
				keys = append(keys, name)
			}
		}
	}
	return keys
}

// settable returns the keys that an override may set.
func settable() []string {
	return slices.DeleteFunc(profileKeys(), func(k string) bool { return slices.Contains(identityKeys, k) })
}

// sortedKeys returns the keys of m in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
