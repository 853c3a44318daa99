package memory

import (
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/provhub/provhub/connectors/connector"
)

// put makes one change to a record that is not stored yet.
func (t *tx) put(r *record, typ connector.ObjectType, c connector.Change, creating bool) error {
	a, ok := typ.Attr(c.Name)
	switch {
	case !ok:
		return invalid(c.Name, "a %s has no attribute %s", typ.Name, c.Name)
	case a.ReadOnly:
		return invalid(c.Name, "attribute %s is set by the target", c.Name)
	case a.CreateOnly && !creating:
		return invalid(c.Name, "attribute %s cannot be changed later", c.Name)
	}
	values := c.Replace
	if c.Delta {
		values = union(a, without(a, r.Attributes.Get(c.Name), c.Remove), c.Add)
	}
	if !a.Multi && len(values) > 1 {
		return invalid(c.Name, "attribute %s takes one value", c.Name)
	}
	stored := make(connector.Values, len(values))
	for i, v := range values {
		var err error
		if stored[i], err = t.value(a, v); err != nil {
			return err
		}
	}
	r.set(c.Name, stored)
	return nil
}

// value checks one value and gives it its stored form.
func (t *tx) value(a connector.Attr, v connector.Value) (connector.Value, error) {
	ok := false
	switch x := v.(type) {
	case string:
		ok = a.Type == "" || a.Type == connector.TypeString
		switch {
		case ok && strings.TrimSpace(x) == "":
			return nil, invalid(a.Name, "attribute %s is blank; leave it out to clear it", a.Name)
		case a.MaxLength > 0 && utf8.RuneCountInString(x) > a.MaxLength:
			return nil, invalid(a.Name, "attribute %s takes %d characters", a.Name, a.MaxLength)
		case len(a.Canonical) > 0 && !slices.Contains(a.Canonical, x):
			return nil, invalid(a.Name, "attribute %s is one of %s", a.Name, strings.Join(a.Canonical, ", "))
		}
	case connector.Date:
		_, err := time.Parse(time.DateOnly, string(x))
		ok = a.Type == connector.TypeDate && err == nil
	case int64:
		ok = a.Type == connector.TypeInteger
	case bool:
		ok = a.Type == connector.TypeBool
	case connector.Ref:
		if a.Type == connector.TypeReference {
			return t.reference(a, x)
		}
	}
	if !ok {
		return nil, invalid(a.Name, "attribute %s takes values of type %s", a.Name, a.Type)
	}
	return v, nil
}

// reference finds what an attribute refers to.
func (t *tx) reference(a connector.Attr, ref connector.Ref) (connector.Value, error) {
	ref.Type = a.RefersTo
	r, err := t.s.get(ref, nil)
	if err != nil {
		return nil, &connector.Error{Code: connector.CodeDependencyMissing, Attributes: []string{a.Name},
			Message: "attribute " + a.Name + " refers to a " + a.RefersTo + " that is not there"}
	}
	return connector.Ref{Type: r.Type, ID: r.ID}, nil
}

// check holds a record against what the schema asks of the whole of it. was is
// what it replaces, nil for a new one.
func (t *tx) check(r, was *record) error {
	typ, _ := schema.Type(r.Type)
	for _, a := range typ.Attributes {
		if a.Required && len(r.Attributes.Get(a.Name)) == 0 {
			return invalid(a.Name, "attribute %s is required", a.Name)
		}
	}
	for _, k := range uniquesOf(r) {
		holder, taken := t.s.unique[k]
		if taken && (was == nil || holder != was.ID) {
			conflicting := t.s.objects[k.typ][holder].ref()
			return &connector.Error{Code: connector.CodeAlreadyExists, Attributes: []string{k.attribute}, Conflicting: &conflicting,
				Message: "another " + k.typ + " has this " + k.attribute}
		}
	}
	return nil
}

func invalid(attribute, format string, args ...any) error {
	e := connector.Errorf(connector.CodeInvalidValue, format, args...)
	e.Attributes = []string{attribute}
	return e
}

func equal(a connector.Attr, x, y connector.Value) bool {
	if rx, ok := x.(connector.Ref); ok {
		ry, ok := y.(connector.Ref)
		return ok && rx.ID == ry.ID
	}
	return folded(a, connector.Text(x)) == folded(a, connector.Text(y))
}

// without takes remove out of have; what is not there is no error.
func without(a connector.Attr, have, remove connector.Values) connector.Values {
	return slices.DeleteFunc(slices.Clone(have), func(v connector.Value) bool {
		return slices.ContainsFunc(remove, func(r connector.Value) bool { return equal(a, v, r) })
	})
}

func union(a connector.Attr, have, add connector.Values) connector.Values {
	for _, v := range add {
		if !slices.ContainsFunc(have, func(h connector.Value) bool { return equal(a, h, v) }) {
			have = append(have, v)
		}
	}
	return have
}

// same reports whether nothing that a read shows differs; a change of case does.
func same(a, b *record) bool {
	if a.Disabled != b.Disabled || len(a.Attributes) != len(b.Attributes) {
		return false
	}
	for _, x := range a.Attributes {
		if !reflect.DeepEqual(x.Values, b.Attributes.Get(x.Name)) {
			return false
		}
	}
	return true
}
