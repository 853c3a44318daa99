package schema

import (
	"maps"
	"slices"
	"strings"
)

// Resource reads the body of a POST or PUT: names in the schema's spelling,
// values checked, integers as int64, decimals as float64. What is null or empty
// and what is readOnly is left out (RFC 7643 §2.5, RFC 7644 §3.3).
func (r Reader) Resource(t *Type, body map[string]any) (map[string]any, error) {
	urns, err := schemasOf(t, body)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	seen := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(body)) {
		if lower := strings.ToLower(key); seen[lower] {
			return nil, Bad(InvalidSyntax, "%s is given twice", key)
		} else {
			seen[lower] = true
		}
		if e, ok := t.Extension(key); ok {
			if !slices.ContainsFunc(urns, func(u string) bool { return strings.EqualFold(u, e.ID) }) {
				return nil, Bad(InvalidSyntax, "%s is given, but schemas does not list it", e.ID)
			}
			m, err := r.Object(e.ID, e.Attributes, body[key])
			if err != nil {
				return nil, err
			}
			if len(m) > 0 {
				out[e.ID] = m
			}
			continue
		}
		a := t.Top(key)
		if a == nil {
			return nil, Bad(InvalidSyntax, "%s has no attribute %s", t.Name, key)
		}
		if a.Mutability == "readOnly" || a.Name == "schemas" {
			continue
		}
		v, err := r.Value(a.Name, a, body[key])
		if err != nil {
			return nil, err
		}
		if v != nil {
			out[a.Name] = v
		}
	}
	if r.Partial {
		return out, nil
	}
	return out, Required(t, out)
}

// schemasOf returns the schemas that a body says it follows.
func schemasOf(t *Type, body map[string]any) ([]string, error) {
	var urns []string
	for key, v := range body {
		if !strings.EqualFold(key, "schemas") {
			continue
		}
		list, _ := v.([]any)
		for _, x := range list {
			u, _ := x.(string)
			if _, ext := t.Extension(u); !ext && !strings.EqualFold(u, t.Core.ID) {
				return nil, Bad(InvalidSyntax, "%q is no schema of a %s", x, t.Name)
			}
			urns = append(urns, u)
		}
	}
	if !slices.ContainsFunc(urns, func(u string) bool { return strings.EqualFold(u, t.Core.ID) }) {
		return nil, Bad(InvalidSyntax, "schemas does not list %s", t.Core.ID)
	}
	return urns, nil
}

// Required says which required attribute a resource lacks.
func Required(t *Type, attrs map[string]any) error {
	for _, a := range t.Core.Attributes {
		if a.Required && unassigned(attrs[a.Name]) {
			return Bad(InvalidValue, "%s is required", a.Name)
		}
	}
	for _, e := range t.Extensions {
		m, given := attrs[e.ID].(map[string]any)
		if !given && !e.Required {
			continue
		}
		for _, a := range e.Attributes {
			if a.Required && unassigned(m[a.Name]) {
				return Bad(InvalidValue, "%s:%s is required", e.ID, a.Name)
			}
		}
	}
	return nil
}

func unassigned(v any) bool { return v == nil || v == "" }
