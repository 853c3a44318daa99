package store

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"sync"
	"time"
)

// A session is confirmed every confirmEvery. It is lost when the server has not
// answered within confirmWithin: so after four seconds at most.
const (
	confirmEvery  = time.Second
	confirmWithin = 3 * time.Second
)

// session is a connection to PostgreSQL of its own that holds advisory locks.
type session struct {
	mu     sync.Mutex // one statement at a time: a connection does not do two beside each other
	conn   *sql.Conn
	prefix string // of the names of its locks
	stop   context.CancelFunc
	ended  chan struct{}
	once   sync.Once
}

// openSession begins a session that others see under the name who.
func (o *Org) openSession(ctx context.Context, who string) (_ *session, err error) {
	conn, err := o.s.writer.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn, stop: func() {}}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	var schema string
	// The name is what another process is told; 63 bytes fit.
	if err := conn.QueryRowContext(ctx, `SELECT set_config('application_name', $1, false), current_database() || '/' || current_schema()`, cut(who, 63)).
		Scan(new(string), &schema); err != nil {
		return nil, err
	}
	s.prefix = fmt.Sprintf("provhub/%%s/%s/%s", schema, o.id)
	return s, nil
}

// key is the number of a lock, one for each org of each schema.
func (s *session) key(name string) int64 {
	h := fnv.New64a()
	fmt.Fprintf(h, s.prefix, name)
	return int64(h.Sum64())
}

func (s *session) lockKey(name string) int64 { return s.key("lock/" + name) }

// role takes the lock of the working role, shared by those who serve.
func (s *session) role(ctx context.Context, shared bool) (held bool, err error) {
	q := `SELECT pg_try_advisory_lock($1)`
	if shared {
		q = `SELECT pg_try_advisory_lock_shared($1)`
	}
	err = s.conn.QueryRowContext(ctx, q, s.key("work")).Scan(&held)
	return held, err
}

// alone has the session to itself until done is called, and bounds a statement by time
// alone: to cancel one would end the session, and lose what it holds.
func (s *session) alone(ctx context.Context) (_ context.Context, done func()) {
	s.mu.Lock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), confirmWithin)
	return ctx, func() {
		cancel()
		s.mu.Unlock()
	}
}

// try takes the lock called name, if it is free.
func (s *session) try(ctx context.Context, name string) (held bool, err error) {
	ctx, done := s.alone(ctx)
	defer done()
	err = s.conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, s.lockKey(name)).Scan(&held)
	return held, err
}

// taken returns the keys of all advisory locks of this database that anybody holds.
func (s *session) taken(ctx context.Context) (map[int64]bool, error) {
	ctx, done := s.alone(ctx)
	defer done()
	rows, err := s.conn.QueryContext(ctx, `SELECT (CAST(classid AS bigint) << 32) | CAST(objid AS bigint) FROM pg_locks
		WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	keys := map[int64]bool{}
	for rows.Next() {
		var k int64
		if err := rows.Scan(&k); err != nil {
			return nil, err
		}
		keys[k] = true
	}
	return keys, rows.Err()
}

// unlock gives a lock back. When that does not work, the session is at its end,
// and the lock with it.
func (s *session) unlock(name string) {
	ctx, done := s.alone(context.Background())
	defer done()
	_, _ = s.conn.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, s.lockKey(name))
}

// keep confirms the session until it ends, and calls lost when it cannot be
// confirmed.
func (s *session) keep(lost func(why error)) {
	ctx, stop := context.WithCancel(context.Background())
	s.stop, s.ended = stop, make(chan struct{})
	go func() {
		defer close(s.ended)
		for ctx.Err() == nil {
			t := time.NewTimer(confirmEvery)
			select {
			case <-ctx.Done():
				t.Stop()
				return
			case <-t.C:
			}
			if err := s.confirm(ctx); err != nil && ctx.Err() == nil {
				lost(err)
				s.close()
				return
			}
		}
	}()
}

func (s *session) confirm(ctx context.Context) error {
	ctx, done := s.alone(ctx)
	defer done()
	_, err := s.conn.ExecContext(ctx, `SELECT 1`)
	return err
}

// end frees the locks and ends the session.
func (s *session) end() {
	s.stop()
	if s.ended != nil {
		<-s.ended
	}
	ctx, done := s.alone(context.Background())
	defer done()
	// Whatever becomes of this statement, the end of the session frees them; only the
	// server may take a moment to notice.
	_, _ = s.conn.ExecContext(ctx, `SELECT pg_advisory_unlock_all()`)
	s.close()
}

// close ends the connection: it must not go back to the pool, which would keep it,
// and the locks.
func (s *session) close() {
	s.once.Do(func() {
		_ = s.conn.Raw(func(any) error { return errEndSession })
		s.conn.Close()
	})
}

// serveSession begins a session that has the serving role.
func (o *Org) serveSession(ctx context.Context, who string) (*session, error) {
	return o.roleSession(ctx, who, true)
}

func (o *Org) roleSession(ctx context.Context, who string, shared bool) (*session, error) {
	s, err := o.openSession(ctx, who)
	if err != nil {
		return nil, err
	}
	held, err := s.role(ctx, shared)
	if err == nil && !held {
		err = busy(o.workHolder(ctx, s.key("work")))
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}
