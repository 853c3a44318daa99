package dispatch

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

const (
	// batchMax bounds how many operations are taken, and committed as sent, at once.
	batchMax = 128
	// brisk is how short an operation must be for others to be taken ahead of need.
	brisk = 100 * time.Millisecond
	// dryFor is how long an empty queue is not asked again while work is under way.
	dryFor = 200 * time.Millisecond
	// refillShare is which part of the places of a slow target is filled as soon as it
	// is free.
	refillShare = 8
)

// room returns how many operations to take now. A quick target gets large
// batches, which cost few commits. A slow one gets no more than can begin at
// once, so that a leaver who comes meanwhile is the next to go; and so does one
// that can neither be searched nor recognises a repeated create, because what is
// committed as sent is for a person to look at after a crash. Places that become
// free while outcomes gather are filled together when those are recorded, unless
// they are a good part of all.
func (l *loop) room() int {
	free := l.health.window - len(l.flying) - len(l.taken)
	switch {
	case !l.blind() && l.pace > 0 && l.pace <= brisk:
		if len(l.taken) >= l.health.window {
			return 0
		}
		return min(4*l.health.window, batchMax) - len(l.taken)
	case len(l.pending) > 0 && free < l.health.window/refillShare:
		return 0
	}
	return free
}

// blind reports whether the target can neither be searched nor recognises a
// repeated create.
func (l *loop) blind() bool {
	caps := l.d.opts.Target.Capabilities()
	return !caps.Get && caps.Idempotency == connector.IdempotencyNone
}

// acceptedLate is how long after its time the target is asked after what it has
// accepted although other work is ready, and acceptedShare which part of a batch
// that is. Before, ready work goes first: to ask may end what the target gathers.
const (
	acceptedLate  = 5 * time.Minute
	acceptedShare = 8
)

// take leases up to n operations, commits them as sent and finds out what they
// refer to: those in doubt, those that are ready, and what the target has accepted.
func (l *loop) take(ctx context.Context, n int) error {
	o := l.d.opts
	now := o.Now()
	l.askedAt = now
	ctx, s := l.traceBatch(ctx)
	late := func(n int, due time.Time) ([]store.OpRow, error) {
		return o.Queue.Accepted(ctx, o.Connector, o.Owner, n, due, now, o.LeaseTime)
	}
	var rows []store.OpRow
	for _, lease := range []func(n int) ([]store.OpRow, error){
		func(n int) ([]store.OpRow, error) {
			return o.Queue.Unknown(ctx, o.Connector, o.Owner, n, now, o.LeaseTime)
		},
		func(n int) ([]store.OpRow, error) {
			return late((n+acceptedShare-1)/acceptedShare, now.Add(-acceptedLate))
		},
		func(n int) ([]store.OpRow, error) {
			return o.Queue.Take(ctx, o.Connector, o.Owner, n, now, o.LeaseTime)
		},
		func(n int) ([]store.OpRow, error) { return late(n, now) },
	} {
		if len(rows) >= n {
			break
		}
		more, err := lease(n - len(rows))
		if err != nil {
			return l.strayed(rows, now, err)
		}
		rows = append(rows, more...)
	}
	if len(rows) < n {
		l.dry = now.Add(dryFor)
	}
	works, err := l.works(ctx, rows, now)
	if err != nil {
		return l.strayed(rows, now, err)
	}
	for i := range works {
		works[i].batch = s
	}
	if len(works) > 0 {
		s.Number("provhub.operations", len(works)).End(nil)
	}
	slices.SortStableFunc(works, byTurn)
	l.taken = append(l.taken, works...)
	return nil
}

// turn is when w goes out among what was taken: by lane, and what the target is
// only asked after behind all else.
func (w Work) turn() plan.Lane {
	if w.Pending {
		return plan.LaneNormal + 1
	}
	return w.Lane
}

func byTurn(a, b Work) int { return cmp.Compare(a.turn(), b.turn()) }

// strayed gives back what was taken before err, and remembers that more may have been.
func (l *loop) strayed(rows []store.OpRow, now time.Time, err error) error {
	l.astray = append(l.astray, now.Add(l.d.opts.LeaseTime))
	for _, row := range rows {
		l.record(untouched(Work{OpRow: row}, now))
	}
	return err
}

// works puts rows together with what the ledger knows of their accounts and of
// those they refer to.
func (l *loop) works(ctx context.Context, rows []store.OpRow, taken time.Time) ([]Work, error) {
	shape := Shape{l.d.opts.Target.Capabilities(), l.d.opts.Target.Schema()}
	who := map[identity.Key]bool{}
	out := make([]Work, len(rows))
	for i, row := range rows {
		out[i] = Work{OpRow: row, Timeout: l.d.opts.Retry.Timeout, Taken: taken}
		who[row.Identity()] = true
		for _, key := range refersTo(out[i], shape) {
			who[key] = true
		}
	}
	ledger, refs, err := l.ledger(ctx, who)
	if err != nil {
		return nil, err
	}
	for i := range out {
		had := ledger[out[i].AccountKey]
		out[i].Account, out[i].Had = Begin(out[i].OpRow, had), had.Enabled
		out[i].Refs = refs
	}
	return out, nil
}

// ledger reads accounts of this connector, and what the target calls them.
func (l *loop) ledger(ctx context.Context, who map[identity.Key]bool) (map[identity.AccountKey]identity.Account, References, error) {
	accounts, err := l.d.opts.Queue.ConnectorAccounts(ctx, l.d.opts.Connector, slices.Collect(maps.Keys(who)))
	if err != nil {
		return nil, nil, err
	}
	refs := References{}
	for key, a := range accounts {
		if exists(a) {
			refs[key.Identity()] = a.Ref
		}
	}
	for i := range l.pending { // not in the ledger yet
		if a := l.pending[i].Account; a != nil && exists(*a) && who[a.AccountKey.Identity()] {
			refs[a.AccountKey.Identity()] = a.Ref
		}
	}
	return accounts, refs, nil
}
