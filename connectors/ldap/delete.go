package ldap

import (
	"context"

	"github.com/provhub/provhub/connectors/connector"
)

// Delete implements [connector.Deleter]. Entries below it are not touched: an
// entry that has some is refused (QUIRKS LDAP-22).
func (t *Target) Delete(ctx context.Context, d connector.Delete) error {
	s, m, release, err := t.work(ctx)
	if err != nil {
		return err
	}
	defer release()
	typ, err := m.byName(d.Target.Type)
	if err != nil {
		return err
	}
	e, err := s.mine(ctx, m, typ, d.Target)
	if connector.IsCode(err, connector.CodeNotFound) {
		return connector.Unchanged // its place was read, and it is not there
	}
	if err != nil {
		return err
	}
	if err := m.current(*e, d.IfVersion); err != nil {
		return err
	}
	guard, err := m.guard(*e, d.IfVersion)
	if err != nil {
		return err
	}
	err = s.Client.Delete(ctx, e.DN, m.alone(guard)...)
	switch {
	case connector.IsCode(err, connector.CodeNotFound):
		return connector.Unchanged
	case connector.IsCode(err, connector.CodePermission):
		return oneObject(err, "; it may be protected from deletion, or the right to delete is missing")
	case err != nil:
		return err
	}
	return s.forget(ctx, m, typ, e.DN, nil)
}

// oneObject makes a missing right a matter of one entry: single entries have
// access rules of their own, such as protection from accidental deletion.
func oneObject(err error, advice string) error {
	own := *connector.AsError(err)
	own.Scope = connector.ScopeObject
	own.Message += advice
	return &own
}
