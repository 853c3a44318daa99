package store

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// Role is the serving role: whoever has it reads sources, applies plans and sends
// operations for as long as it runs, and shares the work with others by named
// locks.
//
//	SQLite       one process at a time, the one that would hold the working role
//	PostgreSQL   any number of processes; none of them while one has the working role
//
// On PostgreSQL the role is a session of the database. When that cannot be
// confirmed any more, the role and all its locks are lost: another process may have
// them already.
type Role struct {
	o    *Org
	free func()
	lost chan struct{}
	why  error // is not read before lost is closed

	mu      sync.Mutex
	held    []string // names of locks
	session *session // nil on SQLite, where this process has every lock
}

// Serve takes the serving role. who says who we are, for others to read.
// [ErrBusy], with the holder's words, when it is not to be had.
func (o *Org) Serve(ctx context.Context, who string) (*Role, error) {
	r := &Role{o: o, lost: make(chan struct{})}
	if o.s.gate != nil {
		free, err := o.Work(ctx, who)
		r.free = free
		return r, err
	}
	s, err := o.serveSession(ctx, presence(who))
	if err != nil {
		return nil, o.s.fail("take the serving role", err)
	}
	r.session, r.free = s, s.end
	s.keep(func(why error) {
		r.why = o.s.fail("confirm the serving role", why)
		o.s.cut()
		close(r.lost)
		o.s.lines.hangUp() // the server frees the locks as soon as it sees it
	})
	return r, nil
}

// presence names this process to people.
func presence(who string) string {
	host, _ := os.Hostname() // a name for people; without one the process number does
	return fmt.Sprintf("%s, process %d on %s, since %s", who, os.Getpid(), host, time.Now().Format(time.DateTime))
}

// Lost is closed when the role is lost, and every lock with it. Begin nothing more
// then, and end what is under way: it cannot be recorded, and is in doubt for
// whoever comes after.
func (r *Role) Lost() <-chan struct{} { return r.lost }

// Why is why the role was lost; nil before.
func (r *Role) Why() error {
	select {
	case <-r.lost:
		return r.why
	default:
		return nil
	}
}

// Alone reports whether nobody else can have the role beside us, so that whoever had
// it before is dead.
func (r *Role) Alone() bool { return r.session == nil }

// Release gives the role back, and all locks. The death of the process does so too.
func (r *Role) Release() {
	r.mu.Lock()
	r.held = nil
	r.mu.Unlock()
	r.free()
}

// Lock takes the lock called name, such as "connector/crm", which one process of all
// that serve this org has at a time. [ErrBusy] when it is not to be had now; it does
// not wait.
func (r *Role) Lock(ctx context.Context, name string) (*Lock, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Contains(r.held, name) {
		return nil, lockBusy(name)
	}
	if r.session != nil {
		held, err := r.session.try(ctx, name)
		if err != nil {
			return nil, r.o.s.fail("take the lock "+name, err)
		}
		if !held {
			return nil, lockBusy(name)
		}
	}
	r.held = append(r.held, name)
	return &Lock{role: r, name: name}, nil
}

// Free returns those of the named locks that nobody has now, in their order.
func (r *Role) Free(ctx context.Context, names []string) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	held := func(name string) bool { return slices.Contains(r.held, name) }
	if r.session != nil {
		taken, err := r.session.taken(ctx)
		if err != nil {
			return nil, r.o.s.fail("look for free locks", err)
		}
		held = func(name string) bool { return taken[r.session.lockKey(name)] }
	}
	return slices.DeleteFunc(slices.Clone(names), held), nil
}

func lockBusy(name string) error { return refuse(ErrBusy, "somebody else has the lock %s", name) }

// Lock is a named lock, held until it is released or its role is lost.
type Lock struct {
	role *Role
	name string
	once sync.Once
}

// Lost is closed when the lock is lost; see [Role.Lost].
func (l *Lock) Lost() <-chan struct{} { return l.role.lost }

// Release gives the lock back. It may be called more than once.
func (l *Lock) Release() {
	l.once.Do(func() {
		r := l.role
		r.mu.Lock()
		defer r.mu.Unlock()
		r.held = slices.DeleteFunc(r.held, func(name string) bool { return name == l.name })
		if r.session != nil {
			r.session.unlock(l.name)
		}
	})
}
