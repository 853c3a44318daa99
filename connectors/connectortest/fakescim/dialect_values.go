package fakescim

import (
	"reflect"
	"slices"
	"strings"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/query"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// body holds the body of a POST or PUT against the dialect.
func (r *rules) body(t *schema.Type, body map[string]any) error {
	if v, ok := fieldOf(body, "active"); ok && t.Name == "User" {
		if err := r.boolean("active", v); err != nil {
			return err
		}
	}
	return nil
}

// boolean says whether a boolean is written as the dialect wants it.
func (r *rules) boolean(path string, v any) error {
	if r.BoolStyle == scim.BoolJSON || v == nil || v == boolText(r.BoolStyle, true) || v == boolText(r.BoolStyle, false) {
		return nil
	}
	return schema.Bad(schema.InvalidValue, "%s: %q or %q is needed, as a text", path, boolText(r.BoolStyle, true), boolText(r.BoolStyle, false))
}

// lookup returns the values at a path of attributes; none when it is unassigned.
func lookup(t *schema.Type, attrs map[string]any, path string) []any {
	f, ok := resolvePath(t, path)
	if !ok {
		return nil
	}
	if f.URN != "" {
		attrs, _ = attrs[f.URN].(map[string]any)
	}
	v := attrs[f.Attr.Name]
	list, isList := v.([]any)
	if !isList && v != nil {
		list = []any{v}
	}
	if f.Sub == nil {
		return list
	}
	var subs []any
	for _, x := range list {
		if m, ok := x.(map[string]any); ok && m[f.Sub.Name] != nil {
			subs = append(subs, m[f.Sub.Name])
		}
	}
	return subs
}

// resolvePath finds the attribute that a profile names.
func resolvePath(t *schema.Type, path string) (schema.Field, bool) {
	a, err := query.ParseAttr(path)
	if err != nil {
		return schema.Field{}, false
	}
	f, ok := t.Resolve(a)
	return f, ok && f.Attr != nil
}

// onCreate holds a new resource against the dialect.
func (r *rules) onCreate(t *schema.Type, attrs map[string]any, members []directory.Member) error {
	if t.Name == "Group" {
		switch {
		case len(members) > 0 && r.GroupCreateMembers == scim.CreateMembersLater:
			return schema.Bad(schema.InvalidValue, "a group is created without members; add them afterwards")
		case r.MemberAddMax > 0 && len(members) > r.MemberAddMax:
			return tooManyMembers(r.MemberAddMax)
		}
		return r.displays(members)
	}
	for _, path := range r.RequiredOnCreate {
		if len(lookup(t, attrs, path)) == 0 {
			return schema.Bad(schema.InvalidValue, "%s is required", path)
		}
	}
	return nil
}

// settle makes of a draft what the dialect makes of it, before it is written.
func (q *request) settle(d *directory.Draft) error {
	r := q.rules
	for _, path := range r.SingleValued {
		if n := len(lookup(d.Type, d.Attrs, path)); n > 1 {
			return schema.Bad(schema.InvalidValue, "%s has %d values; one is allowed", path, n)
		}
	}
	if r.ExternalID == scim.ExternalIDUnsupported {
		delete(d.Attrs, "externalId")
	}
	if old := d.Old(); old != nil {
		for _, path := range r.Ignored {
			restore(d, old.Attrs, path)
		}
		for _, path := range r.Immutable {
			if !reflect.DeepEqual(lookup(d.Type, d.Attrs, path), lookup(d.Type, old.Attrs, path)) {
				return schema.Bad(schema.Mutability, "%s cannot be changed", path)
			}
		}
		if err := q.switches(old, d); err != nil {
			return err
		}
	}
	for _, path := range r.Normalised {
		normalise(d, path)
	}
	if r.flipPrimary {
		flip(d)
	}
	r.obfuscate(d)
	return nil
}

// restore gives an attribute back the value that it had.
func restore(d *directory.Draft, old map[string]any, path string) {
	f, ok := resolvePath(d.Type, path)
	if !ok {
		return
	}
	home, was := d.Attrs, old
	if f.URN != "" {
		home, _ = d.Attrs[f.URN].(map[string]any)
		was, _ = old[f.URN].(map[string]any)
	}
	if f.Sub != nil {
		home, _ = home[f.Attr.Name].(map[string]any)
		was, _ = was[f.Attr.Name].(map[string]any)
	}
	if home != nil {
		home[f.Leaf().Name] = directory.Clone(was[f.Leaf().Name])
	}
}

// normalise writes the texts of an attribute in lower case without spaces at
// their ends, as products do with names and mail addresses.
func normalise(d *directory.Draft, path string) {
	f, ok := resolvePath(d.Type, path)
	if !ok || f.URN != "" {
		return
	}
	change := func(m map[string]any, name string) {
		if s, ok := m[name].(string); ok {
			m[name] = strings.ToLower(strings.TrimSpace(s))
		}
	}
	if f.Sub == nil {
		change(d.Attrs, f.Attr.Name)
	}
	sub := "value"
	if f.Sub != nil {
		sub = f.Sub.Name
	}
	switch x := d.Attrs[f.Attr.Name].(type) {
	case map[string]any:
		change(x, sub)
	case []any:
		for _, y := range x {
			if m, ok := y.(map[string]any); ok {
				change(m, sub)
			}
		}
	}
}

// flip makes the last value of each list the primary one.
func flip(d *directory.Draft) {
	for _, v := range d.Attrs {
		list, _ := v.([]any)
		for i, x := range list {
			if m, ok := x.(map[string]any); ok {
				m["primary"] = i == len(list)-1
			}
		}
	}
}

// dialectAttributes gives users the attributes that the dialect names and the
// standard lacks, as texts.
func dialectAttributes(p *scim.Profile, t *schema.Type) {
	for _, path := range slices.Concat(p.RequiredOnCreate, p.FilterAttrs.Users, p.Normalised, p.Immutable) {
		a, err := query.ParseAttr(path)
		if err != nil || a.URI != "" || t.Top(a.Name) != nil {
			continue
		}
		t.Core.Attributes = append(t.Core.Attributes, &schema.Attr{Name: a.Name, Type: "string", Mutability: "readWrite", Returned: "default", Uniqueness: "none"})
	}
}
