package cycle

import (
	"context"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/provhub/provhub/core/identity"
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
	if p.Push != nil {
		return p.evaluatePushed(ctx, append(steady, changed...))
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

// targets sorts the connectors into those in which only who changed has to be
// looked at, and those in which everyone has: their rules are not the ones last
// applied, or read the time.
func (p *pass) targets(ctx context.Context) (steady, changed []*target, err error) {
	last, err := p.Store.Rules(ctx, p.Source.Name)
	if err != nil {
		return nil, nil, err
	}
	for i := range p.Connectors {
		c := &p.Connectors[i]
		t := newTarget(p, c)
		if last[c.Name] == c.RulesHash && !c.timed() {
			steady = append(steady, t)
		} else {
			changed = append(changed, t)
		}
	}
	return steady, changed, nil
}

// timed reports whether a rule reads now, so that what an account should hold
// changes though nobody does.
func (c *Connector) timed() bool {
	for _, p := range c.Programs {
		if p.Timed() {
			return true
		}
	}
	return false
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
	anchors, keys := make([]string, len(ids)), make([]identity.Key, len(ids))
	for i := range ids {
		anchors[i], keys[i] = ids[i].Anchor, ids[i].Key
	}
	if err := p.addGroups(ctx, ids, anchors); err != nil {
		return err
	}
	if err := p.references(ids[0].Kind).Resolve(ctx, ids); err != nil {
		return err
	}
	f := facts{ids: ids, doubtful: p.doubtful(ids)}
	var err error
	// First what is open: an operation that ends in between is in the accounts then. The
	// other way round it would be in neither.
	if f.open, err = p.Store.OpenOperations(ctx, keys); err != nil {
		return err
	}
	if f.accounts, err = p.Store.Accounts(ctx, p.Source.Name, ids[0].Kind, anchors); err != nil {
		return err
	}
	if f.managers, err = p.references(identity.Person).Managers(ctx, ids); err != nil {
		return err
	}
	results := make([]share, len(targets))
	g, together := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, t := range targets {
		g.Go(func() error { return t.evaluate(together, &f, &results[i]) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i := range results {
		p.take(&results[i])
	}
	if p.survey != nil {
		if err := p.survey.told(ctx); err != nil {
			return err
		}
	}
	if p.Progress != nil {
		p.Progress(Progress{Phase: "plan", Done: p.report.Evaluated})
	}
	return nil
}

// doubtful returns those of whom the reading does not say that they left: it is
// incomplete, or has a record of theirs that could not be used.
func (p *pass) doubtful(ids []identity.Identity) map[identity.Key]bool {
	out := map[identity.Key]bool{}
	for i := range ids {
		switch {
		case p.seen != nil:
			out[ids[i].Key] = true
		case p.unusable != nil:
			if _, m := p.unusable.find(ids[i].Kind, ids[i].Anchor); *m&(markFaulted|markDouble) != 0 {
				out[ids[i].Key] = true
			}
		}
	}
	return out
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
		err := p.Store.AccountsDisabledBefore(ctx, t.Name, p.Source.Name, before, func(k identity.AccountKey) error {
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
