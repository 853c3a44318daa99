package memory

import (
	"slices"

	"github.com/provhub/provhub/connectors/connector"
)

// edge makes the account hold the entitlement, or not.
func (t *tx) edge(op connector.Operation, principal, entitlement connector.Ref, held bool) (answer, err error) {
	r, err := t.s.get(principal, nil)
	if err != nil {
		return nil, err
	}
	if r.Type != typeUser {
		return nil, connector.Errorf(connector.CodeUnsupported, "a %s holds no entitlements", r.Type)
	}
	if err := sameVersion(op.Meta(), r); err != nil {
		return nil, err
	}
	what, err := t.entitlement(entitlement)
	switch {
	case err != nil && held:
		return nil, err
	case err != nil:
		return connector.Unchanged, nil // what is not there is held by nobody
	}
	grants := slices.DeleteFunc(t.s.grantsOf(r), func(g connector.Ref) bool { return g.Type == what.Type && g.ID == what.ID })
	holds := len(grants) < len(t.s.grantsOf(r))
	if holds == held {
		return connector.Unchanged, nil
	}
	next := r.next(t.now)
	if held {
		grants = append(grants, connector.Ref{Type: what.Type, ID: what.ID})
	}
	next.Grants = grants
	t.effect(op.Meta(), op.Verb(), r, next, what.ID)
	return nil, nil
}

func (t *tx) entitlement(ref connector.Ref) (*record, error) {
	if ref.Type != typeGroup && ref.Type != typeRole {
		return nil, connector.Errorf(connector.CodeUnsupported, "a %s cannot be granted", ref.Type)
	}
	r, err := t.s.get(ref, nil)
	if connector.IsCode(err, connector.CodeNotFound) {
		return nil, connector.Errorf(connector.CodeDependencyMissing, "the %s to be granted is not there", ref.Type)
	}
	return r, err
}
