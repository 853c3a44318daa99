package store

import (
	"context"
	"database/sql/driver"
	"io"
	"net/url"
	"sync"
)

// Work takes the working role of this org: whoever reads sources, applies plans
// and sends operations holds it, so that one process does so at a time. who says
// who we are, for others to read: "sync". [ErrBusy], with the holder's words,
// when another has it. release gives it back; so does the death of the process,
// however it dies.
func (o *Org) Work(ctx context.Context, who string) (release func(), err error) {
	take := o.workPostgres
	if o.s.gate != nil {
		take = o.workSQLite
	}
	free, err := take(ctx, presence(who))
	if err != nil {
		return nil, o.s.fail("take the working role", err)
	}
	o.s.working.Store(o.id, struct{}{})
	return sync.OnceFunc(func() {
		o.s.working.Delete(o.id)
		free()
	}), nil
}

func busy(holder string) error {
	if holder == "" {
		holder = "it does not say which"
	}
	return refuse(ErrBusy, "another provhub works on this state: %s; wait until it ends, or leave the work to it", holder)
}

// workSQLite holds an OS lock on a file beside the database. The file stays: to
// remove it would take the lock away from whoever is waiting for it.
func (o *Org) workSQLite(_ context.Context, who string) (free func(), err error) {
	f, held, err := tryLockFile(workLock(o.s.path(), o.id))
	if err != nil {
		return nil, err
	}
	if !held {
		defer f.Close()
		holder, err := io.ReadAll(io.LimitReader(f, 512))
		if err != nil {
			return nil, err
		}
		return nil, busy(string(holder))
	}
	// Only words for people, also on a full disk: the lock is what counts.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt([]byte(who), 0)
	}
	return func() {
		_ = f.Truncate(0)
		f.Close()
	}, nil
}

// workLock is the file that says who works on the org of a SQLite database.
func workLock(path, org string) string { return path + "." + url.PathEscape(org) + ".work.lock" }

// workPostgres holds a session's advisory lock.
func (o *Org) workPostgres(ctx context.Context, who string) (free func(), err error) {
	s, err := o.roleSession(ctx, who, false)
	if err != nil {
		return nil, err
	}
	return s.end, nil
}

// workHolder is what the session that holds the lock calls itself.
func (o *Org) workHolder(ctx context.Context, key int64) string {
	var who string
	err := o.get(ctx, &who, `SELECT a.application_name || ' (backend ' || a.pid || ')' FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE l.locktype = 'advisory' AND l.granted AND l.classid = CAST(? AS bigint) AND l.objid = CAST(? AS bigint) LIMIT 1`,
		int64(uint64(key)>>32), key&0xffffffff)
	if err != nil {
		return ""
	}
	return who
}

// errEndSession makes the pool close a connection.
var errEndSession = driver.ErrBadConn
