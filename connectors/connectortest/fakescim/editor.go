package fakescim

import (
	"maps"
	"slices"

	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// editor applies the operations of a PATCH to a draft.
type editor struct {
	server *Server
	q      *request
	draft  *directory.Draft
}

func (e *editor) apply(o patchOp) error {
	if o.path == nil {
		return e.pathless(o)
	}
	f := o.field
	if f.Attr == nil {
		return e.extension(o)
	}
	if a := f.Leaf(); f.Attr.Mutability == "readOnly" || a.Mutability == "readOnly" {
		return schema.Bad(schema.Mutability, "%s is read-only", f)
	}
	switch {
	case f.Attr.Name == "schemas":
		return nil // follows from what the resource holds
	case f.Attr.Name == "members" && f.URN == "":
		return e.members(o)
	case o.path.Filter != nil:
		return e.selected(o)
	case f.Sub != nil:
		return e.sub(o)
	}
	return e.attribute(o)
}

// pathless applies each attribute of an object (RFC 7644 §3.5.2.1).
func (e *editor) pathless(o patchOp) error {
	m := o.value.(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(m)) {
		one := patchOp{op: o.op, value: m[key], hasValue: true}
		if err := e.q.target(&one, key); err != nil {
			return err
		}
		if !e.q.rules.dotted() && (one.field.Sub != nil || one.path.Filter != nil || one.field.URN != "" && one.field.Attr != nil) {
			return schema.Bad(schema.InvalidPath, "value: %q is a path, not an attribute", key)
		}
		if err := e.apply(one); err != nil {
			return err
		}
	}
	return nil
}

// extension adds to, replaces or removes all attributes of an extension.
func (e *editor) extension(o patchOp) error {
	urn := o.field.URN
	if o.op == opRemove {
		delete(e.draft.Attrs, urn)
		return nil
	}
	m, ok := o.value.(map[string]any)
	if !ok {
		return schema.Bad(schema.InvalidValue, "%s: an object is needed", urn)
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		one := patchOp{op: o.op, value: m[key], hasValue: true}
		if err := e.q.locate(&one, urn+":"+key); err != nil {
			return err
		}
		if err := e.apply(one); err != nil {
			return err
		}
	}
	return nil
}

// home returns the object that holds the attribute of a field, made when missing.
func (e *editor) home(f schema.Field) map[string]any {
	if f.URN == "" {
		return e.draft.Attrs
	}
	m, ok := e.draft.Attrs[f.URN].(map[string]any)
	if !ok {
		m = map[string]any{}
		e.draft.Attrs[f.URN] = m
	}
	return m
}

// attribute changes a whole attribute.
func (e *editor) attribute(o patchOp) error {
	a, home := o.field.Attr, e.home(o.field)
	if o.op == opRemove {
		return e.q.rules.take(home, a)
	}
	value := e.q.rules.managed(a, o.value)
	if _, isList := value.([]any); a.MultiValued && !isList && value != nil {
		value = []any{value}
	}
	v, err := e.q.rules.reader().Value(o.field.String(), a, value)
	if err != nil {
		return err
	}
	given, isObject := value.(map[string]any)
	switch {
	case a.Complex() && !a.MultiValued && isObject && len(given) > 0:
		merge(home, a, given, v)
	case v == nil:
		return e.q.rules.take(home, a)
	case a.MultiValued && o.op == opAdd:
		return e.append(home, a, v.([]any))
	default:
		home[a.Name] = v
	}
	return nil
}

// merge changes the sub-attributes that given names; v is what was read of it, nil
// when that is nothing. The others stay, with replace as with add (RFC 7644
// §3.5.2.3).
func merge(home map[string]any, a *schema.Attr, given map[string]any, v any) {
	merged, _ := home[a.Name].(map[string]any)
	if merged == nil {
		merged = map[string]any{}
	}
	read, _ := v.(map[string]any)
	for _, s := range a.SubAttributes {
		if _, named := fieldOf(given, s.Name); named {
			merged[s.Name] = read[s.Name]
		}
	}
	home[a.Name] = merged
}

// sub changes a sub-attribute: of a single value, or of all values.
func (e *editor) sub(o patchOp) error {
	a, home := o.field.Attr, e.home(o.field)
	v, err := e.q.rules.reader().Value(o.field.String(), o.field.Sub, o.value)
	if err != nil {
		return err
	}
	if o.op == opRemove {
		v = nil
	}
	if a.MultiValued {
		list, _ := home[a.Name].([]any)
		if len(list) == 0 {
			return schema.Bad(schema.NoTarget, "%s has no values", a.Name)
		}
		return e.setSubs(o, list, allOf(list), v)
	}
	m, ok := home[a.Name].(map[string]any)
	if !ok {
		m = map[string]any{}
		home[a.Name] = m
	}
	m[o.field.Sub.Name] = v
	return nil
}
