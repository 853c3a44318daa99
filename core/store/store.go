// Package store keeps the hub's state: identities, accounts, plans, the queue of
// operations and the audit trail. All SQL of the hub is here.
//
// Everything but opening hangs on an [Org], so a query without a tenant cannot
// be written. SQLite and PostgreSQL run the same statements.
//
// What was answered without an error is on disk: every commit is synced, on
// SQLite by PRAGMA synchronous=FULL, so that it outlives a power cut too.
package store

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
)

// Store is an open database.
type Store struct {
	// name is what errors call the database: the URL without credentials.
	name    string
	dsn     string // with credentials, never shown; "" on SQLite
	dialect dialect
	// writer runs the transactions that write, reader all other queries and
	// staging the readings. On PostgreSQL all three are one pool.
	writer, reader, staging *sqlx.DB
	// gate lets one transaction of this process write at a time; nil on
	// PostgreSQL. SQLite has one writer anyway, and waiting here is fair.
	gate chan struct{}

	before        func(n int, name string) error
	after         func(n int, name string)
	observe       func(name string, took time.Duration, err error)
	commits       atomic.Int64
	nameRetention time.Duration

	stmts   map[string]*sqlx.Stmt // SQLite's writer's, guarded by gate; nil: wanted
	rebound sync.Map              // SQL text → SQL text as the database wants it
	working sync.Map              // org → struct{}: this process holds the working role
	names   sync.Map              // nameAttribute → struct{}: values of accounts are indexed
	growth  ledgerGrowth
	// hindered is why writes fail; nil: they do not.
	hindered atomic.Pointer[hindrance]
	epoch    atomic.Pointer[epoch] // PostgreSQL only
	lines    lines                 // PostgreSQL only
}

// Option changes how a store behaves.
type Option func(*Store)

// WithCommitHook calls hook before each commit of a transaction that writes,
// with the number of the commit, from 1, and what is being committed, such as
// "lease". An error rolls the transaction back and is returned in its place.
// It is for tests of crashes.
func WithCommitHook(hook func(n int, name string) error) Option {
	return func(s *Store) { s.before = hook }
}

// WithCommittedHook calls hook after each commit, with the same arguments as
// the hook of [WithCommitHook].
func WithCommittedHook(hook func(n int, name string)) Option {
	return func(s *Store) { s.after = hook }
}

// WithObserver tells observe of every transaction that writes once it has ended: what
// it was for, such as "lease", one of a few fixed words; how long it took from when it
// was wanted, so with the wait for others; and its error. observe must not block.
func WithObserver(observe func(name string, took time.Duration, err error)) Option {
	return func(s *Store) { s.observe = observe }
}

// DefaultNameRetention is how long a name is kept after it was given up
// (QUIRKS HR-18): mail for the former holder must not reach another person.
const DefaultNameRetention = 2 * 365 * 24 * time.Hour

// WithNameRetention sets how long a name is kept after it was given up.
func WithNameRetention(d time.Duration) Option {
	return func(s *Store) { s.nameRetention = d }
}

// Open opens the database at url, "sqlite:PATH" or "postgres://…", and brings
// its schema up to date. A SQLite file is made when there is none; its folder is
// not. [ErrNewer] when a newer provhub has written the database. Errors name the
// database without credentials and say what to do.
func Open(ctx context.Context, url string, opts ...Option) (*Store, error) {
	s := &Store{nameRetention: DefaultNameRetention, stmts: map[string]*sqlx.Stmt{}}
	s.epoch.Store(newEpoch())
	for _, o := range opts {
		o(s)
	}
	var err error
	switch path, ok := strings.CutPrefix(url, "sqlite:"); {
	case ok:
		err = s.openSQLite(ctx, strings.TrimPrefix(path, "//"))
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		err = s.openPostgres(ctx, url)
	default:
		scheme, _, _ := strings.Cut(url, ":")
		return nil, fmt.Errorf("state: url begins with %q; want sqlite:PATH or postgres://…", scheme)
	}
	if err == nil {
		err = s.migrate(ctx)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("open state %s: %w", s.name, s.explain(err))
	}
	return s, nil
}

// Close closes the database. Nothing is lost by not calling it.
func (s *Store) Close() error {
	var first error
	for i, db := range []*sqlx.DB{s.reader, s.staging, s.writer} {
		if db == nil || i < 2 && db == s.writer {
			continue
		}
		if err := db.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Org returns the part of the state that belongs to the org called id.
func (s *Store) Org(id string) *Org { return &Org{s: s, id: id} }

// Where names the database, without credentials.
func (o *Org) Where() string { return o.s.name }

// Org is one tenant's part of a store. It is safe for use by many goroutines.
type Org struct {
	s  *Store
	id string
}

// ID returns the name of the org.
func (o *Org) ID() string { return o.id }
