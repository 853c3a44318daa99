package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

func TestAnUnusableDatabaseIsExplained(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.db")
	require.NoError(t, os.WriteFile(text, []byte(strings.Repeat("not a database ", 100)), 0o600))
	for url, want := range map[string]string{
		"mysql://root:geheim@db/x":                      `url begins with "mysql"; want sqlite:PATH or postgres://…`,
		"sqlite:":                                       "no path given",
		"sqlite:" + dir + "/no/such/state.db":           "the folder " + dir + "/no/such does not exist; make it first (mkdir -p " + dir + "/no/such)",
		"sqlite:" + dir:                                 "cannot open " + dir + ": check that it is a file",
		"sqlite:" + text:                                text + " is not a SQLite database: check state.url",
		"postgres://bob:geheim@127.0.0.1:1/x":           "open state postgres://127.0.0.1:1/x",
		"postgres://bob:geheim@127.0.0.1:1/x?sslmode=y": "open state postgres://127.0.0.1:1/x",
		"postgres://bob:ge%zzheim@127.0.0.1:1/x":        "not a valid URL",
	} {
		_, err := store.Open(t.Context(), url)
		require.ErrorContains(t, err, want, url)
		require.NotContains(t, err.Error(), "heim", "no credentials")
	}
}

func TestOpeningTwiceKeepsWhatIsThere(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		record(t, storetest.Open(t, url), 3)
		n, err := storetest.Open(t, url).AuditVerify(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
	})
}

func TestManyOpenAnEmptyDatabaseAtOnce(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		errs := make(chan error, 6)
		for range cap(errs) {
			go func() {
				s, err := store.Open(t.Context(), url)
				if err == nil {
					err = s.Close()
				}
				errs <- err
			}()
		}
		for range cap(errs) {
			require.NoError(t, <-errs)
		}
	})
}

func TestADatabaseOfANewerProvhubIsRefused(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		storetest.Open(t, url)
		behind(t, url).MustExec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (900, true)`)
		_, err := store.Open(t.Context(), url)
		require.ErrorIs(t, err, store.ErrNewer)
		require.ErrorContains(t, err, "its schema is version 900")
		require.ErrorContains(t, err, "use the newer program, or restore a backup")
	})
}

func TestADamagedFileIsExplained(t *testing.T) {
	url := storetest.SQLiteURL(t)
	path := strings.TrimPrefix(url, "sqlite:")
	s, err := store.Open(t.Context(), url)
	require.NoError(t, err)
	apply(t, s.Org("acme"), creates("p1", "crm", "1", "2", "3"))
	require.NoError(t, s.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	for i := 4096; i < len(data); i++ {
		data[i] = 0xa5
	}
	require.NoError(t, os.WriteFile(path, data, 0o600))
	s, err = store.Open(t.Context(), url)
	if err == nil {
		defer s.Close()
		_, err = s.Org("acme").Operations(t.Context(), store.OpFilter{})
	}
	require.ErrorContains(t, err, path+" is damaged: stop provhub")
}

func TestAPathMayHoldAnything(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c#d%20e&f=ü")
	require.NoError(t, os.Mkdir(dir, 0o700))
	record(t, storetest.Open(t, "sqlite:"+filepath.Join(dir, "state.db")), 1)
	info, err := os.Stat(filepath.Join(dir, "state.db"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode(), "nobody else reads it")
}

func TestCommitsAreHookedBeforeAndAfter(t *testing.T) {
	var calls []string
	o := storetest.New(t,
		store.WithCommitHook(func(n int, name string) error { calls = append(calls, "before "+name); return nil }),
		store.WithCommittedHook(func(n int, name string) { calls = append(calls, "after "+name) }))
	apply(t, o, creates("p1", "crm", "1"))
	carryOut(t, o)
	require.Equal(t, []string{"before plan.save", "after plan.save", "before plan.apply", "after plan.apply", "before lease", "after lease",
		"before sent", "after sent", "before finish", "after finish"}, calls)
}
