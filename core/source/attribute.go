package source

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/wording"
)

// Attribute is one attribute that a reader of entries or resources supplies, and
// where it takes it from.
type Attribute struct {
	Name string // in expressions
	From string // as the source calls it: an LDAP attribute, a SCIM path; "": Name
	Type Type   // "": Text, the first value
	// Required: a record without a value is a bad one.
	Required bool
}

// Attributes are the attributes of one kind of record.
type Attributes []Attribute

// Fields returns them as [Reader.Fields] does, sorted by name.
func (as Attributes) Fields() []Field {
	fields := make([]Field, len(as))
	for i, a := range as {
		fields[i] = Field{Name: a.Name, Type: cmp.Or(a.Type, Text)}
	}
	slices.SortFunc(fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

// Names returns their names, in order.
func (as Attributes) Names() []string {
	names := make([]string, len(as))
	for i, a := range as {
		names[i] = a.Name
	}
	return names
}

// Checked returns a copy in which nothing is left open. types are those that the
// reader can make. The error lists every fault, a line each that begins with what,
// as "people: …".
func (as Attributes) Checked(what string, types ...Type) (Attributes, error) {
	out := slices.Clone(as)
	seen := map[string]bool{}
	var errs []error
	for i := range out {
		a := &out[i]
		a.From, a.Type = cmp.Or(a.From, a.Name), cmp.Or(a.Type, Text)
		if seen[a.Name] {
			errs = append(errs, fmt.Errorf("%s: attribute %q is there twice", what, a.Name))
		}
		seen[a.Name] = true
		if err := a.Type.OneOf(types...); err != nil {
			errs = append(errs, fmt.Errorf("%s: attribute %s: %w", what, a.Name, err))
		}
	}
	return out, errors.Join(errs...)
}

// OneOf fails when t is none of the types, and says which one was probably meant.
func (t Type) OneOf(types ...Type) error {
	if slices.Contains(types, t) {
		return nil
	}
	known := make([]string, len(types))
	for i, k := range types {
		known[i] = string(k)
	}
	return fmt.Errorf("type %q is not known%s; known are %s", t, wording.DidYouMean(string(t), known), strings.Join(known, ", "))
}

// Fill makes the attributes of rec. value returns what the i-th attribute has, nil
// for no value; an error of it says what is wrong, without the value. When ok is
// false rec has a Fault: a value that cannot be read, or one that is required and
// missing.
func (as Attributes) Fill(rec *Record, value func(i int) (any, error)) (attributes identity.Attributes, ok bool) {
	attributes = make(identity.Attributes, len(as))
	for i, a := range as {
		v, err := value(i)
		switch {
		case err != nil:
			rec.Fail(a.From, "%s: %v", a.From, err)
			return nil, false
		case v == nil && a.Required:
			rec.Fail(a.From, "it has no %s, which is required", a.From)
			return nil, false
		case v != nil:
			attributes[a.Name] = v
		}
	}
	return attributes, true
}

// Fail makes rec one that could not be read well, because of a field. The reason
// holds no personal values. Position and Anchor are set before.
func (r *Record) Fail(field, format string, args ...any) {
	r.Fault = &Fault{Position: r.Position(), Anchor: r.Anchor, Field: field, Reason: fmt.Sprintf(format, args...)}
}
