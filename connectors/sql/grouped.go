package sql

import (
	"context"
	stdsql "database/sql"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// grouped carries out units where a single transaction writes at a time: all of
// them share one commit, each in a savepoint of its own, so that one account
// still takes effect whole or not at all, without the others.
func (t *Target) grouped(ctx context.Context, db *database, m *model, units []*unit, work []int, out []answers) {
	if len(work) == 0 {
		return
	}
	if len(work) == 1 {
		out[work[0]] = t.locked(ctx, db, m, units[work[0]])
		return
	}
	ctx, cancel := context.WithTimeout(ctx, t.cfg.timeout())
	defer cancel()
	s, err := db.sessions.take(ctx)
	if err != nil {
		t.failEach(units, work, out, unreached(db.d.FaultOf(err)))
		return
	}
	tx, err := db.sessions.begin(ctx, s)
	if err != nil {
		s.broken = true
		db.sessions.give(s)
		t.failEach(units, work, out, unreached(db.d.FaultOf(err)))
		return
	}
	scripts := make([]*script, len(units))
	for _, i := range work {
		scripts[i], out[i] = t.inSavepoint(ctx, db, m, s, units[i])
	}
	again := t.commitGroup(ctx, db, s, tx, units, work, scripts, out)
	db.sessions.give(s)
	for _, i := range again {
		out[i] = t.locked(ctx, db, m, units[i])
	}
}

func (t *Target) failEach(units []*unit, work []int, out []answers, err error) {
	for _, i := range work {
		out[i] = units[i].failAll(err)
	}
}

// inSavepoint tries one unit; what it did is gone again when it fails.
func (t *Target) inSavepoint(ctx context.Context, db *database, m *model, s *session, u *unit) (*script, answers) {
	excused := map[int]*connector.Error{}
	for range u.ops {
		if _, err := s.exec(ctx, dialect.Statement{SQL: "SAVEPOINT account"}); err != nil {
			return nil, u.failAll(db.d.FaultOf(err).Error())
		}
		a := t.try(ctx, db, m, s, u, excused)
		if a.script != nil {
			if _, err := s.exec(ctx, dialect.Statement{SQL: "RELEASE account"}); err != nil {
				return nil, u.failAll(db.d.FaultOf(err).Error())
			}
			return a.script, nil
		}
		for _, back := range []string{"ROLLBACK TO account", "RELEASE account"} {
			if _, err := s.exec(ctx, dialect.Statement{SQL: back}); err != nil {
				s.broken = true
				return nil, u.failAll(db.d.FaultOf(err).Error())
			}
		}
		if a.excuse < 0 {
			return nil, t.explain(ctx, db, m, s, u, a)
		}
		excused[a.excuse] = a.because
	}
	return nil, u.failAll(excused[0])
}

// commitGroup commits what the units did. A constraint that is only checked at
// the commit rolls all of them back; they are then to be done one by one.
func (t *Target) commitGroup(ctx context.Context, db *database, s *session, tx *stdsql.Tx, units []*unit, work []int, scripts []*script, out []answers) (again []int) {
	err := s.commit(ctx, tx)
	for _, i := range work {
		if scripts[i] == nil {
			continue // failed on its own, and keeps its answer
		}
		if err == nil {
			out[i] = scripts[i].finish()
			continue
		}
		f := db.d.FaultOf(err)
		s.broken = true
		switch f.Kind {
		case dialect.KindForeignKey, dialect.KindContention:
			again = append(again, i)
		default:
			out[i] = t.commitFailed(db, s, units[i], err)
		}
	}
	return again
}
