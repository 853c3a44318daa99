package ldap

import (
	"context"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// Grant implements [connector.Granter].
func (t *Target) Grant(ctx context.Context, g connector.Grant) error {
	if !g.ExpiresAt.IsZero() {
		return connector.Errorf(connector.CodeUnsupported, "a membership of a directory does not expire by itself")
	}
	return t.membership(ctx, ldap.OpAdd, g.Principal, g.Entitlement)
}

// Revoke implements [connector.Granter].
func (t *Target) Revoke(ctx context.Context, r connector.Revoke) error {
	return t.membership(ctx, ldap.OpDelete, r.Principal, r.Entitlement)
}

// membership adds an account to a group or takes it out. The account is read
// first: its name may have changed, and a directory keeps members that do not
// exist.
func (t *Target) membership(ctx context.Context, op ldap.Op, account, group connector.Ref) error {
	s, m, release, err := t.work(ctx)
	if err != nil {
		return err
	}
	defer release()
	gt, err := m.groupType(group.Type)
	if err != nil {
		return err
	}
	e, err := s.resolve(ctx, m, m.users, account)
	if err != nil {
		return err
	}
	if m.permissive && m.dir.Users.Memberships != "" {
		// The permissive-modify control does not tell what was so already.
		if known, err := s.knownMember(ctx, m, gt, *e, group); err != nil {
			return err
		} else if known != nil && *known == (op == ldap.OpAdd) {
			return connector.Unchanged
		}
	}
	q, err := s.queue(ctx, m, gt, group)
	if connector.IsCode(err, connector.CodeNotFound) {
		return missingGroup(gt, err)
	}
	if err != nil {
		return err
	}
	return q.change(ctx, op, gt.memberValue(m, *e))
}

func missingGroup(gt *objectType, cause error) error {
	return &connector.Error{Code: connector.CodeDependencyMissing, Message: "there is no such " + gt.name + " in the directory", Cause: cause}
}

func (m *model) groupType(name string) (*objectType, error) {
	for _, g := range m.groups {
		if g.name == name || name == "" && len(m.groups) == 1 {
			return g, nil
		}
	}
	return nil, connector.Errorf(connector.CodeUnsupported, "there is no kind of groups %q in the config", name)
}

// knownMember tells from the account's own list whether it is in the group; nil
// when the group's name is not known yet.
func (s *session) knownMember(ctx context.Context, m *model, gt *objectType, e ldap.Entry, group connector.Ref) (*bool, error) {
	q, err := s.queue(ctx, m, gt, group)
	if connector.IsCode(err, connector.CodeNotFound) {
		return nil, missingGroup(gt, err)
	}
	if err != nil {
		return nil, err
	}
	in := false
	for _, text := range e.Get(m.dir.Users.Memberships) {
		if dn, err := ldap.ParseDN(text); err == nil && dn.Equal(q.name()) {
			in = true
		}
	}
	return &in, nil
}
