package ldap

import (
	"context"
	"slices"

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
	q, err := s.queue(ctx, m, gt, group)
	switch {
	case connector.IsCode(err, connector.CodeNotFound) && op == ldap.OpDelete:
		return connector.Unchanged // its place was read, and nobody is in a group that is not there
	case connector.IsCode(err, connector.CodeNotFound):
		return missingGroup(gt, group, err)
	case err != nil:
		return err
	}
	if m.permissive && m.dir.Users.Memberships != "" {
		// The permissive-modify control does not tell what was so already.
		if m.knownMember(*e, q.name()) == (op == ldap.OpAdd) {
			return connector.Unchanged
		}
	}
	return q.change(ctx, op, gt.memberValue(m, *e))
}

// missingGroup names the group as the hub does: somebody has to make it.
func missingGroup(gt *objectType, ref connector.Ref, cause error) error {
	text := "there is no such " + gt.name + " in the directory"
	if name := orElse(connector.Text(ref.By.Value), orElse(ref.Name, ref.ID)); name != "" {
		text = "there is no " + gt.name + " " + name + " in the directory"
	}
	return &connector.Error{Code: connector.CodeDependencyMissing, Message: text, Cause: cause}
}

func (m *model) groupType(name string) (*objectType, error) {
	for _, g := range m.groups {
		if g.name == name || name == "" && len(m.groups) == 1 {
			return g, nil
		}
	}
	return nil, connector.Errorf(connector.CodeUnsupported, "there is no kind of groups %q in the config", name)
}

// knownMember tells from the account's own list whether it is in the group.
func (m *model) knownMember(e ldap.Entry, group ldap.DN) bool {
	return slices.ContainsFunc(e.Get(m.dir.Users.Memberships), func(text string) bool {
		dn, err := ldap.ParseDN(text)
		return err == nil && dn.Equal(group)
	})
}
