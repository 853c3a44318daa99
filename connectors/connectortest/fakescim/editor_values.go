package fakescim

import (
	"maps"
	"reflect"
	"slices"

	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/query"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// append adds values to a multi-valued attribute; those that are there already
// change nothing.
func (e *editor) append(home map[string]any, a *schema.Attr, more []any) error {
	list, _ := home[a.Name].([]any)
	var fresh []int
	for _, v := range more {
		if slices.ContainsFunc(list, func(x any) bool { return reflect.DeepEqual(x, v) }) {
			continue
		}
		fresh = append(fresh, len(list))
		list = append(list, v)
	}
	home[a.Name] = list
	return promote(a.Name, list, fresh)
}

// promote leaves one primary value when those at touched became primary
// (RFC 7644 §3.5.2).
func promote(path string, list []any, touched []int) error {
	won := false
	for _, i := range touched {
		m, ok := list[i].(map[string]any)
		won = won || ok && m["primary"] == true
	}
	for i, v := range list {
		if m, ok := v.(map[string]any); won && ok && m["primary"] == true && !slices.Contains(touched, i) {
			m["primary"] = false
		}
	}
	return schema.OnePrimary(path, list)
}

func allOf(list []any) []int {
	out := make([]int, len(list))
	for i := range out {
		out[i] = i
	}
	return out
}

// setSubs sets a sub-attribute of the values at the given places; nil takes it out.
func (e *editor) setSubs(o patchOp, list []any, at []int, v any) error {
	for _, i := range at {
		if m, ok := list[i].(map[string]any); ok {
			m[o.field.Sub.Name] = v
		}
	}
	return promote(o.field.Attr.Name, list, at)
}

// selected changes the values that a filter chooses.
func (e *editor) selected(o patchOp) error {
	a, home := o.field.Attr, e.home(o.field)
	holds, err := directory.Element(a, o.path.Filter)
	if err != nil {
		return err
	}
	list, _ := home[a.Name].([]any)
	var at []int
	for i, x := range list {
		if m, ok := x.(map[string]any); ok && holds(m) {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		// Products built for Entra ID make the value with replace, too: it sends
		// that for what is not there.
		if o.op == opAdd || o.op == opReplace && e.q.rules.dotted() {
			return e.addSelected(o, home)
		}
		return schema.Bad(schema.NoTarget, "no value meets %s", o.path)
	}
	if o.op == opRemove && o.field.Sub == nil {
		home[a.Name] = slices.DeleteFunc(list, func(x any) bool { m, ok := x.(map[string]any); return ok && holds(m) })
		return nil
	}
	if o.field.Sub != nil {
		v, err := e.q.rules.reader().Value(o.field.String(), o.field.Sub, o.value)
		if err != nil {
			return err
		}
		if o.op == opRemove {
			v = nil
		}
		return e.setSubs(o, list, at, v)
	}
	v, err := e.q.rules.reader().One(a.Name, a, o.value)
	if err != nil {
		return err
	}
	for _, i := range at {
		m, _ := v.(map[string]any)
		fresh := maps.Clone(m)
		if o.op == opAdd {
			fresh = maps.Clone(list[i].(map[string]any))
			maps.Copy(fresh, m)
		}
		list[i] = fresh
	}
	return promote(a.Name, list, at)
}

// addSelected adds a value that meets a filter which none does yet, when the
// filter says what it must hold.
func (e *editor) addSelected(o patchOp, home map[string]any) error {
	a := o.field.Attr
	fresh := map[string]any{}
	for _, part := range query.Conjuncts(o.path.Filter) {
		c, ok := part.(query.Compare)
		if !ok || c.Op != query.Equal {
			return schema.Bad(schema.NoTarget, "no value meets %s", o.path)
		}
		fresh[c.Attr.Name] = c.Value
	}
	if o.field.Sub != nil {
		fresh[o.field.Sub.Name] = o.value
	} else if m, ok := o.value.(map[string]any); ok {
		maps.Copy(fresh, m)
	}
	v, err := e.q.rules.reader().One(a.Name, a, fresh)
	if err != nil {
		return err
	}
	return e.append(home, a, []any{v})
}
