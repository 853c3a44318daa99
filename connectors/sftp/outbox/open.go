package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver
)

// Box is one outbox. Several users in one process share it; another process
// cannot open it meanwhile.
type Box struct {
	dir    string
	lock   *os.File
	write  *sql.DB // one connection: writes come one after the other
	read   *sql.DB // snapshots
	stmts  map[string]*sql.Stmt
	accept sync.Mutex
	// waiting is what was accepted and not taken; accept guards it.
	waiting Waiting
	// publishing is held by whoever publishes: a channel, so that the wait for it
	// can end.
	publishing chan struct{}
	users      int // of the registry
}

// boxes are those of this process, by folder.
var boxes = struct {
	sync.Mutex
	byDir map[string]*Box
}{byDir: map[string]*Box{}}

// ErrLocked is what another process's outbox answers.
var ErrLocked = errors.New("another process uses this outbox")

// Open opens the outbox in the folder dir, which is made when it is not there.
// Every Open has a Close.
func Open(ctx context.Context, dir string) (*Box, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	boxes.Lock()
	defer boxes.Unlock()
	if b := boxes.byDir[dir]; b != nil {
		b.users++
		return b, nil
	}
	b := &Box{dir: dir, publishing: make(chan struct{}, 1), users: 1}
	if err := b.open(ctx); err != nil {
		b.shut()
		return nil, err
	}
	boxes.byDir[dir] = b
	return b, nil
}

// Close lets go of the outbox; the last user's ends it.
func (b *Box) Close() error {
	boxes.Lock()
	defer boxes.Unlock()
	if b.users--; b.users > 0 {
		return nil
	}
	delete(boxes.byDir, b.dir)
	return b.shut()
}

func (b *Box) open(ctx context.Context) error {
	// Names of people are in it (QUIRKS FILE-18).
	if err := os.MkdirAll(b.spool(), 0o700); err != nil {
		return err
	}
	var err error
	if b.lock, err = os.OpenFile(filepath.Join(b.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return err
	}
	if err := b.own(ctx); err != nil {
		return err
	}
	path := filepath.Join(b.dir, "outbox.db")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	// Large pages: a full file is one long reading.
	dsn := "file:" + path + "?_pragma=page_size(16384)&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=temp_store(MEMORY)"
	if b.write, err = sql.Open("sqlite", dsn+"&_txlock=immediate"); err != nil {
		return err
	}
	b.write.SetMaxOpenConns(1)
	if b.read, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)"); err != nil {
		return err
	}
	b.read.SetMaxOpenConns(8)
	if err := b.migrate(ctx); err != nil {
		return err
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	return b.recover(ctx)
}

// handover is how long to wait for a process before this one to end.
const handover = 5 * time.Second

// own takes the lock. The process that had it may just be ending.
func (b *Box) own(ctx context.Context) error {
	for end := time.Now().Add(handover); ; {
		if err := lockFile(b.lock); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(end) {
			return fmt.Errorf("%w: %s", ErrLocked, b.dir)
		}
	}
}

func (b *Box) shut() error {
	var errs []error
	if b.read != nil {
		errs = append(errs, b.read.Close())
	}
	if b.write != nil {
		errs = append(errs, b.write.Close())
	}
	if b.lock != nil {
		errs = append(errs, b.lock.Close())
	}
	return errors.Join(errs...)
}

// recover takes back what was taken and not sealed when the process ended.
func (b *Box) recover(ctx context.Context) error {
	if _, err := b.write.ExecContext(ctx, `DELETE FROM batch WHERE state = 'taken'`); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	return errors.Join(b.recount(ctx), b.sweep(ctx))
}

// Lock waits until nobody else publishes. unlock gives way to the next.
func (b *Box) Lock(ctx context.Context) (unlock func(), err error) {
	select {
	case b.publishing <- struct{}{}:
		return func() { <-b.publishing }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// schemaVersion is raised with every change of the tables.
const schemaVersion = "1"

const schema = `
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS record (
	id TEXT PRIMARY KEY,
	want BLOB,                 -- the account; NULL: it is to be gone
	line BLOB,                 -- its row of a full file; NULL: it has none
	members BLOB,              -- its rows of the memberships' file
	groups INTEGER NOT NULL    -- how many those are
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pending (
	id TEXT PRIMARY KEY,
	shown BLOB,                -- what the receiver has; NULL: nothing
	epoch INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pending_epoch ON pending (epoch, id);
CREATE TABLE IF NOT EXISTS change (
	key TEXT PRIMARY KEY,
	id TEXT NOT NULL,
	epoch INTEGER NOT NULL,
	state TEXT NOT NULL,       -- accepted, confirmed, rejected
	code INTEGER NOT NULL DEFAULT 0,
	message TEXT NOT NULL DEFAULT '',
	at INTEGER NOT NULL        -- Unix milliseconds
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS change_epoch ON change (epoch, id);
CREATE TABLE IF NOT EXISTS batch (
	number INTEGER PRIMARY KEY,
	seq INTEGER UNIQUE,        -- NULL: nothing was to be published
	first INTEGER NOT NULL,    -- epochs it carries, both included
	last INTEGER NOT NULL,
	state TEXT NOT NULL,       -- taken, sealed, published, confirmed
	mode TEXT NOT NULL,
	run TEXT NOT NULL,
	rows INTEGER NOT NULL DEFAULT 0,
	manifest TEXT NOT NULL DEFAULT '', -- SHA-256
	attempted INTEGER NOT NULL DEFAULT 0,
	retired INTEGER NOT NULL DEFAULT 0,
	sealed_at INTEGER NOT NULL DEFAULT 0,
	published_at INTEGER NOT NULL DEFAULT 0,
	ack_size INTEGER NOT NULL DEFAULT -1,
	ack_at INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS batch_last ON batch (last);
CREATE TABLE IF NOT EXISTS file (
	seq INTEGER NOT NULL,
	place INTEGER NOT NULL,    -- order of publication
	role TEXT NOT NULL,
	name TEXT NOT NULL,
	size INTEGER NOT NULL,
	sha256 TEXT NOT NULL,
	PRIMARY KEY (seq, place)
) WITHOUT ROWID;
`

func (b *Box) migrate(ctx context.Context) error {
	if _, err := b.write.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("the outbox in %s cannot be opened: %w", b.dir, err)
	}
	is, err := b.Meta(ctx, "schema")
	switch {
	case err != nil:
		return err
	case is == "":
		return b.SetMeta(ctx, "schema", schemaVersion)
	case is != schemaVersion:
		return fmt.Errorf("the outbox in %s is of version %s, and this connector knows %s", b.dir, is, schemaVersion)
	}
	return nil
}

// Meta returns a setting of the outbox, "" when it was never set.
func (b *Box) Meta(ctx context.Context, name string) (value string, err error) {
	err = b.write.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = ?`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, err
}

// SetMeta keeps a setting.
func (b *Box) SetMeta(ctx context.Context, name, value string) error {
	_, err := b.write.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}
