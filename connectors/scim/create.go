package scim

import (
	"context"
	"crypto/rand"
	"errors"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// Create implements [connector.Creator].
func (t *Target) Create(ctx context.Context, c connector.Create) (connector.Ref, error) {
	s, m, err := t.use(ctx)
	if err != nil {
		return connector.Ref{}, err
	}
	typ, err := m.typeOf(c.Type)
	if err == nil {
		err = typ.can(connector.VerbCreate)
	}
	if err == nil {
		err = typ.public.CheckCreate(c)
	}
	if err != nil {
		return connector.Ref{}, err
	}
	r, err := t.resource(typ, c)
	if err != nil {
		return connector.Ref{}, err
	}
	for _, x := range c.Attributes {
		a, _ := typ.attr(x.Name)
		if err := t.resolves(ctx, s, m, a, x.Values); err != nil {
			return connector.Ref{}, err
		}
	}
	n := creation{t: t, s: s, typ: typ, c: c, resource: r}
	if n.looks() {
		if ref, err := n.look(ctx); err != nil || ref.ID != "" {
			return ref, err
		}
	}
	return n.post(ctx)
}

// resource is what a create sends.
func (t *Target) resource(typ *objectType, c connector.Create) (client.Resource, error) {
	r := client.Resource{}
	for _, x := range c.Attributes {
		a, _ := typ.attr(x.Name)
		vs, err := a.encodeAll(x.Values)
		if err != nil {
			return nil, err
		}
		if len(vs) > 0 {
			put(r, a.path, a.Multi, vs)
		}
	}
	if typ.kind != connector.KindAccount {
		return r, nil
	}
	if c.Enabled != connector.EnabledUnknown || in(t.profile.RequiredOnCreate, client.Path{Attr: "active"}) {
		r["active"] = c.Enabled != connector.IsDisabled
	}
	switch {
	case !c.Credential.IsZero():
		r["password"] = c.Credential.Reveal()
	case t.cfg.Users.RandomPassword:
		// Upper and lower case, digits and a sign satisfy the usual policies.
		r["password"] = rand.Text() + "-" + "aZ9"
	case typ.needsPassword:
		return nil, invalid("password", "the product insists on a password for a new account; set users.random_password, or give one")
	}
	return r, nil
}

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

// post makes the object.
func (n *creation) post(ctx context.Context) (connector.Ref, error) {
	made, err := n.s.Client.Create(ctx, n.typ.resource, n.resource)
	switch {
	case isUnknown(err):
		n.t.doubts.raise(n.c.Key)
		return connector.Ref{}, err
	case connector.IsCode(err, connector.CodeAlreadyExists):
		return n.taken(ctx, err)
	case err != nil:
		return connector.Ref{}, n.typ.telling(err)
	}
	n.t.doubts.settled(n.c.Key)
	if made.ID() == "" { // QUIRKS SCIM-37
		if made, err = n.made(ctx); err != nil {
			return connector.Ref{}, err
		}
	}
	return n.typ.ref(made), n.disable(ctx, made)
}

// made finds the object that a create made without telling its id.
func (n *creation) made(ctx context.Context) (client.Resource, error) {
	err := notFound(n.typ)
	for _, by := range n.keys() {
		r, findErr := n.s.find(ctx, n.typ, by)
		if findErr == nil && r.ID() != "" {
			return r, nil
		}
		err = errors.Join(err, findErr)
	}
	n.t.doubts.raise(n.c.Key)
	return nil, connector.Unknown(connector.Errorf(connector.CodeUnavailable,
		"the product accepted the new %s, told no id and does not show it yet: %w", n.typ.name, err))
}

// disable makes sure that an account which is to be made disabled is: some
// products take every new one as active.
func (n *creation) disable(ctx context.Context, made client.Resource) error {
	active, known := made.Active()
	if n.c.Enabled != connector.IsDisabled || !known || !active {
		return nil
	}
	if _, err := n.s.SetActive(ctx, made.ID(), false, ""); err != nil && !errors.Is(err, connector.Unchanged) {
		return connector.Partial(connector.AsError(err))
	}
	return nil
}

// taken says what is in the way of a create that the product refused with 409.
func (n *creation) taken(ctx context.Context, refused error) (connector.Ref, error) {
	for _, by := range n.keys() {
		r, err := n.s.find(ctx, n.typ, by)
		switch {
		case err == nil:
			return n.there(r, by)
		case connector.IsCode(err, connector.CodeAmbiguous):
			return connector.Ref{}, err
		}
	}
	if n.c.MaybeApplied { // perhaps our own, which does not show yet
		if err := n.t.doubts.unseen(n.c.Key, n.s.Profile()); err != nil {
			return connector.Ref{}, err
		}
	}
	return connector.Ref{}, n.typ.telling(refused)
}
