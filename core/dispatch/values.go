package dispatch

import (
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/plan"
)

// attrOf returns the schema's attribute called name, as text where it says
// nothing else. One that the schema does not list is compared as a set of text,
// as in the plan, and has no type.
func attrOf(t connector.ObjectType, name string) connector.Attr {
	a, ok := t.Attr(name)
	switch {
	case !ok:
		a = connector.Attr{Name: name, Multi: true}
	case a.Type == "":
		a.Type = connector.TypeString
	}
	return a
}

// same reports whether two contents of an attribute are the same to the target.
// References are the same when they have the same id, whatever else they tell.
func same(attr connector.Attr, a, b connector.Values) bool {
	if attr.Type != connector.TypeReference {
		return plan.Same(attr, a, b)
	}
	return len(a) == len(b) && len(without(attr, a, b)) == 0 && len(without(attr, b, a)) == 0
}

// without returns the values of a that b does not have.
func without(attr connector.Attr, a, b connector.Values) connector.Values {
	var out connector.Values
	for _, v := range a {
		if !slices.ContainsFunc(b, func(w connector.Value) bool { return sameValue(attr, v, w) }) {
			out = append(out, v)
		}
	}
	return out
}

func sameValue(attr connector.Attr, v, w connector.Value) bool {
	x, okX := v.(connector.Ref)
	y, okY := w.(connector.Ref)
	if okX && okY && x.ID != "" && y.ID != "" {
		return x.ID == y.ID
	}
	return plan.Same(attr, connector.Values{v}, connector.Values{w})
}

// set returns as with the attribute's content replaced, sorted by name; without
// values the attribute is taken out.
func set(as connector.Attributes, name string, vs connector.Values) connector.Attributes {
	as = slices.DeleteFunc(slices.Clone(as), func(a connector.Attribute) bool { return a.Name == name })
	if len(vs) == 0 {
		return as
	}
	at, _ := slices.BinarySearchFunc(as, name, func(a connector.Attribute, n string) int { return strings.Compare(a.Name, n) })
	return slices.Insert(as, at, connector.Attribute{Name: name, Values: vs})
}
