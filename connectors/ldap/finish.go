package ldap

import (
	"context"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// finish brings a new account to the wanted state. Where the directory makes
// accounts disabled, the password comes before enabling. Each step may have been
// done by an earlier try.
func (s *session) finish(ctx context.Context, m *model, typ *objectType, c connector.Create, e ldap.Entry) error {
	if typ != m.users {
		return nil
	}
	if !m.dir.CreateDisabled && c.Enabled == connector.IsDisabled {
		if err := s.setEnabled(ctx, m, e, false); err != nil && err != connector.Unchanged {
			return connector.Partial(err)
		}
	}
	password := c.Credential
	if password.IsZero() && s.generates(m) {
		password = generated(s.cfg.InitialPassword)
	}
	if !password.IsZero() && !s.hasPassword(ctx, m, e, c) {
		if err := s.setPassword(ctx, m, e, password, false, c.Enabled == connector.IsDisabled); err != nil {
			return connector.Partial(err)
		}
	}
	if m.dir.CreateDisabled && c.Enabled != connector.IsDisabled && !password.IsZero() {
		if err := s.setEnabled(ctx, m, e, true); err != nil && err != connector.Unchanged {
			return connector.Partial(err)
		}
	}
	return nil
}

// hasPassword reports whether an earlier try of the same create got as far as
// enabling the account, which it does last: its password is not set again.
func (s *session) hasPassword(ctx context.Context, m *model, e ldap.Entry, c connector.Create) bool {
	if !c.MaybeApplied || !m.dir.CreateDisabled {
		return false
	}
	state, err := s.state(ctx, m.users, e)
	return err == nil && state == connector.IsEnabled
}

func (s *session) generates(m *model) bool {
	if p := s.cfg.InitialPassword; p != nil {
		return p.Mode != "none"
	}
	return m.dir.Password.Generate
}
