package store

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// fail wraps an error of the database with what was being done and where.
// Refusals of this package speak for themselves.
func (s *Store) fail(doing string, err error) error {
	var stop *yieldError
	if errors.As(err, &stop) {
		return stop.err
	}
	switch {
	case errors.Is(err, errCut):
		return fmt.Errorf("%s in %s: %w", doing, s.name, err)
	case err == nil || refusal(err):
		return err
	case unreachable(err):
		err = &unreachableError{ErrUnreachable, err}
	}
	return fmt.Errorf("%s in %s: %w", doing, s.name, s.explain(err))
}

// yieldError is an error of the caller's own yield: it goes back as it came.
type yieldError struct{ err error }

func (e *yieldError) Error() string { return e.err.Error() }

func yielded(err error) error {
	if err == nil {
		return nil
	}
	return &yieldError{err}
}

// refusal reports whether err is this package's own word, or the caller's.
func refusal(err error) bool {
	for _, e := range []error{ErrNotFound, ErrAmbiguous, ErrFenced, ErrBusy, ErrPlanState, ErrNewer, ErrState, ErrMoved, ErrExists,
		context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, e) {
			return true
		}
	}
	var drift *DriftError
	var tampered *TamperedError
	return errors.As(err, &drift) || errors.As(err, &tampered)
}

// explain adds to an error of the database what to do about it.
func (s *Store) explain(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	if hint := s.sqliteHint(e.Code()); hint != "" {
		return fmt.Errorf("%s (%w)", hint, err)
	}
	return err
}

// sqliteHint says in plain words what a result code of SQLite means here; "" for
// those that need no translation.
func (s *Store) sqliteHint(code int) string {
	if code == sqlite3.SQLITE_IOERR_SHMSIZE { // no room for the index beside the database
		code = sqlite3.SQLITE_FULL
	}
	if code == sqlite3.SQLITE_IOERR_GETTEMPPATH {
		return "there is no folder for temporary files that this user may write to: set TMPDIR to one, or make /tmp"
	}
	switch code & 0xff {
	case sqlite3.SQLITE_FULL:
		return "the disk is full: nothing of this step was written; free space on the disk of " + s.path() +
			" and of the folder for temporary files (TMPDIR), and run again"
	case sqlite3.SQLITE_READONLY:
		return "cannot write: " + s.path() + " or its folder is read-only for this user; SQLite also writes " + s.path() + "-wal beside it"
	case sqlite3.SQLITE_CANTOPEN:
		return "cannot open " + s.path() + ": check that it is a file this user may read and write, and that its folder is writable"
	case sqlite3.SQLITE_CORRUPT:
		return s.path() + " is damaged: stop provhub, keep a copy of the file and its -wal, and restore the last backup"
	case sqlite3.SQLITE_NOTADB:
		return s.path() + " is not a SQLite database: check state.url"
	case sqlite3.SQLITE_BUSY:
		return "another process has been writing to " + s.path() + " for more than 15 s; try again"
	case sqlite3.SQLITE_IOERR:
		return "the disk of " + s.path() + " failed to read or write; check it and the system log"
	}
	return ""
}
