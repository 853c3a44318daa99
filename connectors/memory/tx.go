package memory

import (
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// tx is one transaction on a locked store. Its effects show in the objects at
// once, and are journalled together at the end.
type tx struct {
	s    *Store
	now  time.Time
	done []Effect
	undo []func()
}

// effect changes one object: before becomes after, where nil means not there.
func (t *tx) effect(c connector.Call, verb connector.Verb, before, after *record, entitlement string) {
	e := Effect{At: t.now, Verb: verb, Operation: c.ID, Entitlement: entitlement, After: after}
	of := after
	if after == nil {
		of = before
	}
	e.Type, e.ID, e.Key = of.Type, of.ID, of.key()
	if before != nil && after != nil && before.ID != after.ID {
		e.Was = before.ID
	}
	n := len(t.s.effects)
	t.s.apply(e)
	t.done = append(t.done, e)
	t.undo = append(t.undo, func() {
		t.s.forget(e.Type, e.ID)
		delete(t.s.moved, connector.Ref{Type: e.Type, ID: e.Was})
		if before != nil {
			t.s.remember(before)
		}
		t.s.effects = t.s.effects[:n]
	})
}

// mark is a point to roll back to.
func (t *tx) mark() int { return len(t.undo) }

// rollback undoes everything since mark.
func (t *tx) rollback(mark int) {
	for i := len(t.undo) - 1; i >= mark; i-- {
		t.undo[i]()
	}
	t.undo, t.done = t.undo[:mark], t.done[:mark]
}

// commit makes the effects last. What the journal refuses did not happen.
func (t *tx) commit() error {
	if t.s.journal == nil || len(t.done) == 0 {
		return nil
	}
	if err := t.s.journal.append(t.done); err != nil {
		t.rollback(0)
		return connector.Errorf(connector.CodeUnavailable, "the journal cannot be written: %w", err)
	}
	return nil
}
