package sql

import (
	"context"
	stdsql "database/sql"
	"database/sql/driver"

	"github.com/provhub/provhub/connectors/sql/dialect"
)

// preparedMax bounds the statements kept prepared on one connection; what comes
// after it is prepared for one use.
const preparedMax = 200

// session is one connection, with its prepared statements where the driver keeps
// none itself.
type session struct {
	of       *sessions
	conn     *stdsql.Conn
	prepared map[string]*stdsql.Stmt // nil: leave it to the driver
	broken   bool
}

// sessions hands out connections. Those with prepared statements are kept.
type sessions struct {
	h    *dialect.Handle
	d    *dialect.Dialect
	idle chan *session
	// turns bounds how many are out at once.
	turns chan struct{}
}

func newSessions(d *dialect.Dialect, h *dialect.Handle, n int) *sessions {
	if d.OneWriter {
		n = 1
	}
	return &sessions{h: h, d: d, idle: make(chan *session, n), turns: make(chan struct{}, n)}
}

// take waits for a connection.
func (p *sessions) take(ctx context.Context) (*session, error) {
	select {
	case p.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case s := <-p.idle:
		return s, nil
	default:
	}
	s, err := p.open(ctx)
	if err != nil {
		<-p.turns
	}
	return s, err
}

func (p *sessions) open(ctx context.Context) (*session, error) {
	conn, err := p.h.DB.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &session{of: p, conn: conn}
	if p.h.KeepPrepared {
		s.prepared = map[string]*stdsql.Stmt{}
	}
	if p.d.ReadCommitted {
		if _, err := conn.ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// give takes a connection back, or closes it when it broke.
func (p *sessions) give(s *session) {
	switch {
	case s.prepared == nil || s.broken:
		s.close()
	default:
		p.idle <- s
	}
	<-p.turns
}

// close ends all idle connections.
func (p *sessions) close() {
	for {
		select {
		case s := <-p.idle:
			s.close()
		default:
			return
		}
	}
}

func (s *session) close() {
	for _, st := range s.prepared {
		_ = st.Close()
	}
	if s.broken {
		// The pool must not hand a broken connection to the next one.
		_ = s.conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	_ = s.conn.Close()
}

// begin starts a transaction. A connection that died while it was idle is
// replaced once: nothing that counts has been sent on it yet.
func (p *sessions) begin(ctx context.Context, s *session) (*stdsql.Tx, error) {
	tx, err := s.conn.BeginTx(ctx, nil)
	if err == nil || p.d.FaultOf(err).Kind != dialect.KindLost {
		return tx, err
	}
	s.broken = true
	s.close()
	p.h.Renew()
	fresh, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	*s = *fresh
	return s.conn.BeginTx(ctx, nil)
}

func (s *session) exec(ctx context.Context, st dialect.Statement) (stdsql.Result, error) {
	return traced(ctx, s.of.d, s.of.h, st.SQL, func(ctx context.Context) (stdsql.Result, error) { return s.execute(ctx, st) })
}

func (s *session) execute(ctx context.Context, st dialect.Statement) (stdsql.Result, error) {
	p, err := s.prepare(ctx, st.SQL)
	switch {
	case err != nil:
		return nil, err
	case p != nil:
		return p.ExecContext(ctx, st.Args...)
	}
	return s.conn.ExecContext(ctx, st.SQL, st.Args...)
}

// query runs a statement and reads all rows of n columns.
func (s *session) query(ctx context.Context, st dialect.Statement, n int) ([][]any, error) {
	return traced(ctx, s.of.d, s.of.h, st.SQL, func(ctx context.Context) ([][]any, error) { return s.rows(ctx, st, n) })
}

func (s *session) rows(ctx context.Context, st dialect.Statement, n int) ([][]any, error) {
	p, err := s.prepare(ctx, st.SQL)
	if err != nil {
		return nil, err
	}
	var rows *stdsql.Rows
	if p != nil {
		rows, err = p.QueryContext(ctx, st.Args...)
	} else {
		rows, err = s.conn.QueryContext(ctx, st.SQL, st.Args...)
	}
	if err != nil {
		return nil, err
	}
	return readAll(rows, n)
}

func readAll(rows *stdsql.Rows, n int) ([][]any, error) {
	defer rows.Close()
	var out [][]any
	for rows.Next() {
		raw, into := make([]any, n), make([]any, n)
		for i := range raw {
			into[i] = &raw[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		out = append(out, raw)
	}
	return out, rows.Err()
}

// prepare returns the statement kept for query, nil when it is to be run as it is.
func (s *session) prepare(ctx context.Context, query string) (*stdsql.Stmt, error) {
	if p, ok := s.prepared[query]; ok || s.prepared == nil || len(s.prepared) >= preparedMax {
		return p, nil
	}
	p, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s.prepared[query] = p
	return p, nil
}
