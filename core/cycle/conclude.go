package cycle

import (
	"context"
	"errors"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/quality"
	"github.com/provhub/provhub/core/source"
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
// them came later. Who refers to them is left out, too. Where the reading has another
// word about one of them the source is read whole the next time: then that may be the
// last one.
func (r *reading) beside(ctx context.Context) error {
	if err := r.recallLast(ctx); err != nil {
		return err
	}
	r.report.Pushed = r.last.report.Pushed
	keys, err := r.Store.ChangedSince(ctx, r.Source.Name, r.since)
	if err != nil {
		return err
	}
	for _, kind := range []identity.Kind{identity.Person, identity.Group} {
		var anchors []string
		for _, k := range keys {
			if k.Kind == kind {
				anchors = append(anchors, k.Anchor)
			}
		}
		known, err := r.Store.Identities(ctx, r.Source.Name, kind, anchors)
		if err != nil {
			return err
		}
		for _, anchor := range anchors {
			r.leaveOut(known[anchor])
		}
	}
	return nil
}

// leaveOut takes out of the reading what it has of somebody who is stored as id since.
func (r *reading) leaveOut(id identity.Identity) {
	hash, m := r.index.find(id.Kind, id.Anchor)
	there := *m&(markStored|markSeen) == markStored|markSeen
	switch {
	case *m&markStaged != 0:
		r.counted(*m, -1)
		r.doubles = append(r.doubles, id.Key)
		r.passed++
	case r.asks(): // what changed meanwhile is told the next time
	case there != id.AbsentSince.IsZero(), there && *hash != id.Hash:
		r.passed++
	}
	*m = *m&^markStaged | markSeen
}

// asks reports whether the source is asked what changed since this reading.
func (r *reading) asks() bool {
	_, ok := r.Reader.(source.Incremental)
	return ok && r.report.Source.Token != nil
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
	if r.again = r.passed > 0; r.again {
		r.report.Source.Snapshot, r.report.Source.Token = "", nil
	}
	return r.commit(ctx, r.store, r.report, vanished, r.doubles)
}
