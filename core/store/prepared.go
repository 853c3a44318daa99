package store

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// The statements of SQLite's writer are prepared once: preparing costs more than
// running them. It cannot be done inside the transaction that needs one first,
// which holds the only connection, so it is noted there and done after it. pgx
// does all that by itself.

// kept returns q prepared and bound to the transaction; nil when it is not yet.
func (t *tx) kept(q string) *sqlx.Stmt {
	if !t.keep {
		return nil
	}
	st := t.s.stmts[q]
	if st == nil {
		t.s.stmts[q] = nil
		return nil
	}
	return t.StmtxContext(t.ctx, st)
}

// prepare prepares the statements that were missing. The caller holds the gate.
func (s *Store) prepare(ctx context.Context) {
	for q, st := range s.stmts {
		if st != nil {
			continue
		}
		// One that cannot be prepared now runs unprepared and is tried again.
		if st, err := s.writer.PreparexContext(ctx, q); err == nil {
			s.stmts[q] = st
		}
	}
}
