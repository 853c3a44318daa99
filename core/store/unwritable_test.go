package store

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	sqlite3 "modernc.org/sqlite/lib"
)

// A database that takes nothing more says so, and that it is over.
func TestADatabaseThatIsFull(t *testing.T) {
	s, err := Open(t.Context(), "sqlite:"+t.TempDir()+"/state.db")
	require.NoError(t, err)
	defer s.Close()
	o := s.Org("acme")
	add := func() error {
		return o.AddUser(t.Context(), User{Name: time.Now().String(), Role: "viewer", Password: string(make([]byte, 8000))}, "root", time.Now())
	}
	pages := func(most int) {
		_, err := s.writer.ExecContext(t.Context(), "PRAGMA max_page_count = "+strconv.Itoa(most))
		require.NoError(t, err)
	}
	require.NoError(t, add())
	require.Empty(t, o.Unwritable())
	pages(1) // no more than there are
	require.Eventually(t, func() bool { return add() != nil }, 30*time.Second, time.Millisecond)
	require.Contains(t, o.Unwritable(), "the disk is full")
	pages(1 << 20)
	require.NoError(t, add())
	require.NotEmpty(t, o.Unwritable(), "one write that fits says little")
	s.hindered.Load().at = time.Now().Add(-unwritableFor - time.Second)
	require.NoError(t, add())
	require.Empty(t, o.Unwritable())
}

func TestWhatHindersWriting(t *testing.T) {
	s := &Store{}
	require.Contains(t, s.hinders(&pgconn.PgError{Code: "53100", Message: "could not extend file"}), "could not extend file")
	require.Empty(t, s.hinders(&pgconn.PgError{Code: "40001"}))
	require.Empty(t, s.hinders(errors.New("something else")))
}

func TestAMachineWithoutAFolderForTemporaryFiles(t *testing.T) {
	require.Contains(t, (&Store{}).sqliteHint(sqlite3.SQLITE_IOERR_GETTEMPPATH), "set TMPDIR")
}
