package sql

import (
	"context"
	"fmt"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// attempt is how one try at a unit ended inside its transaction.
type attempt struct {
	script *script // nil when it failed
	failed answers
	// excuse is a step that the database held back for a missing dependency; the
	// unit is tried again without it. -1: none.
	excuse  int
	because *connector.Error
	// broken: the connection cannot be used any more.
	broken bool
}

// locked carries out a unit in a transaction of its own: the rows are read and
// locked by their natural key, then written (QUIRKS SQL-1, SQL-9).
func (t *Target) locked(ctx context.Context, db *database, m *model, u *unit) answers {
	s, err := db.sessions.take(ctx)
	if err != nil {
		return u.failAll(unreached(db.d.FaultOf(err)))
	}
	defer db.sessions.give(s)
	excused := map[int]*connector.Error{}
	for range u.ops {
		tx, err := db.sessions.begin(ctx, s)
		if err != nil {
			s.broken = true
			return u.failAll(unreached(db.d.FaultOf(err)))
		}
		a := t.try(ctx, db, m, s, u, excused)
		if a.script == nil {
			if tx.Rollback() != nil || a.broken {
				s.broken = true
			}
			if a.excuse >= 0 {
				excused[a.excuse] = a.because
				continue
			}
			return t.explain(ctx, db, m, s, u, a)
		}
		if err := s.commit(ctx, tx); err != nil {
			return t.commitFailed(db, s, u, err)
		}
		return a.script.finish()
	}
	return u.failAll(excused[0])
}

// try looks, plans and writes inside an open transaction.
func (t *Target) try(ctx context.Context, db *database, m *model, s *session, u *unit, excused map[int]*connector.Error) attempt {
	snap := newSnapshot()
	for _, op := range u.ops {
		for _, n := range m.needs(op) {
			if err := t.look(ctx, db, s, snap, n); err != nil {
				f := db.d.FaultOf(err)
				return attempt{failed: u.failAll(f.Error()), excuse: -1, broken: f.Kind == dialect.KindLost || f.Kind == dialect.KindTimeout}
			}
		}
	}
	p := &planner{m: m, snap: snap, excused: excused}
	script, step, err := p.plan(u)
	if err != nil {
		return attempt{failed: u.failAt(step, err), excuse: -1}
	}
	for i := range script.actions {
		a := &script.actions[i]
		if failed := t.write(ctx, db, s, u, a); failed != nil {
			return *failed
		}
		if a.unchanged {
			script.answers[a.step].Outcome = connector.OutcomeUnchanged
		}
	}
	return attempt{script: script, excuse: -1}
}

// look answers one need of a unit.
func (t *Target) look(ctx context.Context, db *database, s *session, snap *snapshot, n need) error {
	if err := snap.load(ctx, db.d, s, n.lookup, n.own); err != nil {
		return err
	}
	if n.grants == nil && !n.everything {
		return nil
	}
	for _, r := range snap.rows[n.lookup] {
		if err := snap.loadGrants(ctx, db.d, s, r, n.grants); err != nil {
			return err
		}
	}
	return nil
}

// write runs one statement and counts its rows; nil when all is well.
func (t *Target) write(ctx context.Context, db *database, s *session, u *unit, a *action) *attempt {
	n, err := t.run(ctx, db.d, s, a)
	if err != nil {
		return t.refused(db.d, u, a.step, err)
	}
	if a.counts(n) {
		return nil
	}
	return &attempt{failed: u.failAt(a.step, miscounted(n)), excuse: -1}
}

// miscounted is the answer to a statement that touched too few rows or too many.
func miscounted(n int64) error {
	if n == 0 {
		return &connector.Error{Code: connector.CodePolicy, Message: "the database accepted the statement and changed no row; a trigger, a rule or a row policy suppresses it. The account was rolled back"}
	}
	return &connector.Error{Code: connector.CodeAmbiguous, Message: fmt.Sprintf("the statement would change %d rows where one was meant; the account was rolled back", n)}
}

// run executes an action and tells how many rows it touched. An INSERT whose id
// is wanted fills it in.
func (t *Target) run(ctx context.Context, d *dialect.Dialect, s *session, a *action) (int64, error) {
	if a.answer != nil {
		var err error
		a.unchanged, err = a.answer.answered(ctx, s, a.Statement)
		return 0, err
	}
	if a.made != nil && d.TellsID() {
		rows, err := s.query(ctx, a.Statement, 1)
		if err == nil && len(rows) == 1 {
			a.made.set(a.made.e.id, a.made.e.id.decode(rows[0][0]))
		}
		return int64(len(rows)), err
	}
	res, err := s.exec(ctx, a.Statement)
	if err != nil {
		return 0, err
	}
	if a.made != nil {
		if id, err := res.LastInsertId(); err == nil && id != 0 {
			a.made.set(a.made.e.id, a.made.e.id.decode(id))
		}
	}
	return res.RowsAffected()
}
