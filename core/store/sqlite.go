package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/jmoiron/sqlx"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// readersMax bounds the connections that read a SQLite file.
const readersMax = 8

// sqliteCache bounds the pages that a connection keeps which writes: 4 MiB. They take
// twice that in memory, as a page with its header does not fit into 4 KiB. The system
// caches the file too: a sixteenth of the pages sent as many operations under load. One
// that reads keeps 512 KiB, as every commit by another connection makes it forget them.
const (
	sqliteCache       = "cache_size(-4096)"
	sqliteReaderCache = "cache_size(-512)"
)

// sqliteIdle is how long a connection is kept that nobody uses, but for the one that
// writes: the last one to close would give up the write-ahead log.
const sqliteIdle = time.Minute

func (s *Store) openSQLite(ctx context.Context, path string) error {
	s.name, s.dialect = "sqlite:"+path, sqliteDialect
	if path == "" || path == ":memory:" {
		return errors.New("no path given; want sqlite:PATH, such as sqlite:provhub.db")
	}
	dir := filepath.Dir(path)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the folder %s does not exist; make it first (mkdir -p %[1]s) or change state.url", dir)
	}
	if err := makePrivate(path); err != nil {
		return err
	}
	s.gate = make(chan struct{}, 1)
	for _, p := range []struct {
		db      **sqlx.DB
		max     int
		options url.Values
	}{
		{&s.writer, 1, sqliteOptions(sqliteCache)},
		{&s.staging, 0, sqliteOptions(sqliteCache, "temp_store(1)")},
		{&s.reader, readersMax, sqliteOptions(sqliteReaderCache, "query_only(1)")},
	} {
		dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: p.options.Encode()}).String()
		db, err := sqlx.Open("sqlite", dsn)
		if err != nil {
			return err
		}
		db.SetMaxOpenConns(p.max)
		db.SetMaxIdleConns(max(p.max, 1))
		if p.db != &s.writer {
			db.SetConnMaxIdleTime(sqliteIdle) // with a connection goes its cache
		}
		*p.db = db
	}
	return s.writer.PingContext(ctx)
}

// makePrivate makes a file that is not there yet readable for this user alone: it
// will hold what the source says of people. SQLite gives its other files the same
// mode.
func makePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot make %s: %w; check that this user may write to the folder", path, err)
	}
	return f.Close()
}

// sqliteOptions sets up every connection of a pool. busy_timeout comes first,
// so that switching to WAL waits for another process that does the same.
func sqliteOptions(more ...string) url.Values {
	pragmas := append([]string{
		"busy_timeout(15000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		// What a bulk load left in the log is given back at the next checkpoint.
		"journal_size_limit(67108864)",
	}, more...)
	// BEGIN IMMEDIATE: a transaction that reads first and writes later would be
	// refused instead of waiting its turn.
	return url.Values{"_pragma": pragmas, "_txlock": {"immediate"}, "_error_rc": {"1"}, "_dqs": {"0"}}
}
