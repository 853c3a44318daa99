package store

import (
	"context"
	"fmt"
	"time"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// Held is what putting somebody under a legal hold came to.
type Held struct {
	// Stopped are the deletes that stood in the queue and do not go out any more.
	Stopped []OpRow `json:"stopped,omitempty"`
	// UnderWay are those that may have reached their target already.
	UnderWay []OpRow `json:"under_way,omitempty"`
}

// SetHold puts somebody under a legal hold, or ends it with nil; reason is kept in the
// audit trail. Deletes that were not sent are taken out of the queue, and plans that were
// made before are out of date for this person, who is looked at again by the next one.
// [ErrNotFound] when nobody is called key; [ErrState] when a hold is to end and there is none.
func (o *Org) SetHold(ctx context.Context, key identity.Key, h *identity.Hold, actor, reason string, now time.Time) (out Held, err error) {
	err = o.write(ctx, "hold", func(t *tx) error {
		out = Held{}
		g, err := t.bump(o.id)
		if err != nil {
			return err
		}
		var was string
		if err := t.get(&was, `SELECT held FROM identity WHERE org_id = ? AND source = ? AND kind = ? AND anchor = ?`, o.id, key.Source, string(key.Kind), key.Anchor); err != nil {
			return err
		}
		action, text := "identity.release", ""
		if h != nil {
			action = "identity.hold"
			if text, err = encode(h); err != nil {
				return err
			}
		} else if was == "" {
			return refuse(ErrState, "%s is under no legal hold", key.Anchor)
		}
		if _, err := t.exec(`UPDATE identity SET held = ?, rev = rev + 1, changed_gen = ? WHERE org_id = ? AND source = ? AND kind = ? AND anchor = ?`,
			text, g, o.id, key.Source, string(key.Kind), key.Anchor); err != nil {
			return err
		}
		if h != nil {
			if out, err = o.stopDeletes(t, key, now); err != nil {
				return err
			}
		}
		return t.audit(o.id, entry(now, actor, action, key.Anchor, map[string]any{
			"source": key.Source, "kind": key.Kind, "why": reason, "deletes_stopped": len(out.Stopped), "deletes_under_way": len(out.UnderWay),
		}))
	})
	return out, err
}

// stopDeletes ends the deletes of somebody's accounts that were not sent.
func (o *Org) stopDeletes(t *tx, key identity.Key, now time.Time) (out Held, err error) {
	open, err := o.operations(t.ctx, t, `WHERE org_id = ? AND anchor = ? AND source = ? AND kind = ? AND op = ? AND state IN `+openStates+t.s.dialect.forUpdate,
		o.id, key.Anchor, key.Source, string(key.Kind), string(plan.Delete))
	if err != nil {
		return out, err
	}
	for _, op := range open {
		if op.State == OpSent || op.State == OpUnknown || op.MaybeApplied || op.Continuation != nil {
			out.UnderWay = append(out.UnderWay, op)
			continue
		}
		if err := o.setOpen(t, op.ID, superseded, now); err != nil {
			return out, err
		}
		out.Stopped = append(out.Stopped, op)
	}
	return out, nil
}

// Holds returns everybody who is under a legal hold, by source and anchor.
func (o *Org) Holds(ctx context.Context) ([]identity.Identity, error) {
	ids, err := o.identities(ctx, `SELECT `+identityColumns+` FROM identity i WHERE i.org_id = ? AND i.held <> '' ORDER BY i.source, i.kind, i.anchor`, o.id)
	return ids, o.s.fail("read legal holds", err)
}

// heldOf reads the column of a hold.
func heldOf(text string) (*identity.Hold, error) {
	if text == "" {
		return nil, nil
	}
	h := &identity.Hold{}
	if err := decode(text, h); err != nil {
		return nil, fmt.Errorf("a legal hold cannot be read: %w", err)
	}
	return h, nil
}
