package cycle

import (
	"context"
	"errors"
	"slices"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
)

// facts are what is known of a chunk of identities.
type facts struct {
	ids      []identity.Identity
	doubtful map[identity.Key]bool
	accounts map[identity.AccountKey]identity.Account
	open     map[identity.AccountKey]plan.OpenOperation
	managers map[string]identity.Identity
}

// share is what one target gives to the plan.
type share struct {
	operations []plan.Operation
	withdraw   []string
	observed   []identity.Account
	names      []plan.NameReservation
	notes      []plan.Note
	faults     []plan.Note
	missed     []Missed // in a survey alone
	evaluated  int
}

func (p *pass) take(s *share) {
	if p.survey != nil {
		p.survey.take(s)
		return
	}
	p.plan.Operations = append(p.plan.Operations, s.operations...)
	p.plan.Withdraw = append(p.plan.Withdraw, s.withdraw...)
	p.observed = append(p.observed, s.observed...)
	p.plan.Names = append(p.plan.Names, s.names...)
	p.plan.Notes = append(p.plan.Notes, s.notes...)
	p.plan.Faults = append(p.plan.Faults, s.faults...)
	p.report.Evaluated += s.evaluated
}

// target is a connector during one pass.
type target struct {
	*Connector
	pass   *pass
	schema connector.Schema
	taken  *taken
	names  *mapping.Chosen
	match  *matcher
}

func newTarget(p *pass, c *Connector) *target {
	t := &target{Connector: c, pass: p, schema: plan.Narrow(c.Schema, c.Capabilities)}
	t.taken = &taken{pass: p, connector: c.Name}
	t.names = mapping.NewChosen(t.taken)
	t.match = newMatcher(p, c, t.schema)
	return t
}

// evaluate works out a chunk of identities in their order, so that names are
// given in the same order whatever the order of the source.
func (t *target) evaluate(ctx context.Context, f *facts, out *share) error {
	t.taken.ctx = ctx
	for i := range f.ids {
		id := &f.ids[i]
		program := t.Programs[id.Kind]
		if program == nil {
			continue
		}
		if err := t.one(ctx, f, id, program, out); err != nil {
			return err
		}
		if t.taken.err != nil {
			return t.taken.err
		}
	}
	return nil
}

// one works out one account.
func (t *target) one(ctx context.Context, f *facts, id *identity.Identity, program *mapping.Program, out *share) error {
	key := id.Account(t.Name)
	s := plan.Subject{Connector: t.Name, Key: id.Key, IdentityRev: id.Rev, State: id.State, Have: f.accounts[key],
		Incomplete: f.doubtful[id.Key], Pushed: t.pass.Push != nil, Hold: id.Hold != nil, Now: t.pass.clock}
	if open, ok := f.open[key]; ok {
		s.Open = &open
	}
	out.evaluated++
	policy := t.policy(id.Kind)
	if policy.Needed(id.State) {
		want, err := program.Eval(mapping.Subject{Key: id.Key, Attributes: id.Attributes, Manager: f.managers[id.Reference].Attributes,
			State: id.State, HasAccount: s.Have.Rev > 0 && !s.Have.Absent, Now: t.pass.clock}, t.names)
		if err != nil {
			out.fault(key, err, t.pass.survey != nil)
			return nil
		}
		s.Want = &want
		if err := t.match.find(ctx, &s); err != nil {
			return err
		}
	}
	step := plan.Diff(s, *policy, t.schema)
	if err := t.match.rival(ctx, &s, &step); err != nil {
		return err
	}
	if t.pass.survey != nil {
		out.miss(key, &s, step)
		return nil
	}
	out.add(key, step, s.Want)
	return nil
}

// fault notes that an account could not be worked out.
func (s *share) fault(key identity.AccountKey, err error, surveyed bool) {
	n := plan.Note{AccountKey: key, Code: codeOf(err), Text: err.Error()}
	if surveyed {
		s.missed = append(s.missed, Missed{AccountKey: key, Fault: &n})
		return
	}
	s.faults = append(s.faults, n)
}

func codeOf(err error) string {
	var f *mapping.Fault
	if errors.As(err, &f) {
		return f.Code
	}
	return mapping.CodeMapping
}

// add takes over what was decided about one account. Of several things that are
// unsettled about it, the first stands for all.
func (s *share) add(key identity.AccountKey, step plan.Step, want *mapping.Result) {
	unsettled := false
	for _, n := range step.Notes {
		switch {
		case !n.Unsettled():
			s.notes = append(s.notes, n)
		case !unsettled:
			unsettled = true
			s.faults = append(s.faults, n)
		}
	}
	if step.Withdraw != "" {
		s.withdraw = append(s.withdraw, step.Withdraw)
	}
	if step.Observe != nil {
		s.observed = append(s.observed, *step.Observe)
	}
	if step.Operation == nil {
		return
	}
	s.operations = append(s.operations, *step.Operation)
	if want == nil {
		return
	}
	for _, n := range want.Names {
		if sets(step.Operation, n) {
			s.names = append(s.names, plan.NameReservation{AccountKey: key, Reservation: n})
		}
	}
}

// sets reports whether op gives the account a chosen name; an adopted account
// keeps the one it has.
func sets(op *plan.Operation, n mapping.Reservation) bool {
	return slices.ContainsFunc(op.Changes, func(c plan.Change) bool {
		return c.Name == n.Attribute && len(c.After) == 1 && (op.Kind == plan.Create || fold(connector.Text(c.After[0])) == n.Value)
	})
}

// taken asks the store which names are in use.
type taken struct {
	ctx       context.Context
	pass      *pass
	connector string
	err       error // the first; it ends the pass
}

// Taken implements [mapping.Names].
func (t *taken) Taken(attribute, value, anchor string) bool {
	if t.err != nil {
		return false
	}
	if t.pass.reserved[reservation{t.connector, mapping.Reservation{Attribute: attribute, Value: value}}] {
		return true
	}
	var is bool
	is, t.err = t.pass.Store.NameTaken(t.ctx, t.connector, attribute, value, t.pass.Source.Name, anchor)
	return is
}
