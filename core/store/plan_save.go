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
// A plan that is there already (existed) is not written again; it keeps an
// approval, a rejection and being applied. One that was superseded gets status.
func (o *Org) SavePlan(ctx context.Context, p *plan.Plan, status PlanStatus, actor string, now time.Time) (existed bool, err error) {
	if status != PlanProposed && status != PlanHeld {
		return false, fmt.Errorf("a plan is saved as %s or %s, not %s", PlanProposed, PlanHeld, status)
	}
	if p.Hash == "" {
		return false, fmt.Errorf("a plan without a hash cannot be saved: seal it first")
	}
	settled, err := o.planSettled(ctx, p.Hash, status)
	if err != nil || settled {
		return settled, o.s.fail("save plan", err)
	}
	err = o.write(ctx, "plan.save", func(t *tx) error {
		existed, err = o.savePlan(t, p, status, actor, now)
		return err
	})
	return existed, err
}

// planSettled reports whether saving the plan again would write nothing.
func (o *Org) planSettled(ctx context.Context, hash string, status PlanStatus) (bool, error) {
	var n int
	err := o.get(ctx, &n, `SELECT COUNT(*) FROM plan WHERE org_id = ? AND hash = ? AND status IN (?, ?, ?, ?)`,
		o.id, hash, string(status), string(PlanApproved), string(PlanRejected), string(PlanApplied))
	return n > 0, err
}

func (o *Org) savePlan(t *tx, p *plan.Plan, status PlanStatus, actor string, now time.Time) (existed bool, err error) {
	n, err := t.exec(`UPDATE plan SET status = ? WHERE org_id = ? AND hash = ? AND status IN ('superseded', 'proposed', 'held')`,
		string(status), o.id, p.Hash)
	if err != nil {
		return false, err
	}
	existed = n > 0
	if !existed {
		if err := o.insertPlan(t, p, status, now); err != nil {
			return false, err
		}
		if err := o.insertOperations(t, p, now); err != nil {
			return false, err
		}
	}
	if _, err := t.exec(`UPDATE plan SET status = 'superseded' WHERE org_id = ? AND source = ? AND hash <> ?
		AND status IN ('proposed', 'held', 'approved')`, o.id, p.Inputs.Source, p.Hash); err != nil {
		return false, err
	}
	return existed, t.audit(o.id, entry(now, actor, "plan.save", p.Hash, map[string]any{
		"status": status, "source": p.Inputs.Source, "counts": countOperations(p.Operations), "again": existed,
	}))
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

// insertOperations stores the operations in the plan's order.
func (o *Org) insertOperations(t *tx, p *plan.Plan, now time.Time) error {
	if len(p.Operations) == 0 {
		return nil
	}
	var next int64
	err := t.get(&next, `INSERT INTO org_state (org_id, generation, next_seq) VALUES (?, 0, ?)
		ON CONFLICT (org_id) DO UPDATE SET next_seq = org_state.next_seq + ? RETURNING next_seq`,
		o.id, len(p.Operations)+1, len(p.Operations))
	if err != nil {
		return err
	}
	first := next - int64(len(p.Operations))
	rows := make([][]any, 0, operationsAtOnce)
	for from := 0; from < len(p.Operations); from += operationsAtOnce {
		rows = rows[:0]
		for i, op := range p.Operations[from:min(from+operationsAtOnce, len(p.Operations))] {
			row, err := o.operationRow(p.Hash, first+int64(from+i), op, now)
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

const operationInsert = `INSERT INTO operation (org_id, id, plan, seq, connector, kind, anchor, op, lane, account_rev, identity_rev,
	revokes, clears, renames, created_at, updated_at, body, state, attempts, tries, steps_done, maybe_applied, edited, next_attempt_at,
	fence, lease_owner, lease_until, sent_at, code, last_error)`

func (o *Org) operationRow(hash string, seq int64, op plan.Operation, now time.Time) ([]any, error) {
	body, err := encode(op)
	if err != nil {
		return nil, fmt.Errorf("operation for %s on %s: %w", op.Anchor, op.Connector, err)
	}
	var revokes, clears, renames int
	for _, g := range op.Grants {
		if g.Remove {
			revokes++
		}
	}
	for _, c := range op.Changes {
		if len(c.After) == 0 {
			clears++
		}
		if c.Naming && op.Kind != plan.Create && op.Kind != plan.Adopt {
			renames = 1
		}
	}
	// What a person has to decide is the operation's error from the start.
	var code, lastError string
	if op.Park != "" {
		code = connector.CodePolicy.String()
		if lastError, err = encode(connector.Errorf(connector.CodePolicy, "%s", op.Park)); err != nil {
			return nil, err
		}
	}
	return []any{o.id, op.ID, hash, seq, op.Connector, string(op.AccountKey.Kind), op.Anchor, string(op.Kind), int(op.Lane), op.AccountRev, op.IdentityRev,
		revokes, clears, renames, micros(now), micros(now), body, string(OpPlanned), 0, 0, 0, 0, 0, 0, 0, "", 0, 0, code, lastError}, nil
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
