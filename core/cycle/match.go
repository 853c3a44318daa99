package cycle

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
)

// getsMax is how many accounts are looked up one by one before the target is
// listed instead.
const getsMax = 100

// matcher finds existing accounts in one target for people who have none in the
// ledger.
type matcher struct {
	pass       *pass
	connector  *Connector
	schema     connector.Schema
	gets       int
	listed     map[identity.Kind]*listing
	holders    *holders
	unlistable bool
}

// listing is a target's objects of one type by folded attribute value.
type listing map[string]map[string][]connector.Object

func newMatcher(p *pass, c *Connector, schema connector.Schema) *matcher {
	return &matcher{pass: p, connector: c, schema: schema, listed: map[identity.Kind]*listing{}}
}

// find sets s.Found, s.HeldBy and s.Unasked where somebody wants an account and
// has none in the ledger. A target that cannot be asked is no error.
func (m *matcher) find(ctx context.Context, s *plan.Subject) error {
	p := m.connector.policy(s.Kind)
	if len(p.Match) == 0 || !s.Want.InScope || s.Have.Rev > 0 && !s.Have.Absent || s.Open != nil && s.Open.Sent {
		return nil
	}
	if s.State == identity.PreHire && !p.PreCreate {
		return nil
	}
	object, ok := plan.ObjectType(m.schema, s.Kind)
	if !ok {
		return nil
	}
	if s.Unfindable = m.connector.Unfindable; s.Unfindable != "" {
		return nil
	}
	for _, name := range p.Match {
		value := wanted(s.Want, name)
		if value == "" {
			continue
		}
		found, err := m.lookup(ctx, &object, s.Kind, connector.Correlation{Attribute: name, Value: value})
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			s.Unasked = true
			return m.heldByLedger(ctx, s)
		}
		if len(found) > 0 {
			s.Found = found
			return m.held(ctx, s)
		}
	}
	return nil
}

// wanted returns the one value that the attribute called name shall have, "" when
// there is none or several.
func wanted(want *mapping.Result, name string) string {
	for _, a := range want.Attributes {
		if a.Name == name && len(a.Values) == 1 {
			return strings.TrimSpace(connector.Text(a.Values[0]))
		}
	}
	return ""
}

var errUnasked = errors.New("the target cannot be asked")

// lookup returns the objects that by finds: one by one at first, and from a list
// of the target once there are many to look for.
func (m *matcher) lookup(ctx context.Context, object *connector.ObjectType, kind identity.Kind, by connector.Correlation) ([]connector.Object, error) {
	c := m.connector
	if c.Target == nil {
		return nil, errUnasked
	}
	gettable := c.Capabilities.Get && slices.Contains(object.Correlation, by.Attribute)
	if c.Capabilities.List && !m.unlistable && (!gettable || m.gets >= getsMax) {
		found, err := m.inList(ctx, object, kind, by)
		if err == nil || !gettable {
			return found, err
		}
		m.unlistable = true // go on one by one
	}
	if !gettable {
		return nil, errUnasked
	}
	m.gets++
	return m.get(ctx, connector.Ref{Type: object.Name, By: by})
}

func (m *matcher) get(ctx context.Context, ref connector.Ref) ([]connector.Object, error) {
	found, err := m.connector.Target.Get(ctx, ref, nil)
	if err == nil {
		return []connector.Object{found}, nil
	}
	switch connector.AsError(err).Code {
	case connector.CodeNotFound:
		return nil, nil
	case connector.CodeAmbiguous:
		return []connector.Object{{Ref: ref}, {Ref: ref}}, nil
	}
	return nil, err
}

// inList finds objects in a listing of the target, which is made once.
func (m *matcher) inList(ctx context.Context, object *connector.ObjectType, kind identity.Kind, by connector.Correlation) ([]connector.Object, error) {
	if m.listed[kind] == nil {
		l, err := m.list(ctx, object, m.connector.policy(kind).Match)
		if err != nil {
			return nil, err
		}
		m.listed[kind] = &l
	}
	found := (*m.listed[kind])[by.Attribute][fold(by.Value)]
	if len(found) == 1 && m.connector.Capabilities.Get {
		// The listing is of a while ago, and keeps no more than matching needs.
		return m.get(ctx, connector.Ref{Type: object.Name, ID: found[0].Ref.ID})
	}
	return found, nil
}

func (m *matcher) list(ctx context.Context, object *connector.ObjectType, match []string) (listing, error) {
	l := listing{}
	for _, name := range match {
		l[name] = map[string][]connector.Object{}
	}
	q := connector.ListQuery{Type: object.Name}
	if m.connector.Capabilities.Get {
		q.Attributes = match
	}
	end, err := m.connector.Target.List(ctx, q, func(o connector.Object) error {
		for _, name := range match {
			for _, v := range o.Attributes.Get(name) {
				k := fold(connector.Text(v))
				l[name][k] = append(l[name][k], o)
			}
		}
		return nil
	})
	if err == nil && !end.Complete {
		err = errUnasked // whoever is not in it may be there all the same
	}
	return l, err
}

func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// held names the other identity that the one found account belongs to, or will
// once an open operation is done (QUIRKS HR-2), and says when that one has left
// (QUIRKS HR-10).
func (m *matcher) held(ctx context.Context, s *plan.Subject) error {
	if len(s.Found) != 1 {
		return nil
	}
	if err := m.readHolders(ctx); err != nil {
		return err
	}
	if s.HeldBy = m.holders.other(holding{kind: s.Kind, value: s.Found[0].Ref.ID}, s.Key); s.HeldBy == (identity.Key{}) {
		return nil
	}
	return m.former(ctx, s)
}

// heldByLedger names the other identity whose account, as far as we know, matches:
// a create that takes over what it finds would take it from them.
func (m *matcher) heldByLedger(ctx context.Context, s *plan.Subject) error {
	p := m.connector.policy(s.Kind)
	if p.OnMatch != plan.MatchAdopt {
		return nil
	}
	if err := m.readHolders(ctx); err != nil {
		return err
	}
	for _, name := range p.Match {
		if value := wanted(s.Want, name); value != "" && s.HeldBy == (identity.Key{}) {
			s.HeldBy = m.holders.other(holding{s.Kind, name, fold(value)}, s.Key)
		}
	}
	return nil
}

func (m *matcher) readHolders(ctx context.Context) error {
	if m.holders != nil {
		return nil
	}
	h := &holders{}
	err := m.pass.Store.Holdings(ctx, m.connector.Name, func(a identity.Account) error {
		h.add(a, m.known(a.Kind))
		return nil
	})
	m.pass.others(m.connector.Name, func(op *plan.Operation) {
		if op.Kind == plan.Create || op.Kind == plan.Adopt {
			h.add(plan.After(identity.Account{}, op), m.known(op.AccountKey.Kind))
		}
	})
	m.holders = h
	return err
}

// former sets s.Former when nothing more is to be done with the account for s.HeldBy:
// they have left and it is disabled, or their source feeds this connector no more.
func (m *matcher) former(ctx context.Context, s *plan.Subject) error {
	by := s.HeldBy
	s.Unfed = !slices.Contains(m.connector.fedBy(s.Source), by.Source)
	ids, err := m.pass.Store.Identities(ctx, by.Source, by.Kind, []string{by.Anchor})
	if err != nil {
		return err
	}
	if state := ids[by.Anchor].State; !s.Unfed && state != identity.Gone && state != identity.Leaver {
		return nil
	}
	key := by.Account(m.connector.Name)
	open, err := m.pass.Store.OpenOperations(ctx, []identity.Key{by})
	if err != nil {
		return err
	}
	accounts, err := m.pass.Store.Accounts(ctx, by.Source, by.Kind, []string{by.Anchor})
	if err != nil {
		return err
	}
	_, busy := open[key]
	if a, ok := accounts[key]; ok && !busy && a.Ownership != identity.Observed && (s.Unfed || a.Enabled == connector.IsDisabled) {
		s.Former = &a
	}
	return nil
}
