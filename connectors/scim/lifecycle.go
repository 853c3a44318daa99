package scim

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// SetEnabled implements [connector.Enabler] (QUIRKS SCIM-60, SCIM-62).
func (t *Target) SetEnabled(ctx context.Context, e connector.SetEnabled) error {
	s, m, err := t.use(ctx)
	if err != nil {
		return err
	}
	typ, err := m.typeOf(e.Target.Type)
	if err == nil {
		err = typ.can(e.Verb())
	}
	if err != nil {
		return err
	}
	r, err := s.subject(ctx, typ, e.Target, e.IfVersion)
	hidden := s.Profile().DisabledVisible == client.DisabledHidden
	switch active, known := r.Active(); {
	case hidden && !e.Enabled && connector.IsCode(err, connector.CodeNotFound):
		return connector.Unchanged // a disabled account is not shown
	case err != nil:
		return err
	case known && active == e.Enabled:
		return connector.Unchanged
	case e.Enabled && s.Profile().Reactivate == client.ReactivateCreate:
		return s.again(ctx, typ, r)
	}
	now, err := s.SetActive(ctx, r.ID(), e.Enabled, e.IfVersion)
	if err == nil && now.ID() != "" {
		return connector.Applied(connector.Object{Ref: typ.ref(now), Enabled: connector.EnabledIf(e.Enabled)})
	}
	return err
}

// again enables an account where the product wants it to be made anew.
func (s *service) again(ctx context.Context, typ *objectType, r client.Resource) error {
	made, err := s.Client.Create(ctx, typ.resource, anew(r))
	if err == nil && made.ID() != "" {
		return connector.Applied(connector.Object{Ref: typ.ref(made), Enabled: connector.IsEnabled})
	}
	return err
}

// anew is an account to be made again, with all that it holds.
func anew(r client.Resource) client.Resource {
	out := r.Clone()
	maps.DeleteFunc(out, func(name string, _ any) bool {
		return slices.ContainsFunc([]string{"id", "meta", "groups", "active"}, func(own string) bool { return strings.EqualFold(name, own) })
	})
	out["active"] = true
	return out
}

// Delete implements [connector.Deleter].
func (t *Target) Delete(ctx context.Context, d connector.Delete) error {
	s, m, err := t.use(ctx)
	if err != nil {
		return err
	}
	typ, err := m.typeOf(d.Target.Type)
	if err != nil {
		return err
	}
	effect := s.Profile().DeleteEffect(typ.resource)
	if typ.can(connector.VerbDelete) != nil {
		if effect == client.DeleteIrreversible {
			return connector.Errorf(connector.CodePolicy, "%s cannot undo a delete of a %s; if that is meant, set allow_irreversible_delete", s.Profile().Name, typ.name)
		}
		return typ.can(connector.VerbDelete)
	}
	r, err := s.subject(ctx, typ, d.Target, d.IfVersion)
	active, known := r.Active()
	switch {
	case connector.IsCode(err, connector.CodeNotFound):
		return connector.Unchanged
	case err != nil:
		return err
	case effect == client.DeleteSoft && typ.resource == client.Users && known && !active:
		return connector.Unchanged // as gone as it gets
	}
	if err := s.Client.Delete(ctx, typ.resource, r.ID(), d.IfVersion); err != nil && !errors.Is(err, connector.Unchanged) {
		return err
	}
	t.groups.forget(r.ID())
	t.seen.forget(r.ID())
	return nil
}
