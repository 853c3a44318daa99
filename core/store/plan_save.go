package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/plan"
)

// SavePlan stores a plan under its hash with its operations, and makes older
// plans of the same source superseded unless they are applied or rejected.
// status is [PlanProposed] or [PlanHeld].
//
// A plan that is there already (existed) keeps an approval, a rejection and being
// applied; otherwise it gets status, the snapshot and the verdicts of p, which
// the hash does not cover.
func (o *Org) SavePlan(ctx context.Context, p *plan.Plan, status PlanStatus, actor string, now time.Time) (existed bool, err error) {
	if status != PlanProposed && status != PlanHeld {
		return false, fmt.Errorf("a plan is saved as %s or %s, not %s", PlanProposed, PlanHeld, status)
	}
	if p.Hash == "" {
		return false, fmt.Errorf("a plan without a hash cannot be saved: seal it first")
	}
	inputs, err := encode(p.Inputs)
	if err != nil {
		return false, err
	}
	verdicts, err := encode(p.Verdicts)
	if err != nil {
		return false, err
	}
	settled, err := o.planSettled(ctx, p, inputs, verdicts, status)
	if err != nil || settled {
		return settled, o.s.fail("save plan", err)
	}
	err = o.write(ctx, "plan.save", func(t *tx) error {
		existed, err = o.savePlan(t, p, inputs, verdicts, status, actor, now)
		return err
	})
	return existed, err
}

// planSettled reports whether saving the plan again would write nothing.
func (o *Org) planSettled(ctx context.Context, p *plan.Plan, inputs, verdicts string, status PlanStatus) (bool, error) {
	var n int
	err := o.get(ctx, &n, `SELECT COUNT(*) FROM plan p WHERE org_id = ? AND hash = ? AND inputs = ?
		AND (status = ? AND verdicts = ? OR status IN ('approved', 'rejected', 'applied'))
		AND (? OR NOT EXISTS (SELECT 1 FROM plan q WHERE q.org_id = p.org_id AND q.source = p.source AND q.hash <> p.hash
			AND q.status IN ('proposed', 'held', 'approved')))`, o.id, p.Hash, inputs, string(status), verdicts, p.Inputs.Partial)
	return n > 0, err
}

func (o *Org) savePlan(t *tx, p *plan.Plan, inputs, verdicts string, status PlanStatus, actor string, now time.Time) (existed bool, err error) {
	n, err := t.exec(`UPDATE plan SET inputs = ?, verdicts = CASE WHEN status IN ('superseded', 'proposed', 'held') THEN ? ELSE verdicts END,
		status = CASE WHEN status IN ('superseded', 'proposed', 'held') THEN ? ELSE status END
		WHERE org_id = ? AND hash = ?`, inputs, verdicts, string(status), o.id, p.Hash)
	if err != nil {
		return false, err
	}
	existed = n > 0
	if !existed {
		if err := o.insertPlan(t, p, status, now); err != nil {
			return false, err
		}
	}
	if err := o.insertOperations(t, p, now); err != nil {
		return false, err
	}
	if err := o.supersedePlans(t, p); err != nil {
		return false, err
	}
	return existed, t.audit(o.id, entry(now, actor, "plan.save", p.Hash, map[string]any{
		"status": status, "source": p.Inputs.Source, "counts": countOperations(p.Operations), "again": existed,
	}))
}

// plansKept is how many superseded plans of a source keep their operations, for
// people who want to see what would have been done.
const plansKept = 5

// supersedePlans ends the other plans of the source that were not applied. Of
// older ones only the row stays: a source that changes every hour while a guard
// holds its plan must not fill the disk.
func (o *Org) supersedePlans(t *tx, p *plan.Plan) error {
	if p.Inputs.Partial {
		return nil
	}
	_, err := t.exec(`UPDATE plan SET status = 'superseded' WHERE org_id = ? AND source = ? AND hash <> ?
		AND status IN ('proposed', 'held', 'approved')`, o.id, p.Inputs.Source, p.Hash)
	if err != nil {
		return err
	}
	_, err = t.exec(`DELETE FROM operation WHERE org_id = ? AND state = 'planned' AND plan IN (
		SELECT hash FROM plan WHERE org_id = ? AND source = ? AND status = 'superseded' ORDER BY created_at DESC, hash LIMIT 100 OFFSET ?)`,
		o.id, o.id, p.Inputs.Source, plansKept)
	return err
}

func (o *Org) insertPlan(t *tx, p *plan.Plan, status PlanStatus, now time.Time) error {
	row := []any{o.id, p.Hash, p.Inputs.Source, p.Inputs.Generation, string(status), micros(now), len(p.Operations)}
	for _, v := range []any{p.Inputs, countOperations(p.Operations), p.Verdicts, p.Notes, p.Faults, p.Withdraw, p.Names, p.Rules} {
		text, err := encode(v)
		if err != nil {
			return err
		}
		row = append(row, text)
	}
	return t.insert(`INSERT INTO plan (org_id, hash, source, generation, status, created_at, operations,
		inputs, counts, verdicts, notes, faults, withdraw, names, rules, applied_at, approved_by, reason, approved_at, until_at)`,
		[][]any{append(row, 0, "", "", 0, 0)}, "")
}

// insertOperations stores the operations in the plan's order, unless they are
// there already.
func (o *Org) insertOperations(t *tx, p *plan.Plan, now time.Time) error {
	if len(p.Operations) == 0 {
		return nil
	}
	var there int
	err := t.get(&there, `SELECT COUNT(*) FROM (SELECT 1 FROM operation WHERE org_id = ? AND plan = ? LIMIT 1) q`, o.id, p.Hash)
	if err != nil || there > 0 {
		return err
	}
	var next int64
	err = t.get(&next, `INSERT INTO org_state (org_id, generation, next_seq) VALUES (?, 0, ?)
		ON CONFLICT (org_id) DO UPDATE SET next_seq = org_state.next_seq + ? RETURNING next_seq`,
		o.id, len(p.Operations)+1, len(p.Operations))
	if err != nil {
		return err
	}
	first := next - int64(len(p.Operations))
	// A plan that is saved again was made when it was made first: lists by time go by that.
	var created int64
	if err := t.get(&created, `SELECT created_at FROM plan WHERE org_id = ? AND hash = ?`, o.id, p.Hash); err != nil {
		return err
	}
	told, err := t.toldAt(o.id, p, created)
	if err != nil {
		return err
	}
	rows := make([][]any, 0, operationsAtOnce)
	for from := 0; from < len(p.Operations); from += operationsAtOnce {
		rows = rows[:0]
		for i, op := range p.Operations[from:min(from+operationsAtOnce, len(p.Operations))] {
			row, err := o.operationRow(p.Hash, first+int64(from+i), op, created, told[op.AccountKey], now)
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		if err := t.insert(operationInsert, rows, ""); err != nil {
			return err
		}
	}
	return nil
}

// operationsAtOnce bounds the rows that are made ready in memory.
const operationsAtOnce = 512

const operationInsert = `INSERT INTO operation (org_id, id, plan, seq, source, connector, kind, anchor, op, lane, account_rev, identity_rev,
	revokes, clears, renames, out_of_scope, changed, created_at, told_at, updated_at, body, state, code, last_error, cause, failing_since)`

func (o *Org) operationRow(hash string, seq int64, op plan.Operation, created, told int64, now time.Time) ([]any, error) {
	body, err := encode(op)
	if err != nil {
		return nil, fmt.Errorf("operation for %s on %s: %w", op.Anchor, op.Connector, err)
	}
	c, err := countGuarded(&op)
	if err != nil {
		return nil, err
	}
	// What a person has to decide is the operation's error from the start.
	var code, lastError, cause string
	var since int64
	if op.Park != "" {
		why := connector.Errorf(connector.CodePolicy, "%s", op.Park)
		if lastError, err = encode(why); err != nil {
			return nil, err
		}
		code, cause, since = why.Code.String(), causeKey(&op, why), micros(now)
	}
	return []any{o.id, op.ID, hash, seq, op.Source, op.Connector, string(op.AccountKey.Kind), op.Anchor, string(op.Kind), int(op.Lane), op.AccountRev, op.IdentityRev,
		c.revokes, c.clears, c.renames, c.outOfScope, c.changed, created, told, micros(now), body, string(OpPlanned), code, lastError, cause, since}, nil
}

func countOperations(ops []plan.Operation) plan.Counts {
	c := plan.Counts{}
	for _, op := range ops {
		c[op.Kind]++
	}
	return c
}

// entry makes an audit entry; detail must be something JSON can hold.
func entry(at time.Time, actor, action, object string, detail map[string]any) AuditEntry {
	raw, err := json.Marshal(detail)
	if err != nil {
		panic(err) // every caller passes plain values
	}
	return AuditEntry{At: at, Actor: actor, Action: action, Object: object, Detail: raw}
}
