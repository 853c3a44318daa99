package plan

import (
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
)

var (
	now    = time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC)
	schema = connector.Schema{
		{Name: "user", Kind: connector.KindAccount, Correlation: []string{"externalId"}, Attributes: []connector.Attr{
			{Name: "userName", Required: true, Naming: true, Unique: true},
			{Name: "externalId", CaseExact: true, CreateOnly: true},
			{Name: "active", Type: connector.TypeBool},
			{Name: "created", Type: connector.TypeTimestamp, ReadOnly: true},
			{Name: "hired", Type: connector.TypeDate},
			{Name: "level", Type: connector.TypeInteger},
			{Name: "mail"},
			{Name: "password", Secret: true, Required: true, WriteOnly: true},
			{Name: "pin", WriteOnly: true, CaseExact: true},
			{Name: "phones", Multi: true},
			{Name: "ranked", Multi: true, Ordered: true},
			{Name: "title", MaxLength: 12},
			{Name: "type", Canonical: []string{"Employee", "Contractor"}},
		}},
		{Name: "group", Kind: connector.KindGroup, Attributes: []connector.Attr{{Name: "displayName", Required: true}}},
	}
)

// without returns the schema without a verb.
func without(verbs ...connector.Verb) connector.Schema {
	all := []connector.Verb{connector.VerbCreate, connector.VerbUpdate, connector.VerbEnable, connector.VerbDisable, connector.VerbDelete, connector.VerbGrant, connector.VerbRevoke}
	var left []connector.Verb
	for _, v := range all {
		keep := true
		for _, w := range verbs {
			keep = keep && v != w
		}
		if keep {
			left = append(left, v)
		}
	}
	return Narrow(schema, connector.Capabilities{Verbs: left})
}

// set is a wanted attribute.
func set(name string, values ...any) mapping.Desired {
	return mapping.Desired{Name: name, Values: values, Rule: "hub.yaml:1"}
}

func unset(name string) mapping.Desired {
	return mapping.Desired{Name: name, Clear: true, Rule: "hub.yaml:1"}
}

// want is an in-scope result.
func want(parts ...any) *mapping.Result {
	r := &mapping.Result{InScope: true}
	for _, p := range parts {
		switch x := p.(type) {
		case mapping.Desired:
			r.Attributes = append(r.Attributes, x)
		case string:
			r.Grants = append(r.Grants, identity.Grant{Entitlement: x, Reason: "rule " + x})
		}
	}
	return r
}

// subject is Jane, active, wanted as userName jane.
func subject(change ...func(*Subject)) Subject {
	s := Subject{Connector: "crm", Key: identity.Key{Source: "hr", Kind: identity.Person, Anchor: "1001"}, IdentityRev: 3,
		State: identity.Active, Want: want(set("userName", "jane")), Now: now}
	for _, c := range change {
		c(&s)
	}
	return s
}

// account gives Jane the account that the operation a create would make, with grants.
func account(change ...func(*identity.Account)) func(*Subject) {
	return func(s *Subject) {
		s.Have = identity.Account{
			AccountKey: identity.AccountKey{Source: "hr", Connector: "crm", Kind: s.Kind, Anchor: "1001"}, Rev: 7,
			Ref: connector.Ref{ID: "u1", Name: "jane"}, Ownership: identity.Created, Enabled: connector.IsEnabled,
			Applied: connector.Attributes{{Name: "userName", Values: connector.Values{"jane"}}},
		}
		for _, c := range change {
			c(&s.Have)
		}
	}
}

func grants(names ...string) func(*identity.Account) {
	return func(a *identity.Account) {
		for _, n := range names {
			a.Grants = append(a.Grants, identity.Grant{Entitlement: n, Reason: "rule " + n})
		}
	}
}

func holding(name string, values ...any) func(*identity.Account) {
	return func(a *identity.Account) {
		a.Applied = applied(a.Applied, []Change{{Name: name, After: values}})
	}
}

func disabled(ago time.Duration) func(*identity.Account) {
	return func(a *identity.Account) { a.Enabled, a.DisabledAt = connector.IsDisabled, now.Add(-ago) }
}

func owned(o identity.Ownership) func(*identity.Account) {
	return func(a *identity.Account) { a.Ownership = o }
}

func deleted(a *identity.Account) { a.Absent, a.Grants = true, nil }

func in(s identity.State) func(*Subject)  { return func(x *Subject) { x.State = s } }
func wanting(parts ...any) func(*Subject) { return func(s *Subject) { s.Want = want(parts...) } }
func outOfScope(s *Subject)               { s.Want = &mapping.Result{} }
func underHold(s *Subject)                { s.Hold = true }
func incomplete(s *Subject)               { s.Incomplete = true }
func open(op Operation, change ...func(*OpenOperation)) func(*Subject) {
	return func(s *Subject) {
		s.Open = &OpenOperation{Operation: op}
		s.Open.ID, s.Open.AccountKey = "op-1", identity.AccountKey{Source: "hr", Connector: "crm", Kind: s.Kind, Anchor: "1001"}
		for _, c := range change {
			c(s.Open)
		}
	}
}
func sent(o *OpenOperation)     { o.Sent = true }
func accepted(o *OpenOperation) { o.Sent, o.Pending = true, true }
func parked(o *OpenOperation)   { o.Parked = true }

func found(objects ...connector.Object) func(*Subject) {
	return func(s *Subject) { s.Found = objects }
}

func object(id string, attributes ...connector.Attribute) connector.Object {
	return connector.Object{Ref: connector.Ref{Type: "user", ID: id}, Attributes: attributes, Enabled: connector.IsDisabled}
}

// line is an operation as the tests below write it.
func line(op *Operation) string {
	if op == nil {
		return ""
	}
	out := string(op.Kind) + "/" + string(op.Cause)
	if op.Target.ID != "" {
		out += " " + op.Target.ID
	}
	if op.Enabled != "" {
		out += " " + string(op.Enabled)
	}
	for _, c := range op.Changes {
		out += " " + c.Name + ":" + show(c.Before) + ">" + show(c.After)
	}
	for _, g := range op.Grants {
		if g.Remove {
			out += " -" + g.Entitlement
		} else {
			out += " +" + g.Entitlement
		}
	}
	if op.Park != "" {
		out += " PARK"
	}
	return out
}

func show(vs connector.Values) string {
	out := ""
	for i, v := range vs {
		if i > 0 {
			out += ","
		}
		out += connector.Text(v)
	}
	return out
}

func codes(notes []Note) []string {
	var out []string
	for _, n := range notes {
		out = append(out, n.Code)
	}
	return out
}
