package scim

import (
	"context"
	"errors"
	"slices"
	"strings"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// Update implements [connector.Updater].
func (t *Target) Update(ctx context.Context, u connector.Update) error {
	s, m, err := t.use(ctx)
	if err != nil {
		return err
	}
	typ, err := m.typeOf(u.Target.Type)
	if err == nil {
		err = typ.can(connector.VerbUpdate)
	}
	if err == nil {
		err = typ.public.CheckUpdate(u)
	}
	if err != nil {
		return err
	}
	for _, c := range u.Changes {
		a, _ := typ.attr(c.Name)
		if err := t.resolves(ctx, s, m, a, append(slices.Clone(c.Replace), c.Add...)); err != nil {
			return err
		}
	}
	r, err := s.change(ctx, typ, u)
	if err == nil && r.ID() != "" {
		return connector.Applied(connector.Object{Ref: typ.ref(r)})
	}
	return err
}

// Rename implements [connector.Renamer]: it sets the attribute that people know
// the object by.
func (t *Target) Rename(ctx context.Context, n connector.Rename) (connector.Ref, error) {
	s, m, err := t.use(ctx)
	if err != nil {
		return connector.Ref{}, err
	}
	typ, err := m.typeOf(n.Target.Type)
	if err == nil {
		err = typ.can(connector.VerbRename)
	}
	if err == nil && n.NewContainer != "" {
		err = connector.Errorf(connector.CodeUnsupported, "SCIM has no containers to move a %s to", typ.name)
	}
	if err != nil {
		return connector.Ref{}, err
	}
	u := connector.Update{Call: n.Call, Target: n.Target, Changes: []connector.Change{{Name: typ.naming().Name, Replace: connector.Values{n.NewName}}}}
	if err := typ.public.CheckUpdate(u); err != nil {
		return connector.Ref{}, err
	}
	r, err := s.change(ctx, typ, u)
	ref := connector.Ref{Type: typ.name, ID: n.Target.ID, Name: n.NewName}
	if id := r.ID(); id != "" {
		ref = typ.ref(r)
	}
	return ref, err
}

// SetCredential implements [connector.Credentialer]. A password that is refused
// is POLICY, and what the product says of it is not kept: it may repeat it.
func (t *Target) SetCredential(ctx context.Context, c connector.SetCredential) error {
	s, m, err := t.use(ctx)
	if err != nil {
		return err
	}
	typ, err := m.typeOf(c.Target.Type)
	if err == nil {
		err = typ.can(connector.VerbSetCredential)
	}
	if err == nil && c.MustChange {
		err = connector.Errorf(connector.CodeUnsupported, "SCIM cannot make somebody change the password at the next sign-in")
	}
	if err != nil {
		return err
	}
	r, err := s.subject(ctx, typ, c.Target, c.IfVersion)
	if err != nil {
		return err
	}
	_, err = s.Client.Update(ctx, client.Update{Type: typ.resource, ID: r.ID(), Current: r, IfMatch: c.IfVersion,
		Changes: []client.Change{{Path: client.Path{Attr: "password"}, Replace: []any{c.Credential.Reveal()}}}})
	if connector.IsCode(err, connector.CodeInvalidValue) {
		err = recoded(err, connector.CodePolicy)
	}
	var e *connector.Error
	if errors.As(err, &e) {
		e.Detail = ""
	}
	return err
}

// change carries out an update of attributes and returns the resource as it is
// then, as far as the product tells; nil when it does not.
func (s *service) change(ctx context.Context, typ *objectType, u connector.Update) (client.Resource, error) {
	r, err := s.subject(ctx, typ, u.Target, u.IfVersion)
	if err != nil {
		return nil, err
	}
	changes, err := typ.changes(r, u.Changes)
	if err != nil {
		return nil, err
	}
	if len(changes) == 0 {
		return r, connector.Unchanged
	}
	now, err := s.Client.Update(ctx, client.Update{Type: typ.resource, ID: r.ID(), Changes: changes, Current: r, IfMatch: u.IfVersion})
	if errors.Is(err, connector.Unchanged) {
		return r, err
	}
	return now, typ.telling(err)
}

// changes returns what is to be changed of a resource: only what differs, as the
// whole content of single values and as a delta of lists.
func (t *objectType) changes(r client.Resource, wanted []connector.Change) ([]client.Change, error) {
	var out []client.Change
	for _, w := range wanted {
		a, _ := t.attr(w.Name)
		have := a.decode(r)
		want := w.On(a.Attr, have)
		if !a.WriteOnly && same(a.Attr, have, want) {
			continue
		}
		c := client.Change{Path: a.path, Multi: a.Multi}
		var err error
		if w.Delta && a.Multi {
			c.Delta = true
			if c.Add, err = a.encodeAll(without(a.Attr, want, have)); err == nil {
				c.Remove, err = a.encodeAll(without(a.Attr, have, want))
			}
		} else {
			c.Replace, err = a.encodeAll(want)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// telling returns an error of the client that names attributes as the hub does.
func (t *objectType) telling(err error) error {
	var e *connector.Error
	if errors.As(err, &e) {
		e.Attributes = t.named(e.Attributes)
	}
	var a *connector.Answer
	if errors.As(err, &a) && a.Result.Outcome == connector.OutcomePartial {
		return connector.Partial(a.Result.Err, t.named(a.Result.Applied)...)
	}
	return err
}

// named turns paths into names of attributes.
func (t *objectType) named(paths []string) []string {
	var out []string
	for _, text := range paths {
		name := text
		for _, a := range t.attrs {
			if strings.EqualFold(a.path.String(), text) || strings.EqualFold(a.path.Bare().String(), text) {
				name = a.Name
				break
			}
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// same reports whether two contents are the same to the attribute.
func same(a connector.Attr, x, y connector.Values) bool {
	if a.Multi && !a.Ordered {
		return len(without(a, x, y)) == 0 && len(without(a, y, x)) == 0
	}
	return slices.EqualFunc(x, y, a.Equal)
}

// without returns the values of x that y does not have.
func without(a connector.Attr, x, y connector.Values) connector.Values {
	return slices.DeleteFunc(slices.Clone(x), func(v connector.Value) bool {
		return slices.ContainsFunc(y, func(w connector.Value) bool { return a.Equal(v, w) })
	})
}
