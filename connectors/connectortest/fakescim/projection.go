package fakescim

import (
	"strings"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/query"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// projection says which attributes an answer holds (RFC 7644 §3.9).
type projection struct {
	only, without map[string]bool // by lower-case name; only nil: the usual ones
}

// projectionOf reads the parameters attributes and excludedAttributes.
func projectionOf(q *request) (projection, error) {
	var p projection
	var err error
	if q.query.Has("attributes") {
		if p.only, err = names(q, "attributes", q.rules.AttributesParam); err != nil {
			return p, err
		}
	}
	if q.query.Has("excludedAttributes") {
		p.without, err = names(q, "excludedAttributes", q.rules.ExcludedAttributesParam)
	}
	if p.only != nil && p.without != nil {
		return p, schema.Bad(schema.InvalidValue, "attributes and excludedAttributes exclude each other")
	}
	return p, err
}

// names reads the attributes that a parameter lists; those that the type does not
// have are left out.
func names(q *request, parameter string, rule scim.Parameter) (map[string]bool, error) {
	if rule == scim.ParameterNone && q.rules.declared(snake(parameter)) {
		return nil, schema.Bad(schema.InvalidValue, "the parameter %s is not supported", parameter)
	}
	out := map[string]bool{}
	for _, name := range strings.Split(strings.Join(q.query[parameter], ","), ",") {
		a, err := query.ParseAttr(name)
		if err != nil {
			return nil, schema.Bad(schema.InvalidPath, "%s: %v", parameter, err)
		}
		if f, ok := q.typ.Resolve(a); ok {
			out[strings.ToLower(f.String())] = true
		}
	}
	return out, nil
}

// snake returns the profile's key for a query parameter.
func snake(parameter string) string {
	if parameter == "attributes" {
		return "attributes_param"
	}
	return "excluded_attributes_param"
}

// whole reports whether the attribute a of the extension urn is shown, and if
// only in parts, which ones.
func (p projection) whole(urn string, a *schema.Attr) (show bool, parts []string) {
	name := strings.ToLower(schema.Field{URN: urn, Attr: a}.String())
	switch {
	case a.Returned == "never":
		return false, nil
	case a.Returned == "always":
		return true, nil
	case p.only != nil:
		if p.only[name] || p.only[strings.ToLower(urn)] {
			return true, nil
		}
		for _, s := range a.SubAttributes {
			if p.only[name+"."+strings.ToLower(s.Name)] {
				parts = append(parts, s.Name)
			}
		}
		return len(parts) > 0, parts
	case p.without[name], urn != "" && p.without[strings.ToLower(urn)], a.Returned == "request":
		return false, nil
	}
	for _, s := range a.SubAttributes {
		if p.without[name+"."+strings.ToLower(s.Name)] {
			parts = nil
			for _, s := range a.SubAttributes {
				if !p.without[name+"."+strings.ToLower(s.Name)] {
					parts = append(parts, s.Name)
				}
			}
			return true, parts
		}
	}
	return true, nil
}

// cut returns v with only the named parts of each object; nil parts: all.
func cut(v any, parts []string) any {
	if parts == nil {
		return v
	}
	switch x := v.(type) {
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = cut(x[i], parts)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for _, name := range parts {
			if y, ok := x[name]; ok {
				out[name] = y
			}
		}
		return out
	}
	return v
}
