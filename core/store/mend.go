package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// Press is who does something to operations, and why.
type Press struct {
	By  string // required
	Why string // goes into the audit trail
	Now time.Time
}

// Mended says what became of a press.
type Mended struct {
	// Done are the ids of the operations that it changed.
	Done []string `json:"done"`
	// Refused are those it could not change.
	Refused []Refused `json:"refused,omitempty"`
}

// Refused is one operation that could not be changed.
type Refused struct {
	ID  string `json:"id"`
	Why string `json:"why"` // one plain sentence
}

// RetryOperations makes parked and retrying operations ready at once, with their
// attempts forgotten, in a person's name. It needs no working role. Like all that
// people do here it looks at the state in the transaction that changes it: whoever
// comes second is told what the first one did.
func (o *Org) RetryOperations(ctx context.Context, ids []string, p Press) (Mended, error) {
	return o.mend(ctx, mending{action: "operation.retry", from: RetryFrom, set: `state = 'ready', attempts = 0, next_attempt_at = 0`}, ids, p)
}

// RetryFrom are the states that a person can try again from, SkipFrom those that can
// be ended, HandFrom those that can be handed over.
var (
	RetryFrom = []OpState{OpParked, OpRetry}
	SkipFrom  = []OpState{OpParked, OpRetry, OpReady}
	HandFrom  = []OpState{OpParked, OpRetry, OpUnknown}
)

// SkipOperations ends unsent operations without doing them, in a person's name.
// An account is not looked at again until something about it changes.
func (o *Org) SkipOperations(ctx context.Context, ids []string, p Press) (Mended, error) {
	return o.mend(ctx, mending{
		action: "operation.skip", from: SkipFrom, set: `state = 'skipped', next_attempt_at = 0`,
		// A plan made of the same inputs later must be another plan than this one.
		before: func(t *tx) error { _, err := t.bump(o.id); return err },
	}, ids, p)
}

// HandOver marks operations as being with the operators of the hub; p.Why is what
// they are told. It changes nothing else.
func (o *Org) HandOver(ctx context.Context, ids []string, p Press) (Mended, error) {
	return o.mend(ctx, mending{
		action: "operation.handover", from: HandFrom, marks: true,
		set: `handed_at = ?, handed_by = ?, handed_note = ?`, args: []any{micros(p.Now), p.By, cut(p.Why, answerMax)},
	}, ids, p)
}

// TakeBack ends [Org.HandOver].
func (o *Org) TakeBack(ctx context.Context, ids []string, p Press) (Mended, error) {
	return o.mend(ctx, mending{
		action: "operation.takeback", from: OpenStates, marks: true, handed: true,
		set: `handed_at = 0, handed_by = '', handed_note = ''`,
	}, ids, p)
}

// mending is one thing that people do to operations.
type mending struct {
	action string
	from   []OpState
	set    string
	args   []any
	// marks: the operation stays as it is, so the target may be at work on it.
	marks bool
	// handed: only to those that are handed over.
	handed bool
	before func(*tx) error // once, in the transaction
}

// mendable is what has to be known of an operation before it is changed.
type mendable struct {
	ID, Source, Connector, Kind, Anchor, Op string
	State                                   OpState
	Pending                                 bool
	Handed                                  bool
}

// mend changes operations in one transaction.
func (o *Org) mend(ctx context.Context, m mending, ids []string, p Press) (out Mended, err error) {
	if p.By == "" {
		return out, refuse(ErrState, "%s needs the name of who does it", m.action)
	}
	err = o.write(ctx, m.action, func(t *tx) error {
		out = Mended{}
		found, err := o.mendable(t, ids)
		if err != nil {
			return err
		}
		var entries []AuditEntry
		for _, id := range ids {
			op, there := found[id]
			if why := m.refusal(id, op, there); why != "" {
				out.Refused = append(out.Refused, Refused{id, why})
				continue
			}
			out.Done = append(out.Done, id)
			entries = append(entries, m.entry(op, p))
			delete(found, id) // the second time in the list it is not there to be changed
		}
		if len(out.Done) == 0 {
			return nil
		}
		if m.before != nil {
			if err := m.before(t); err != nil {
				return err
			}
		}
		if err := o.change(t, m, out.Done, p.Now); err != nil {
			return err
		}
		return t.audit(o.id, entries...)
	})
	return out, err
}

func (o *Org) change(t *tx, m mending, ids []string, now time.Time) error {
	set, setArgs := m.set, slices.Clone(m.args)
	if !m.marks {
		set, setArgs = set+`, updated_at = ?`, append(setArgs, micros(now))
	}
	return t.s.dialect.inChunks(ids, func(marks string, args []any) error {
		_, err := t.exec(`UPDATE operation SET `+set+` WHERE org_id = ? AND id IN (`+marks+`)`, append(append(slices.Clone(setArgs), o.id), args...)...)
		return err
	})
}

// mendable locks and reads operations, always in the same order.
func (o *Org) mendable(t *tx, ids []string) (map[string]mendable, error) {
	found := map[string]mendable{}
	err := t.s.dialect.inChunks(slices.Sorted(slices.Values(ids)), func(marks string, args []any) error {
		var ops []mendable
		err := t.all(&ops, `SELECT id, source, connector, kind, anchor, op, state, CASE WHEN continuation IS NOT NULL THEN 1 ELSE 0 END AS pending,
			CASE WHEN handed_at > 0 THEN 1 ELSE 0 END AS handed
			FROM operation WHERE org_id = ? AND id IN (`+marks+`) ORDER BY id`+t.s.dialect.forUpdate, append([]any{o.id}, args...)...)
		for _, op := range ops {
			found[op.ID] = op
		}
		return err
	})
	return found, err
}

// refusal says why the operation cannot be changed like that; "": it can.
func (m *mending) refusal(id string, op mendable, there bool) string {
	switch {
	case !there:
		return fmt.Sprintf("there is no operation %.8s, or it was named twice", id)
	case !slices.Contains(m.from, op.State):
		return fmt.Sprintf("operation %.8s is %s; only one that is %s can be changed like that", op.ID, op.State, oneOf(m.from))
	case op.Pending && !m.marks:
		return fmt.Sprintf("operation %.8s waits for work the target has accepted; nothing else may go out before it answers", op.ID)
	case m.handed && !op.Handed:
		return fmt.Sprintf("operation %.8s is not handed over", op.ID)
	}
	return ""
}

func (m *mending) entry(op mendable, p Press) AuditEntry {
	detail := map[string]any{"operation": op.ID, "source": op.Source, "kind": op.Kind, "op": op.Op, "was": op.State}
	if p.Why != "" {
		detail["why"] = p.Why
	}
	key := identity.AccountKey{Source: op.Source, Connector: op.Connector, Kind: identity.Kind(op.Kind), Anchor: op.Anchor}
	return entry(p.Now, p.By, m.action, objectOf(key), detail)
}

// AdoptOperation turns a parked create into taking over the account that is in its
// way, in a person's name. [ErrState] when there is no such account, or when another
// person's account in the ledger is the one.
func (o *Org) AdoptOperation(ctx context.Context, id string, p Press) error {
	op, err := o.operation(ctx, o.s.reader, id, "")
	if err != nil {
		return o.s.fail("read operation", err)
	}
	ref, err := inTheWay(op)
	if err != nil {
		return err
	}
	if holder, err := o.holder(ctx, op.AccountKey, ref); err != nil || holder != "" {
		if err != nil {
			return o.s.fail("look for the account", err)
		}
		return refuse(ErrState, "the account that is in the way of operation %.8s belongs to %s: it cannot be taken over", op.ID, holder)
	}
	return o.byPerson(ctx, "operation.adopt", op.ID, p.By, p.Why, p.Now, []OpState{OpParked}, func(t *tx, op OpRow) error {
		ref, err := inTheWay(op)
		if err != nil {
			return err
		}
		op.Operation.Kind, op.Target, op.Park = plan.Adopt, ref, ""
		body, err := encode(op.Operation)
		if err != nil {
			return err
		}
		return o.setOpen(t, op.ID, `state = 'ready', attempts = 0, next_attempt_at = 0, steps_done = 0, edited = edited + 1, op = ?, body = ?`,
			p.Now, string(plan.Adopt), body)
	})
}

// inTheWay returns the account that a create met.
func inTheWay(op OpRow) (connector.Ref, error) {
	if op.Operation.Kind != plan.Create || op.LastError == nil || op.LastError.Conflicting == nil || op.LastError.Conflicting.ID == "" {
		return connector.Ref{}, refuse(ErrState, "operation %.8s is not a create that met an account of which the target told the id: there is nothing to take over", op.ID)
	}
	return *op.LastError.Conflicting, nil
}

// holder returns whose account in the ledger of key's connector has the reference,
// besides key's own; "": nobody's. It walks the accounts of the connector.
func (o *Org) holder(ctx context.Context, key identity.AccountKey, ref connector.Ref) (who string, err error) {
	err = o.Holdings(ctx, key.Connector, func(a identity.Account) error {
		if a.Ref.ID == ref.ID && a.Ref.Type == ref.Type && a.AccountKey != key {
			who = a.Identity().In(key.Source)
		}
		return nil
	})
	return who, err
}
