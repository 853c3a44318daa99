package sql

import (
	"github.com/provhub/provhub/connectors/connector"
)

// need is a lookup of a unit. own marks the rows that the unit may change.
type need struct {
	lookup
	own bool
	// grants: the unit changes what the account found is in.
	grants *membership
	// everything: all its groups are wanted, because it may be taken over.
	everything bool
}

// needs lists the lookups of one operation. What does not resolve is left out
// here and answered by the planner.
func (m *model) needs(op connector.Operation) []need {
	switch o := op.(type) {
	case connector.Create:
		return m.needsOfCreate(o)
	case connector.Update:
		out := m.needsOf(o.Target)
		if e := m.entity(o.Target.Type); e != nil {
			for _, ch := range o.Changes {
				out = append(out, m.needsOfValues(e, ch.Name, ch.Replace)...)
				out = append(out, m.needsOfValues(e, ch.Name, ch.Add)...)
				if c := e.attr(ch.Name); c != nil && c == e.key {
					for _, v := range append(append(connector.Values{}, ch.Replace...), ch.Add...) {
						out = append(out, need{lookup: lookup{e, c, connector.Text(v)}, own: true})
					}
				}
			}
		}
		return out
	case connector.Rename:
		out := m.needsOf(o.Target)
		if e := m.entity(o.Target.Type); e != nil {
			out = append(out, need{lookup: lookup{e, e.key, o.NewName}, own: true})
		}
		return out
	case connector.SetEnabled:
		return m.needsOf(o.Target)
	case connector.Delete:
		return m.needsOf(o.Target)
	case connector.SetCredential:
		return m.needsOf(o.Target)
	case connector.Grant:
		return m.needsOfGrant(o.Principal, o.Entitlement)
	case connector.Revoke:
		return m.needsOfGrant(o.Principal, o.Entitlement)
	}
	return nil
}

func (m *model) needsOfCreate(o connector.Create) []need {
	e := m.entity(o.Type)
	if e == nil {
		return nil
	}
	var out []need
	add := func(c *column, value string) {
		if c != nil && value != "" {
			out = append(out, need{lookup: lookup{e, c, value}, own: true, everything: true})
		}
	}
	add(e.key, o.Attributes.Text(e.key.attr))
	if o.Correlate.Attribute != "" {
		add(e.attr(o.Correlate.Attribute), o.Correlate.Value)
	}
	if e.anchor != nil {
		add(e.anchor, o.Attributes.Text(e.anchor.attr))
	}
	for _, a := range o.Attributes {
		out = append(out, m.needsOfValues(e, a.Name, a.Values)...)
	}
	return out
}

// needsOf looks for the row that ref names: by id, else by correlation, else by key.
func (m *model) needsOf(ref connector.Ref) []need {
	if l, ok := m.lookupOf(ref); ok {
		return []need{{lookup: l, own: true}}
	}
	return nil
}

func (m *model) needsOfGrant(principal, entitlement connector.Ref) []need {
	out := m.needsOf(principal)
	j := m.membership(entitlement)
	if j == nil {
		return out
	}
	for i := range out {
		out[i].grants = j
	}
	entitlement.Type = j.group.typ
	if l, ok := m.lookupOf(entitlement); ok {
		out = append(out, need{lookup: l})
	}
	return out
}

// needsOfValues looks for what references without an id point at.
func (m *model) needsOfValues(e *entity, attr string, vs connector.Values) []need {
	c := e.attr(attr)
	if c == nil || c.refersTo == nil {
		return nil
	}
	var out []need
	for _, v := range vs {
		if ref, ok := v.(connector.Ref); ok && ref.ID == "" {
			ref.Type = c.refersTo.typ
			if l, ok := m.lookupOf(ref); ok {
				out = append(out, need{lookup: l})
			}
		}
	}
	return out
}

// lookupOf says how to find what ref names; false when it names nothing.
func (m *model) lookupOf(ref connector.Ref) (lookup, bool) {
	e := m.entity(ref.Type)
	if e == nil {
		return lookup{}, false
	}
	switch {
	case ref.ID != "":
		return lookup{e, e.id, ref.ID}, true
	case !ref.By.IsZero():
		c := e.attr(ref.By.Attribute)
		return lookup{e, c, ref.By.Value}, c != nil
	case ref.Name != "":
		return lookup{e, e.key, ref.Name}, true
	}
	return lookup{}, false
}

// membership returns the join table of an entitlement: the one of its type, or
// the only one there is.
func (m *model) membership(entitlement connector.Ref) *membership {
	if entitlement.Type == "" && len(m.users.joins) == 1 {
		return m.users.joins[0]
	}
	return m.users.membershipOf(entitlement.Type)
}
