package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/provhub/provhub/core/plan"
)

// planRecord is a plan's row with what ApplyPlan needs besides.
type planRecord struct {
	PlanRow
	operations int
	withdraw   []string
	names      []plan.NameReservation
}

// queryer is a pool or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error)
}

var (
	_ queryer = (*sqlx.DB)(nil)
	_ queryer = (*sqlx.Tx)(nil)
)

const planColumns = `hash, status, created_at, applied_at, approved_by, reason, approved_at, until_at, operations,
	inputs, counts, verdicts, notes, faults, withdraw, names, rules`

// planRecord reads the one plan whose hash begins with prefix.
func (o *Org) planRecord(ctx context.Context, db queryer, prefix, lock string) (*planRecord, error) {
	if prefix == "" {
		return nil, refuse(ErrNotFound, "no plan hash given")
	}
	rows, err := db.QueryContext(ctx, o.s.rebind(`SELECT `+planColumns+` FROM plan
		WHERE org_id = ? AND hash >= ? AND hash < ? ORDER BY hash LIMIT 2`+lock), o.id, prefix, after(prefix))
	if err != nil {
		return nil, err
	}
	ps, err := scanPlans(rows)
	switch {
	case err != nil:
		return nil, err
	case len(ps) == 0:
		return nil, refuse(ErrNotFound, "there is no plan %s; see `provhub plan list`", prefix)
	case len(ps) > 1 && ps[0].Hash != prefix:
		return nil, refuse(ErrAmbiguous, "%s fits several plans; give more characters", prefix)
	}
	return ps[0], nil
}

// after is the first text that does not begin with prefix any more. Hashes and
// ids are plain ASCII.
func after(prefix string) string { return prefix + "~" }

func scanPlans(rows *sql.Rows) ([]*planRecord, error) {
	defer rows.Close()
	var out []*planRecord
	for rows.Next() {
		p := &planRecord{}
		var created, applied, approved, until int64
		var inputs, counts, verdicts, notes, faults, withdraw, names, rules string
		err := rows.Scan(&p.Hash, &p.Status, &created, &applied, &p.ApprovedBy, &p.Reason, &approved, &until, &p.operations,
			&inputs, &counts, &verdicts, &notes, &faults, &withdraw, &names, &rules)
		if err != nil {
			return nil, err
		}
		p.CreatedAt, p.AppliedAt, p.ApprovedAt, p.Until = fromMicros(created), fromMicros(applied), fromMicros(approved), fromMicros(until)
		for _, d := range []struct {
			text string
			into any
		}{
			{inputs, &p.Inputs}, {counts, &p.Counts}, {verdicts, &p.Verdicts}, {notes, &p.Notes}, {faults, &p.Faults},
			{withdraw, &p.withdraw}, {names, &p.names}, {rules, &p.Rules},
		} {
			if err := decode(d.text, d.into); err != nil {
				return nil, err
			}
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

// Plan returns the plan whose hash begins with hashPrefix: [ErrNotFound],
// [ErrAmbiguous].
func (o *Org) Plan(ctx context.Context, hashPrefix string) (PlanRow, error) {
	p, err := o.planRecord(ctx, o.s.reader, strings.ToLower(hashPrefix), "")
	if err != nil {
		return PlanRow{}, o.s.fail("read plan", err)
	}
	return p.PlanRow, nil
}

// Plans returns the newest plans, newest first; limit 0: 100.
func (o *Org) Plans(ctx context.Context, n int) ([]PlanRow, error) {
	rows, err := o.s.reader.QueryContext(ctx, o.s.rebind(`SELECT `+planColumns+` FROM plan
		WHERE org_id = ? ORDER BY created_at DESC, hash LIMIT ?`), o.id, limit(n))
	if err != nil {
		return nil, o.s.fail("read plans", err)
	}
	return o.planRows(rows)
}

func (o *Org) planRows(rows *sql.Rows) ([]PlanRow, error) {
	ps, err := scanPlans(rows)
	out := make([]PlanRow, len(ps))
	for i, p := range ps {
		out[i] = p.PlanRow
	}
	return out, o.s.fail("read plans", err)
}

// PlanOperations calls yield for each operation of a plan, in the plan's order,
// whatever has become of it. No query is open while yield runs.
func (o *Org) PlanOperations(ctx context.Context, hash string, yield func(OpRow) error) error {
	p, err := o.Plan(ctx, hash)
	if err != nil {
		return err
	}
	for seq := int64(-1); ; {
		page, err := o.operations(ctx, o.s.reader, `WHERE org_id = ? AND plan = ? AND seq > ? ORDER BY seq LIMIT ?`, o.id, p.Hash, seq, pageRows)
		if err != nil {
			return o.s.fail("read operations", err)
		}
		for _, op := range page {
			if err := yield(op); err != nil {
				return err
			}
			seq = op.Seq
		}
		if len(page) < pageRows {
			return nil
		}
	}
}
