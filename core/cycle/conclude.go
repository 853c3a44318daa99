package cycle

import (
	"context"
	"errors"

	"github.com/provhub/provhub/core/quality"
	"github.com/provhub/provhub/core/store"
)

// conclude ends the reading of a whole source. Somebody may have been pushed while it
// was under way: they stay as they are, and what follows is worked out anew.
func (r *reading) conclude(ctx context.Context) (err error) {
	read, verdicts := r.report, len(r.plan.Verdicts)
	for range passesMax {
		if err = r.end(ctx); !errors.Is(err, store.ErrMoved) || r.refused != nil {
			return err
		}
		r.report, r.plan.Verdicts, r.seen, r.unusable = read, r.plan.Verdicts[:verdicts], nil, nil
		if err := r.beside(ctx); err != nil {
			return err
		}
		read = r.report
	}
	return err
}

// beside leaves out who was pushed since the reading began: what the store knows of
// them is newer. Who refers to them is left out, too, and so the source is read whole
// the next time.
func (r *reading) beside(ctx context.Context) error {
	if err := r.recallLast(ctx); err != nil {
		return err
	}
	r.report.Pushed = r.last.report.Pushed
	keys, err := r.Store.ChangedSince(ctx, r.Source.Name, r.since)
	if err != nil {
		return err
	}
	for _, k := range keys {
		_, m := r.index.find(k.Kind, k.Anchor)
		if *m&markStaged != 0 {
			r.counted(*m, -1)
			r.doubles = append(r.doubles, k)
			r.passed++
		}
		*m = *m&^markStaged | markSeen
	}
	return nil
}

// end says what follows from the reading, and commits.
func (r *reading) end(ctx context.Context) error {
	r.keepPushed()
	r.report.ReadWhole = r.now
	vanished, err := r.vanished(ctx)
	if err != nil {
		return err
	}
	if r.selves > 0 {
		r.warn("%d people are named as their own manager; they count as having none", r.selves)
	}
	if err := r.judge(ctx, vanished); err != nil {
		return err
	}
	if r.look != nil {
		return r.looked(ctx, vanished)
	}
	if quality.Held(r.report.Findings) && !r.accepted() {
		return r.refuse(ctx)
	}
	r.moveClock()
	if r.passed > 0 {
		r.report.Source.Snapshot, r.report.Source.Token = "", nil // it is read whole the next time
	}
	return r.commit(ctx, r.store, r.report, vanished, r.doubles)
}
