package store

import (
	"context"
	"slices"
	"time"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// Lockouts is how long it took to take accounts from people who left or went on leave:
// from the reading, or the date, that told of it until the target had done so. What a
// guard held, waited or failed is in it.
type Lockouts struct {
	// N were looked at.
	N int `json:"n"`
	// Half took no longer than Median, nineteen of twenty no longer than P95.
	Median  time.Duration `json:"median"`
	P95     time.Duration `json:"p95"`
	Longest time.Duration `json:"longest"`
}

// lockoutsMost bounds the lock-outs that are looked at.
const lockoutsMost = 10_000

// Lockouts looks at the lock-outs of a connector that were done since a time, at most
// the last ten thousand.
func (o *Org) Lockouts(ctx context.Context, connector string, since time.Time) (Lockouts, error) {
	var took []int64
	err := o.all(ctx, &took, `SELECT updated_at - told_at FROM operation WHERE org_id = ? AND connector = ? AND updated_at >= ? AND told_at > 0 AND state = 'done'
		ORDER BY updated_at DESC LIMIT ?`, o.id, connector, micros(since), lockoutsMost)
	if err != nil || len(took) == 0 {
		return Lockouts{}, o.s.fail("read how long lock-outs of "+connector+" took", err)
	}
	slices.Sort(took)
	at := func(share float64) time.Duration {
		return time.Duration(took[int(share*float64(len(took)-1)+.5)]) * time.Microsecond
	}
	return Lockouts{N: len(took), Median: at(.5), P95: at(.95), Longest: at(1)}, nil
}

// locksOut reports whether op takes an account from somebody because of the state
// that they are in.
func locksOut(op *plan.Operation) bool {
	return (op.Kind == plan.Disable || op.Kind == plan.Delete) &&
		(op.Cause == plan.CauseLeave || op.Cause == plan.CauseGone || op.Cause == plan.CauseSuspend)
}

// toldAt returns since when the states are known that operations of a plan lock people
// out for, by account; created where that is not known. An account that was locked out
// for that state already came back by other hands: there it is created, too. The plus
// sign keeps SQLite from walking all lock-outs there ever were.
func (t *tx) toldAt(org string, p *plan.Plan, created int64) (map[identity.AccountKey]int64, error) {
	told := map[identity.AccountKey]int64{}
	var people []identity.Key
	for i := range p.Operations {
		if op := &p.Operations[i]; locksOut(op) {
			told[op.AccountKey] = created
			people = append(people, op.Identity())
		}
	}
	if len(people) == 0 {
		return told, nil
	}
	since, done := map[identity.Key]int64{}, map[identity.AccountKey]int64{}
	err := t.keyChunks(people, func(kind identity.Kind, marks string, args []any) error {
		var states []struct {
			Anchor string
			Since  int64
		}
		args = append([]any{org, p.Inputs.Source, string(kind)}, args...)
		if err := t.all(&states, `SELECT anchor, state_since AS since FROM identity WHERE org_id = ? AND source = ? AND kind = ? AND anchor IN (`+marks+`)`, args...); err != nil {
			return err
		}
		for _, s := range states {
			since[identity.Key{Source: p.Inputs.Source, Kind: kind, Anchor: s.Anchor}] = s.Since
		}
		var before []struct {
			Connector, Anchor string
			At                int64
		}
		err := t.all(&before, `SELECT connector, anchor, MAX(updated_at) AS at FROM operation WHERE org_id = ? AND source = ? AND kind = ? AND anchor IN (`+marks+`)
			AND +told_at > 0 AND state = 'done' GROUP BY connector, anchor`, args...)
		for _, b := range before {
			done[identity.AccountKey{Source: p.Inputs.Source, Connector: b.Connector, Kind: kind, Anchor: b.Anchor}] = b.At
		}
		return err
	})
	for key := range told {
		if s := since[key.Identity()]; s > 0 && done[key] < s {
			told[key] = s
		}
	}
	return told, err
}
