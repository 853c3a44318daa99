package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jmoiron/sqlx"
)

// tx is a transaction with the statements of this package's kind: "?" for
// arguments on both databases.
type tx struct {
	*sqlx.Tx
	s   *Store
	ctx context.Context
	// keep: its statements are prepared once for all transactions.
	keep bool
}

// write runs fn in a transaction of its own. name says what is written, for
// errors and hooks. What fn did is on disk when write returns nil. fn may run
// again from the start when another transaction was in its way.
func (o *Org) write(ctx context.Context, name string, fn func(*tx) error) error {
	return o.s.writeOn(ctx, o.s.writer, name, fn)
}

// beginner is a pool or one connection of it.
type beginner interface {
	BeginTxx(ctx context.Context, opts *sql.TxOptions) (*sqlx.Tx, error)
}

func (s *Store) writeOn(ctx context.Context, db beginner, name string, fn func(*tx) error) (err error) {
	if s.observe != nil {
		wanted := time.Now()
		defer func() { s.observe(name, time.Since(wanted), err) }()
	}
	if s.gate != nil {
		select {
		case s.gate <- struct{}{}:
			defer func() { <-s.gate }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	within, done := s.within(ctx)
	err = ended(within, s.commit(within, db, name, fn))
	done()
	s.notice(err)
	if db == beginner(s.writer) {
		s.prepare(ctx)
	}
	return s.fail(name, err)
}

// tries bounds how often a transaction is begun again when PostgreSQL gave it up
// for another one.
const tries = 5

func (s *Store) commit(ctx context.Context, db beginner, name string, fn func(*tx) error) (err error) {
	for range tries {
		var e *pgconn.PgError
		err = s.commitOnce(ctx, db, name, fn)
		if !errors.As(err, &e) || e.Code != "40P01" && e.Code != "40001" { // deadlock, serialization failure
			return err
		}
	}
	return err
}

func (s *Store) commitOnce(ctx context.Context, db beginner, name string, fn func(*tx) error) error {
	t, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer t.Rollback() // after a commit it does nothing
	if err := fn(&tx{Tx: t, s: s, ctx: ctx, keep: s.gate != nil && db == beginner(s.writer)}); err != nil {
		return err
	}
	n := int(s.commits.Add(1))
	if s.before != nil {
		if err := s.before(n, name); err != nil {
			return err
		}
	}
	if err := t.Commit(); err != nil {
		return err
	}
	if s.after != nil {
		s.after(n, name)
	}
	return nil
}

// rebind turns "?" into what the database wants.
func (s *Store) rebind(q string) string {
	if r, ok := s.rebound.Load(q); ok {
		return r.(string)
	}
	r := q
	if s.gate == nil {
		r = sqlx.Rebind(sqlx.DOLLAR, q)
	}
	s.rebound.Store(q, r)
	return r
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(q string, args ...any) (int64, error) {
	var r sql.Result
	var err error
	if st := t.kept(q); st != nil {
		r, err = st.ExecContext(t.ctx, args...)
	} else {
		r, err = t.ExecContext(t.ctx, t.s.rebind(q), args...)
	}
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// get reads one row; [ErrNotFound] when there is none.
func (t *tx) get(dest any, q string, args ...any) error {
	if st := t.kept(q); st != nil {
		return notFound(st.GetContext(t.ctx, dest, args...))
	}
	return notFound(t.GetContext(t.ctx, dest, t.s.rebind(q), args...))
}

// all reads all rows.
func (t *tx) all(dest any, q string, args ...any) error {
	if st := t.kept(q); st != nil {
		return st.SelectContext(t.ctx, dest, args...)
	}
	return t.SelectContext(t.ctx, dest, t.s.rebind(q), args...)
}

// get reads one row outside of any transaction.
func (o *Org) get(ctx context.Context, dest any, q string, args ...any) error {
	ctx, done := o.s.within(ctx)
	defer done()
	return notFound(ended(ctx, o.s.reader.GetContext(ctx, dest, o.s.rebind(q), args...)))
}

// all reads all rows outside of any transaction.
func (o *Org) all(ctx context.Context, dest any, q string, args ...any) error {
	ctx, done := o.s.within(ctx)
	defer done()
	return ended(ctx, o.s.reader.SelectContext(ctx, dest, o.s.rebind(q), args...))
}

func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// snapshot are the options of a transaction that reads several times and must
// see one moment.
func (s *Store) snapshot() *sql.TxOptions {
	o := &sql.TxOptions{ReadOnly: true}
	if s.gate == nil {
		o.Isolation = sql.LevelRepeatableRead
	}
	return o
}
