package memory

import (
	"reflect"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// put makes one change to a record that is not stored yet. The change was held
// against the schema already.
func (t *tx) put(r *record, a connector.Attr, c connector.Change) error {
	var err error
	for _, vs := range []*connector.Values{&c.Replace, &c.Add} {
		if *vs, err = t.resolved(a, *vs); err != nil {
			return err
		}
	}
	// What refers to nothing is held by nobody.
	if c.Remove, err = t.resolved(a, c.Remove); err != nil {
		c.Remove = nil
	}
	values := c.On(a, r.Attributes.Get(c.Name))
	if !a.Multi && len(values) > 1 {
		return invalid(c.Name, "attribute %s takes one value", c.Name)
	}
	r.set(c.Name, values)
	return nil
}

// resolved are values as they are stored.
func (t *tx) resolved(a connector.Attr, vs connector.Values) (connector.Values, error) {
	out := slices.Clone(vs)
	for i, v := range out {
		var err error
		switch x := v.(type) {
		case string:
			if strings.TrimSpace(x) == "" {
				err = invalid(a.Name, "attribute %s is blank; leave it out to clear it", a.Name)
			}
		case connector.Ref:
			out[i], err = t.reference(a, x)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
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
