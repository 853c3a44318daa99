package hub

import (
	"context"
	"fmt"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
)

// Explanation says why a person's accounts are as they are, from the target's
// value back through the rule to the source.
type Explanation struct {
	Person  Person  `json:"person"`
	Manager *Person `json:"manager,omitempty"`
	// Why says how the person's state follows from the source.
	Why        string                 `json:"why"`
	Connectors []ConnectorExplanation `json:"connectors"`
}

// ConnectorExplanation is one connector's part.
type ConnectorExplanation struct {
	Connector string      `json:"connector"`
	Place     string      `json:"place"` // of the connector in the config
	Account   AccountView `json:"account"`
	// Fault says why the rules could not be worked out; "": they could.
	Fault  string          `json:"fault,omitempty"`
	Traces []mapping.Trace `json:"traces,omitempty"`
}

// Explain explains one person, in all connectors or only the one named. It asks
// no target: it speaks of the last reading and the ledger.
func (h *Hub) Explain(ctx context.Context, text, only string) (Explanation, error) {
	p, err := h.Person(ctx, text)
	if err != nil {
		return Explanation{}, err
	}
	return h.ExplainPerson(ctx, p, only)
}

// ExplainPerson is [Hub.Explain] for a person who is found already.
func (h *Hub) ExplainPerson(ctx context.Context, p Person, only string) (Explanation, error) {
	views, err := h.Accounts(ctx, p, only)
	if err != nil {
		return Explanation{}, err
	}
	byName := map[string]AccountView{}
	for _, v := range views {
		byName[v.Connector] = v
	}
	out := Explanation{Person: p, Why: whyState(p)}
	if out.Manager, err = h.manager(ctx, p); err != nil {
		return Explanation{}, err
	}
	for i := range h.cfg.Connectors {
		c := &h.cfg.Connectors[i]
		if only != "" && c.Name != only || !c.FedBy(p.Source) {
			continue
		}
		out.Connectors = append(out.Connectors, h.explainOne(ctx, c, out, byName[c.Name]))
	}
	return out, nil
}

func (h *Hub) explainOne(ctx context.Context, c *config.Connector, e Explanation, v AccountView) ConnectorExplanation {
	ce := ConnectorExplanation{Connector: c.Name, Place: fmt.Sprintf("%s:%d", h.cfg.Path, c.Line), Account: v}
	ce.Account.Connector = c.Name
	s := h.cfg.Source(e.Person.Source)
	fields, err := fieldsOf(h.cfg, s)
	if err != nil {
		ce.Fault = err.Error()
		return ce
	}
	programs, err := compile(c, s, fields)
	if err != nil {
		ce.Fault = err.Error()
		return ce
	}
	program := programs[e.Person.Kind]
	if program == nil {
		ce.Fault = fmt.Sprintf("it has no rules for a %s", e.Person.Kind)
		return ce
	}
	subject := mapping.Subject{
		Key: e.Person.Key, Attributes: e.Person.Attributes, State: e.Person.State,
		HasAccount: v.Rev > 0 && !v.Absent, Now: h.now(),
	}
	if e.Manager != nil {
		subject.Manager = e.Manager.Attributes
	}
	if ce.Traces, err = program.Explain(subject, takenNames{ctx, h, c.Name, s.Name}); err != nil {
		ce.Fault = err.Error()
	}
	return ce
}

// manager returns whom the person's reference names, nil when there is none.
func (h *Hub) manager(ctx context.Context, p Person) (*Person, error) {
	if p.Reference == "" {
		return nil, nil
	}
	r, err := h.references(p.Source, identity.Person)
	if err != nil {
		return nil, err
	}
	found, err := r.Managers(ctx, []identity.Identity{{Reference: p.Reference}})
	if err != nil {
		return nil, err
	}
	m, ok := found[p.Reference]
	if !ok {
		return nil, nil
	}
	return &Person{Key: m.Key, State: m.State, FirstSeen: m.FirstSeen, Position: m.Position, Attributes: m.Attributes}, nil
}

// whyState says in plain words where a person's state comes from.
func whyState(p Person) string {
	switch p.State {
	case identity.Gone:
		return "not in the source any more"
	case identity.PreHire:
		return "the start date is still to come"
	case identity.Leaver:
		return "the status or the last day in the source says so"
	case identity.Suspended:
		return "the status in the source says so"
	}
	return "in the source, at work"
}

// takenNames answers unique() from the store. An error counts as taken: a name
// that may be somebody's is never given out.
type takenNames struct {
	ctx       context.Context
	h         *Hub
	connector string
	source    string
}

// Taken implements [mapping.Names].
func (n takenNames) Taken(attribute, value, anchor string) bool {
	taken, err := n.h.org.NameTaken(n.ctx, n.connector, attribute, value, n.source, anchor)
	return taken || err != nil
}

// Has returns what the target last took for an attribute.
func (ce *ConnectorExplanation) Has(attribute string) connector.Values {
	return ce.Account.Applied.Get(attribute)
}

// Holds reports whether the target last took an entitlement.
func (ce *ConnectorExplanation) Holds(entitlement string) bool {
	for _, g := range ce.Account.Grants {
		if g.Entitlement == entitlement {
			return true
		}
	}
	return false
}
