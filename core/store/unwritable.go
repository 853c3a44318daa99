package store

import (
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// unwritableFor is how long what hindered a write is told after it: on a disk that is
// all but full, small writes go on to succeed.
const unwritableFor = 15 * time.Second

// hindrance is why a write failed that the database should have taken.
type hindrance struct {
	at  time.Time
	why string
}

// Unwritable says in plain words why nothing, or not everything, can be written to the
// database now, as on a full disk; "": nobody has noticed such a thing.
func (o *Org) Unwritable() string {
	if h := o.s.hindered.Load(); h != nil {
		return h.why
	}
	return ""
}

// notice remembers whether the database takes what is written.
func (s *Store) notice(err error) {
	h := s.hindered.Load()
	switch why := s.hinders(err); {
	case why != "":
		s.hindered.Store(&hindrance{time.Now(), why})
	case err == nil && h != nil && time.Since(h.at) > unwritableFor:
		s.hindered.CompareAndSwap(h, nil)
	}
}

// hinders says what err has to do with the disk of the database; "": nothing.
func (s *Store) hinders(err error) string {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT:
			return s.sqliteHint(lite.Code())
		}
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code { // disk_full, io_error, read_only_sql_transaction
		case "53100", "58030", "25006":
			return "PostgreSQL takes no writes: " + pg.Message
		}
	}
	return ""
}
