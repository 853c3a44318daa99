package connector

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// CheckCreate holds a create against the type: every attribute known, settable
// and of the right form, none missing that is required. The error is
// INVALID_VALUE and names the attribute. Connectors for targets that do not
// check by themselves call it first.
func (t ObjectType) CheckCreate(c Create) error {
	for _, x := range c.Attributes {
		a, err := t.settable(x.Name)
		if err == nil {
			err = a.CheckValues(x.Values)
		}
		if err != nil {
			return err
		}
	}
	for _, a := range t.Attributes {
		if a.Required && len(c.Attributes.Get(a.Name)) == 0 {
			return invalid(a.Name, "attribute %s is required", a.Name)
		}
	}
	return nil
}

// CheckUpdate holds the changes of an update against the type, as CheckCreate
// does. Whether a required attribute is left without a value shows only once
// the changes are made: see [Change.On].
func (t ObjectType) CheckUpdate(u Update) error {
	for _, c := range u.Changes {
		a, err := t.settable(c.Name)
		switch {
		case err != nil:
			return err
		case a.CreateOnly:
			return invalid(c.Name, "attribute %s cannot be changed later", c.Name)
		case a.Required && !c.Delta && len(c.Replace) == 0:
			return invalid(c.Name, "attribute %s is required", c.Name)
		}
		values := c.Replace
		if c.Delta {
			values = c.Add
		}
		if err := a.CheckValues(values); err != nil {
			return err
		}
	}
	return nil
}

func (t ObjectType) settable(name string) (Attr, error) {
	a, ok := t.Attr(name)
	switch {
	case !ok:
		return a, invalid(name, "a %s has no attribute %s", t.Name, name)
	case a.ReadOnly:
		return a, invalid(name, "attribute %s is set by the target", name)
	}
	return a, nil
}

// CheckValues returns INVALID_VALUE, naming the attribute and not the value,
// when a cannot hold vs.
func (a Attr) CheckValues(vs Values) error {
	if !a.Multi && len(vs) > 1 {
		return invalid(a.Name, "attribute %s takes one value", a.Name)
	}
	for _, v := range vs {
		if !a.takes(v) {
			return invalid(a.Name, "attribute %s takes values of type %s", a.Name, a.valueType())
		}
		text, _ := v.(string)
		switch {
		case a.MaxLength > 0 && utf8.RuneCountInString(text) > a.MaxLength:
			return invalid(a.Name, "attribute %s takes %d characters", a.Name, a.MaxLength)
		case len(a.Canonical) > 0 && !slices.ContainsFunc(a.Canonical, func(c string) bool { return a.Equal(c, v) }):
			return invalid(a.Name, "attribute %s is one of %s", a.Name, strings.Join(a.Canonical, ", "))
		}
	}
	return nil
}

func (a Attr) valueType() ValueType {
	if a.Type == "" {
		return TypeString
	}
	return a.Type
}

// takes reports whether v is of the attribute's type.
func (a Attr) takes(v Value) bool {
	switch x := v.(type) {
	case string:
		return a.valueType() == TypeString
	case Secret:
		return a.Secret
	case int64:
		return a.Type == TypeInteger
	case float64:
		return a.Type == TypeDouble
	case bool:
		return a.Type == TypeBool
	case time.Time:
		return a.Type == TypeTimestamp
	case Date:
		_, err := time.Parse(time.DateOnly, string(x))
		return a.Type == TypeDate && err == nil
	case []byte:
		return a.Type == TypeBytes
	case Ref:
		return a.Type == TypeReference
	case map[string]any:
		return a.Type == TypeObject
	}
	return false
}

// Equal compares two values as the attribute does: without regard to case
// unless it is CaseExact, references by id.
func (a Attr) Equal(x, y Value) bool {
	if rx, ok := x.(Ref); ok {
		ry, ok := y.(Ref)
		return ok && rx.ID == ry.ID
	}
	if a.CaseExact {
		return Text(x) == Text(y)
	}
	return strings.EqualFold(Text(x), Text(y))
}

// On returns what an attribute that holds have holds after the change. have is
// left as it is. Adding what is there and removing what is not change nothing.
func (c Change) On(a Attr, have Values) Values {
	if !c.Delta {
		return c.Replace
	}
	in := func(vs Values, v Value) bool {
		return slices.ContainsFunc(vs, func(x Value) bool { return a.Equal(x, v) })
	}
	var out Values
	for _, v := range have {
		if !in(c.Remove, v) {
			out = append(out, v)
		}
	}
	for _, v := range c.Add {
		if !in(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func invalid(attribute, format string, args ...any) *Error {
	e := Errorf(CodeInvalidValue, format, args...)
	e.Attributes = []string{attribute}
	return e
}
