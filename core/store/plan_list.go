package store

import (
	"context"
	"time"

	"github.com/provhub/provhub/core/plan"
)

// PlanHead is what a list shows of a plan.
type PlanHead struct {
	Hash       string      `json:"hash"`
	Source     string      `json:"source"`
	Status     PlanStatus  `json:"status"`
	Counts     plan.Counts `json:"counts"`
	Operations int         `json:"operations"`
	CreatedAt  time.Time   `json:"created_at"`
	AppliedAt  time.Time   `json:"applied_at,omitzero"`
	// DecidedBy approved or rejected it; "": nobody.
	DecidedBy string `json:"decided_by,omitempty"`
}

// PlanFilter selects plans; zero fields do not restrict.
type PlanFilter struct {
	Source string
	Status PlanStatus
	// Empty plans are left out.
	NotEmpty bool
	// Before is the CreatedAt of the last one shown: paging.
	Before time.Time
	Limit  int // 0: 100
}

// PlanList returns plans, the newest first, without what they would do.
func (o *Org) PlanList(ctx context.Context, f PlanFilter) ([]PlanHead, error) {
	where, args := `org_id = ?`, []any{o.id}
	for _, c := range []struct{ column, value string }{{"source", f.Source}, {"status", string(f.Status)}} {
		if c.value != "" {
			where, args = where+` AND `+c.column+` = ?`, append(args, c.value)
		}
	}
	if f.NotEmpty {
		where += ` AND operations > 0`
	}
	if !f.Before.IsZero() {
		where, args = where+` AND created_at < ?`, append(args, micros(f.Before))
	}
	var rows []struct {
		Hash, Source, Counts string
		Status               PlanStatus
		Operations           int
		CreatedAt            int64  `db:"created_at"`
		AppliedAt            int64  `db:"applied_at"`
		ApprovedBy           string `db:"approved_by"`
	}
	if err := o.all(ctx, &rows, `SELECT hash, source, status, counts, operations, created_at, applied_at, approved_by
		FROM plan WHERE `+where+` ORDER BY created_at DESC, hash LIMIT ?`, append(args, limit(f.Limit))...); err != nil {
		return nil, o.s.fail("list plans", err)
	}
	out := make([]PlanHead, len(rows))
	for i, r := range rows {
		out[i] = PlanHead{Hash: r.Hash, Source: r.Source, Status: r.Status, Operations: r.Operations,
			CreatedAt: fromMicros(r.CreatedAt), AppliedAt: fromMicros(r.AppliedAt), DecidedBy: r.ApprovedBy}
		if err := decode(r.Counts, &out[i].Counts); err != nil {
			return nil, o.s.fail("list plans", err)
		}
	}
	return out, nil
}
