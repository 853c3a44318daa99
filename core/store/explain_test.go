package store

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The errors are SQLite's own, brought about on a database of the test's.
func TestErrorsOfTheDiskAreExplained(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(t.Context(), "sqlite:"+path)
	require.NoError(t, err)
	defer s.Close()
	for name, c := range map[string]struct{ options, do, want string }{
		"full":      {"?_pragma=max_page_count(1)", `CREATE TABLE big AS SELECT zeroblob(100000)`, "the disk is full: nothing of this step was written; free space on the disk of " + path},
		"read-only": {"?mode=ro", `DELETE FROM plan`, "cannot write: " + path + " or its folder is read-only"},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := sql.Open("sqlite", "file:"+path+c.options)
			require.NoError(t, err)
			defer db.Close()
			_, err = db.Exec(c.do)
			require.Error(t, err)
			require.ErrorContains(t, s.fail("lease", err), c.want)
			require.ErrorIs(t, s.fail("lease", err), err)
		})
	}
}

func TestABusyDatabaseIsExplained(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(t.Context(), "sqlite:"+path)
	require.NoError(t, err)
	defer s.Close()
	other, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
	require.NoError(t, err)
	defer other.Close()
	tx, err := other.Begin()
	require.NoError(t, err)
	defer tx.Rollback()
	_, err = s.reader.Exec(`PRAGMA query_only = 0; PRAGMA busy_timeout = 1; DELETE FROM plan`)
	require.ErrorContains(t, s.fail("lease", err), "another process has been writing to "+path)
}
