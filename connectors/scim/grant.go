package scim

import (
	"context"
	"errors"
	"net/http"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// Grant implements [connector.Granter].
func (t *Target) Grant(ctx context.Context, g connector.Grant) error {
	if len(g.Attributes) > 0 || !g.ExpiresAt.IsZero() {
		return connector.Errorf(connector.CodeUnsupported, "a SCIM group membership has no attributes and does not expire by itself")
	}
	return t.membership(ctx, g.Principal, g.Entitlement, false)
}

// Revoke implements [connector.Granter].
func (t *Target) Revoke(ctx context.Context, r connector.Revoke) error {
	return t.membership(ctx, r.Principal, r.Entitlement, true)
}

// membership adds an account to a group or removes it.
//
// A single change is looked up first, so that it can be answered with Unchanged
// or NOT_FOUND. Of many at once only those are read that fail: a read for each
// would cost more than all the writes, and adding a member twice is harmless
// (RFC 7644 §3.5.2.1).
func (t *Target) membership(ctx context.Context, account, entitlement connector.Ref, remove bool) error {
	s, m, err := t.use(ctx)
	if err != nil {
		return err
	}
	typ, err := m.typeOf(account.Type)
	if err == nil {
		err = typ.can(connector.VerbGrant)
	}
	if err != nil {
		return err
	}
	group, err := t.groupOf(ctx, s, m, entitlement)
	err = s.vouched(ctx, err)
	if connector.IsCode(err, connector.CodeNotFound) && remove {
		return connector.Unchanged // nobody is in a group that is not there
	}
	if err != nil {
		return missing(err)
	}
	alone := t.busy.Add(1) == 1
	defer t.busy.Add(-1)
	change := client.MemberChange{ID: account.ID, Remove: remove}
	if account.ID == "" || alone || s.Profile().BadMember == client.BadMemberIgnored || s.Profile().MemberDisplayRequired {
		if change, err = s.member(ctx, typ, account, group, change); err != nil {
			return err
		}
	}
	if err := t.members.do(ctx, group, change, 1); err != nil {
		return t.whyNot(ctx, s, m, err, group, change)
	}
	return nil
}

// member completes a change by reading the account. Unchanged when it is a
// member already, or already not.
func (s *service) member(ctx context.Context, typ *objectType, account connector.Ref, group string, change client.MemberChange) (client.MemberChange, error) {
	r, err := s.read(ctx, typ, account, typ.selection([]string{typ.anchor, account.By.Attribute}))
	if err != nil {
		return change, err
	}
	change.ID, change.Display = r.ID(), typ.ref(r).Name
	held, known := false, typ.tellsGrants
	for _, g := range typ.held(r) {
		held = held || g.ID == group
	}
	if !known {
		held, err = s.HasMember(ctx, group, change.ID)
		known = err == nil
	}
	if known && held != change.Remove {
		return change, connector.Unchanged
	}
	return change, nil
}

func memberOf(c client.MemberChange) string { return c.ID }

// changeMembers is what the merger of grants sends.
func (t *Target) changeMembers(ctx context.Context, group string, changes []client.MemberChange) []error {
	return t.current().ChangeMembers(ctx, group, changes)
}

// whyNot says whether the account or the group is missing where the product's
// answer may mean either.
func (t *Target) whyNot(ctx context.Context, s *service, m *model, err error, group string, change client.MemberChange) error {
	var refused *client.Fault
	switch {
	case !errors.As(err, &refused):
		return err
	case refused.Status == http.StatusNotFound, refused.Status == http.StatusBadRequest, refused.Status == http.StatusUnprocessableEntity:
	case refused.Status == http.StatusInternalServerError && s.Profile().BadMember == client.BadMemberError500:
	default:
		return err
	}
	_, gone := s.Client.Get(ctx, client.Groups, group, m.groups.selection([]string{}))
	if gone = s.vouched(ctx, gone); connector.IsCode(gone, connector.CodeNotFound) {
		t.groups.forget(group)
		if change.Remove {
			return connector.Unchanged
		}
		return missing(gone)
	}
	if _, gone := s.Client.Get(ctx, client.Users, change.ID, m.users.selection([]string{})); connector.IsCode(gone, connector.CodeNotFound) {
		return gone
	}
	return err
}

// missing turns the absence of a group into a dependency.
func missing(err error) error {
	if connector.IsCode(err, connector.CodeNotFound) {
		return connector.Errorf(connector.CodeDependencyMissing, "the group is not in the target yet")
	}
	return err
}
