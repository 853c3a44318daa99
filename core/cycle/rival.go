package cycle

import (
	"context"
	"fmt"
	"slices"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
)

// known are the attributes that an account of this kind is known by: those that it is
// matched by, and where several sources meet all that the target finds it by or takes
// from one only. Within one source the target says so itself.
func (m *matcher) known(kind identity.Kind) []string {
	names := slices.Clone(m.connector.policy(kind).Match)
	object, ok := plan.ObjectType(m.schema, kind)
	if !ok || !m.shared() {
		return names
	}
	names = append(names, object.Correlation...)
	for _, a := range object.Attributes {
		if a.Unique {
			names = append(names, a.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// shared reports whether several sources feed the connector.
func (m *matcher) shared() bool { return len(m.connector.fedBy(m.pass.Source.Name)) > 1 }

// rival takes the operation out of a step that would make or take over an account
// which somebody of another source has already, or will have (QUIRKS HR-2, HR-8). The
// first one keeps it: whose it is, a person must say.
func (m *matcher) rival(ctx context.Context, s *plan.Subject, step *plan.Step) error {
	op := step.Operation
	if !m.shared() || op == nil || op.Kind != plan.Create && op.Kind != plan.Adopt {
		return nil
	}
	if err := m.readHolders(ctx); err != nil {
		return err
	}
	known := m.known(s.Kind)
	for _, c := range op.Changes {
		if !slices.Contains(known, c.Name) || len(c.After) != 1 {
			continue
		}
		by := m.holders.other(holding{s.Kind, c.Name, fold(connector.Text(c.After[0]))}, s.Key)
		if by == (identity.Key{}) || by.Source == s.Source || by == op.Replaces {
			continue
		}
		step.Operation = nil
		step.Notes = append(step.Notes, plan.Note{AccountKey: op.AccountKey, Code: plan.NoteConflict, Text: fmt.Sprintf(
			"claims the same %s as %s; two people cannot share an account: make the rules or the sources tell them apart", c.Name, by.In(s.Source))})
		return nil
	}
	return nil
}

// others yields the operations for one connector of other sources' plans that are not
// in the queue yet.
func (p *pass) others(connector string, yield func(*plan.Operation)) {
	for _, other := range p.Others {
		for i := range other.Operations {
			if op := &other.Operations[i]; op.Connector == connector {
				yield(op)
			}
		}
	}
}

// reservation is a name in one connector.
type reservation struct {
	connector string
	mapping.Reservation
}

// reservations are the names that plans of other sources take.
func reservations(others []*plan.Plan) map[reservation]bool {
	out := map[reservation]bool{}
	for _, other := range others {
		for _, n := range other.Names {
			out[reservation{n.Connector, n.Reservation}] = true
		}
	}
	return out
}
