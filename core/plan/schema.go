package plan

import (
	"slices"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

// ObjectType returns the type that accounts of kind have in schema: the first
// type of kind account for people, of kind group for groups.
func ObjectType(schema connector.Schema, kind identity.Kind) (connector.ObjectType, bool) {
	want := connector.KindAccount
	if kind == identity.Group {
		want = connector.KindGroup
	}
	for i := range schema {
		if schema[i].Kind == want {
			return schema[i], true
		}
	}
	return connector.ObjectType{}, false
}

// Narrow returns schema with the verbs of the target written into every object
// type that names none of its own, so that Diff plans only what the target can
// do. Capabilities without verbs say nothing, and schema is returned as it is.
func Narrow(schema connector.Schema, caps connector.Capabilities) connector.Schema {
	if len(caps.Verbs) == 0 {
		return schema
	}
	out := slices.Clone(schema)
	for i := range out {
		if len(out[i].Verbs) == 0 {
			out[i].Verbs = caps.Verbs
		}
	}
	return out
}

// can reports whether verb is possible with objects of type ot.
func can(ot *connector.ObjectType, verb connector.Verb) bool {
	return len(ot.Verbs) == 0 || slices.Contains(ot.Verbs, verb)
}

// attr returns the schema's attribute called name. One that the schema does not
// list is text: the target decides whether it takes it.
func attr(ot *connector.ObjectType, name string) *connector.Attr {
	for i := range ot.Attributes {
		if ot.Attributes[i].Name == name {
			return &ot.Attributes[i]
		}
	}
	return &connector.Attr{Name: name, Type: connector.TypeString, Multi: true}
}
