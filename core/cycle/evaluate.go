package cycle

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
)

// Identities are worked out in chunks, with one query each for their accounts,
// their open operations and their managers.
const (
	// chunkRows is how many identities are in a chunk at most,
	chunkRows = 500
	// chunkAccounts how many accounts, so that many connectors take no more memory,
	chunkAccounts = 20_000
	// chunkLeast how many identities at least.
	chunkLeast = 20
)

// evaluate works out who changed, in every connector; everyone in a connector
// whose rules changed; and whoever has been disabled long enough to be deleted.
func (p *pass) evaluate(ctx context.Context) error {
	var err error
	if p.plan.Inputs.Generation, err = p.Store.Generation(ctx); err != nil {
		return err
	}
	p.plan.Inputs.Snapshot = p.report.Source.Snapshot
	steady, changed, err := p.targets(ctx)
	if err != nil {
		return err
	}
	if err := p.work(ctx, steady, func(yield func(identity.Identity) error) error {
		return p.Store.Pending(ctx, p.Source.Name, yield)
	}); err != nil {
		return err
	}
	if err := p.work(ctx, changed, func(yield func(identity.Identity) error) error { return p.everyone(ctx, yield) }); err != nil {
		return err
	}
	for _, t := range steady { // in the others, everyone was looked at just now
		if err := p.expire(ctx, t); err != nil {
			return err
		}
	}
	return p.Store.Observe(ctx, p.observed, p.now)
}

// targets sorts the connectors into those whose rules are the ones last applied
// and the others.
func (p *pass) targets(ctx context.Context) (steady, changed []*target, err error) {
	for i := range p.Connectors {
		c := &p.Connectors[i]
		s, err := p.Store.ConnectorState(ctx, c.Name)
		if err != nil {
			return nil, nil, err
		}
		t := newTarget(p, c)
		if s.RulesHash == c.RulesHash {
			steady = append(steady, t)
		} else {
			changed = append(changed, t)
		}
	}
	return steady, changed, nil
}

// everyone yields all who are present or have an account, and those who are gone
// since the last plan: an operation of theirs may still be open.
func (p *pass) everyone(ctx context.Context, yield func(identity.Identity) error) error {
	gone := map[identity.Key]bool{}
	err := p.Store.All(ctx, p.Source.Name, func(id identity.Identity) error {
		if id.State == identity.Gone {
			gone[id.Key] = true
		}
		return yield(id)
	})
	if err != nil {
		return err
	}
	return p.Store.Pending(ctx, p.Source.Name, func(id identity.Identity) error {
		if id.State != identity.Gone || gone[id.Key] {
			return nil
		}
		return yield(id)
	})
}

// work evaluates the identities that walk yields, in chunks of one kind.
func (p *pass) work(ctx context.Context, targets []*target, walk func(func(identity.Identity) error) error) error {
	if len(targets) == 0 {
		return nil
	}
	var ids []identity.Identity
	rows := max(chunkLeast, min(chunkRows, chunkAccounts/len(targets)))
	flush := func() error {
		err := p.chunk(ctx, targets, ids)
		ids = ids[:0]
		return err
	}
	err := walk(func(id identity.Identity) error {
		if len(ids) == rows || len(ids) > 0 && ids[0].Kind != id.Kind {
			if err := flush(); err != nil {
				return err
			}
		}
		ids = append(ids, id)
		return nil
	})
	if err != nil || len(ids) == 0 {
		return err
	}
	return flush()
}

// chunk evaluates identities of one kind in all targets, the targets side by side.
func (p *pass) chunk(ctx context.Context, targets []*target, ids []identity.Identity) error {
	anchors := make([]string, len(ids))
	var managers []string
	for i := range ids {
		anchors[i] = ids[i].Anchor
		if ids[i].Reference != "" {
			managers = append(managers, ids[i].Reference)
		}
	}
	slices.Sort(managers)
	f := facts{ids: ids}
	var err error
	if f.accounts, err = p.Store.Accounts(ctx, ids[0].Kind, anchors); err != nil {
		return err
	}
	if f.open, err = p.Store.OpenOperations(ctx, ids[0].Kind, anchors); err != nil {
		return err
	}
	if f.managers, err = p.Store.Identities(ctx, p.Source.Name, identity.Person, slices.Compact(managers)); err != nil {
		return err
	}
	results := make([]share, len(targets))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, t := range targets {
		g.Go(func() error { return t.evaluate(ctx, &f, &results[i]) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i := range results {
		p.take(&results[i])
	}
	if p.Progress != nil {
		p.Progress(Progress{Phase: "plan", Done: p.report.Evaluated})
	}
	return nil
}

// expire evaluates accounts that have been disabled for as long as the policy
// keeps them (QUIRKS Q-30). Their people have not changed, so nobody else asks.
func (p *pass) expire(ctx context.Context, t *target) error {
	if t.Policy.DeleteAfter <= 0 || p.seen != nil || slices.Contains(t.Policy.Forbid, plan.Delete) {
		return nil
	}
	done := map[identity.AccountKey]bool{}
	for i := range p.plan.Operations {
		done[p.plan.Operations[i].AccountKey] = true
	}
	return p.work(ctx, []*target{t}, func(yield func(identity.Identity) error) error {
		var keys []identity.AccountKey
		// One microsecond more, since what ends now is over and the store asks for before.
		before := p.clock.Add(-t.Policy.DeleteAfter + time.Microsecond)
		err := p.Store.AccountsDisabledBefore(ctx, t.Name, before, func(k identity.AccountKey) error {
			if !done[k] {
				keys = append(keys, k)
			}
			return nil
		})
		if err != nil {
			return err
		}
		return p.identities(ctx, keys, yield)
	})
}

// identities yields the identities of accounts, which are sorted by kind.
func (p *pass) identities(ctx context.Context, keys []identity.AccountKey, yield func(identity.Identity) error) error {
	for len(keys) > 0 {
		kind, anchors := keys[0].Kind, []string(nil)
		for len(keys) > 0 && keys[0].Kind == kind && len(anchors) < chunkRows {
			anchors = append(anchors, keys[0].Anchor)
			keys = keys[1:]
		}
		found, err := p.Store.Identities(ctx, p.Source.Name, kind, anchors)
		if err != nil {
			return err
		}
		for _, a := range anchors {
			if id, ok := found[a]; ok {
				if err := yield(id); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// facts are what is known of a chunk of identities.
type facts struct {
	ids      []identity.Identity
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
	evaluated  int
}

func (p *pass) take(s *share) {
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
	key := identity.AccountKey{Connector: t.Name, Kind: id.Kind, Anchor: id.Anchor}
	s := plan.Subject{Connector: t.Name, Key: id.Key, IdentityRev: id.Rev, State: id.State, Have: f.accounts[key],
		Incomplete: t.pass.seen != nil, Now: t.pass.clock}
	if open, ok := f.open[key]; ok {
		s.Open = &open
	}
	out.evaluated++
	if t.Policy.Needed(id.State) {
		want, err := program.Eval(mapping.Subject{Key: id.Key, Attributes: id.Attributes, Manager: f.managers[id.Reference].Attributes,
			State: id.State, HasAccount: s.Have.Rev > 0 && !s.Have.Absent, Now: t.pass.clock}, t.names)
		if err != nil {
			out.faults = append(out.faults, plan.Note{AccountKey: key, Code: codeOf(err), Text: err.Error()})
			return nil
		}
		s.Want = &want
		if err := t.match.find(ctx, &s); err != nil {
			return err
		}
	}
	out.add(key, plan.Diff(s, t.Policy, t.schema), s.Want)
	return nil
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
	var is bool
	is, t.err = t.pass.Store.NameTaken(t.ctx, t.connector, attribute, value, anchor)
	return is
}
