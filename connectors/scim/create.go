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

// post makes the object.
func (n *creation) post(ctx context.Context) (connector.Ref, error) {
	made, err := n.send(ctx)
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
