package scim

import (
	"context"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// creation is a create under way.
type creation struct {
	t        *Target
	s        *service
	typ      *objectType
	c        connector.Create
	resource client.Resource
}

// looks reports whether to look before writing.
func (n *creation) looks() bool {
	switch {
	case n.c.MaybeApplied:
		return true
	case n.t.cfg.Lookup == "never", n.c.Correlate.IsZero():
		return false
	case n.t.cfg.Lookup == "always", n.c.Adopt:
		return true
	}
	a, _ := n.typ.attr(n.c.Correlate.Attribute)
	return !a.kept // else the product itself refuses a second one
}

// keys are the ways to find what is in the way, best first.
func (n *creation) keys() []connector.Correlation {
	keys := []connector.Correlation{n.c.Correlate}
	for _, name := range []string{n.typ.anchor, n.typ.naming().Name} {
		keys = append(keys, connector.Correlation{Attribute: name, Value: n.c.Attributes.Text(name)})
	}
	var out []connector.Correlation
	seen := map[string]bool{}
	for _, k := range keys {
		if a, ok := n.typ.attr(k.Attribute); ok && k.Value != "" && !a.WriteOnly && !seen[k.Attribute] {
			out, seen[k.Attribute] = append(out, k), true
		}
	}
	return out
}

// look finds what is there already. The zero Ref and no error when nothing is.
func (n *creation) look(ctx context.Context) (connector.Ref, error) {
	keys := n.keys()
	if !n.c.MaybeApplied {
		keys = keys[:min(1, len(keys))]
	}
	for _, by := range keys {
		r, err := n.s.find(ctx, n.typ, by)
		switch {
		case err == nil:
			return n.there(r, by)
		case connector.IsCode(err, connector.CodeNotFound), connector.IsCode(err, connector.CodeUnsupported):
		default:
			return connector.Ref{}, err
		}
	}
	if n.c.MaybeApplied {
		return connector.Ref{}, n.t.doubts.unseen(n.c.Key, n.s.Profile())
	}
	return connector.Ref{}, nil
}

// there decides about what was found in the place of the new object
// (QUIRKS SCIM-24): an earlier try of our own, or to be taken over, or in the way.
func (n *creation) there(r client.Resource, by connector.Correlation) (connector.Ref, error) {
	o := n.typ.object(r, nil)
	n.t.doubts.settled(n.c.Key)
	switch {
	case n.c.MaybeApplied && n.ours(o):
		if n.asSent(o) {
			return o.Ref, connector.Unchanged
		}
		return o.Ref, connector.Adopted(o)
	case n.c.Adopt && by == n.c.Correlate:
		if err := n.typ.protects(o); err != nil {
			return connector.Ref{}, err
		}
		return o.Ref, connector.Adopted(o)
	}
	return connector.Ref{}, &connector.Error{Code: connector.CodeAlreadyExists, Conflicting: &o.Ref, Attributes: []string{by.Attribute},
		Message: "there is a " + n.typ.name + " with this " + by.Attribute + " already"}
}

// ours reports whether an earlier try of this create made o: it carries our
// anchor, or where we give none it is just as sent.
func (n *creation) ours(o connector.Object) bool {
	if a, ok := n.typ.attr(n.typ.anchor); ok {
		if want, has := n.c.Attributes.Text(a.Name), o.Attributes.Text(a.Name); want != "" && has != "" {
			return a.Equal(want, has)
		}
	}
	return n.asSent(o)
}

// asSent reports whether o holds all that the create gives.
func (n *creation) asSent(o connector.Object) bool {
	for _, x := range n.c.Attributes {
		a, _ := n.typ.attr(x.Name)
		if !a.WriteOnly && !same(a.Attr, x.Values, o.Attributes.Get(x.Name)) {
			return false
		}
	}
	return n.c.Enabled == connector.EnabledUnknown || o.Enabled == connector.EnabledUnknown || n.c.Enabled == o.Enabled
}
