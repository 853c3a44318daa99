package store_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// opened is a store that a test closes by itself.
func opened(t *testing.T, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), url)
	require.NoError(t, err)
	return s
}

// filled is a database with people, accounts and a trail.
func filled(t *testing.T, url string) *store.Store {
	t.Helper()
	s := opened(t, url)
	o := s.Org(storetest.OrgID)
	read(t, o, people("1001", "1002"))
	p := creates("p1", "crm", "1001", "1002")
	for i := range p.Operations {
		p.Operations[i].IdentityRev = 1
	}
	apply(t, o, p)
	carryOut(t, o)
	return s
}

func TestBackupAndRestore(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	url := "sqlite:" + filepath.Join(dir, "state.db")
	s := filled(t, url)
	copied := filepath.Join(dir, "backup.db")
	release, err := s.Org(storetest.OrgID).Work(ctx, "a daemon")
	require.NoError(t, err)
	size, err := s.Backup(ctx, copied)
	require.NoError(t, err, "also while somebody works")
	info, err := os.Stat(copied)
	require.NoError(t, err)
	require.Equal(t, []any{info.Size(), fs.FileMode(0o600)}, []any{size, info.Mode().Perm()})
	_, err = s.Backup(ctx, copied)
	require.ErrorIs(t, err, fs.ErrExist)
	left, err := filepath.Glob(copied + "*")
	require.NoError(t, err)
	require.Equal(t, []string{copied}, left, "nothing is left beside it")

	// More happens, then the backup is put in its place.
	read(t, s.Org(storetest.OrgID), people("1003"))
	_, err = store.Restore(ctx, copied, url, storetest.OrgID, now)
	require.ErrorIs(t, err, store.ErrBusy)
	release()
	require.NoError(t, s.Close())
	kept, err := store.Restore(ctx, copied, url, storetest.OrgID, now)
	require.NoError(t, err)
	for path, want := range map[string][]string{strings.TrimPrefix(url, "sqlite:"): {"1001", "1002"}, kept: {"1001", "1002", "1003"}} {
		again := opened(t, "sqlite:"+path)
		ids, err := again.Org(storetest.OrgID).Identities(ctx, "hr", "person", []string{"1001", "1002", "1003"})
		require.NoError(t, err)
		require.Len(t, ids, len(want), path)
		require.NoError(t, again.Close())
	}
}

func TestRestoreRefusesWhatIsNoBackup(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	url := "sqlite:" + filepath.Join(dir, "state.db")
	require.NoError(t, filled(t, url).Close())
	good, err := os.ReadFile(strings.TrimPrefix(url, "sqlite:"))
	require.NoError(t, err)
	for name, content := range map[string][]byte{"text": []byte("hello"), "cut": good[:len(good)/2]} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		_, err := store.Restore(ctx, path, url, storetest.OrgID, now)
		require.ErrorContains(t, err, "no sound backup", name)
	}
	has, err := os.ReadFile(strings.TrimPrefix(url, "sqlite:"))
	require.NoError(t, err)
	require.Equal(t, good, has, "the state is untouched")
	_, err = store.Restore(ctx, "x", "postgres://h/d", storetest.OrgID, now)
	require.ErrorIs(t, err, store.ErrNotSQLite)
}

// The state moves between databases, both ways, and is the same.
func TestCopy(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, from string) {
		a := filled(t, from)
		defer func() { require.NoError(t, a.Close()) }()
		storetest.EachURL(t, func(t *testing.T, to string) {
			ctx, b := t.Context(), opened(t, to)
			defer func() { require.NoError(t, b.Close()) }()
			release, err := a.WorkAll(ctx, "migrate")
			require.NoError(t, err)
			rows, err := a.Copy(ctx, b, nil)
			require.NoError(t, err)
			release()
			require.Equal(t, []int{2, 2, 2, 2}, []int{rows["identity"], rows["account"], rows["operation"], rows["attempt"]})
			require.Equal(t, actions(t, a.Org(storetest.OrgID)), actions(t, b.Org(storetest.OrgID)))
			_, err = a.Copy(ctx, b, nil)
			require.ErrorIs(t, err, store.ErrNotEmpty)

			// And it is alive.
			o := b.Org(storetest.OrgID)
			read(t, o, people("1003"))
			require.Equal(t, []string{"1003"}, pending(t, o)[len(pending(t, o))-1:])
			_, err = o.AuditVerify(ctx)
			require.NoError(t, err)
		})
	})
}

func TestPrune(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		ctx := t.Context()
		g := read(t, o, people("1001", "1002", "1003"))
		old := creates("p1", "crm", "1001", "1002", "1003")
		last := creates("p2", "crm")
		for i := range old.Operations {
			old.Operations[i].IdentityRev = 1
		}
		old.Inputs.Generation, last.Inputs.Generation = g, g
		apply(t, o, old)
		ops := send(t, o, lease(t, o, 2))
		require.Empty(t, finish(t, o, done(ops[0]), done(ops[1])))
		apply(t, o, last)
		r := store.Retention{Operations: 30 * 24 * time.Hour, Runs: time.Hour, Findings: time.Hour}
		p, err := o.Prune(ctx, r, now.Add(24*time.Hour))
		require.NoError(t, err)
		require.Equal(t, store.Pruned{}, p, "nothing is old")

		later := now.Add(31 * 24 * time.Hour)
		p, err = o.Prune(ctx, r, later)
		require.NoError(t, err)
		require.Equal(t, store.Pruned{Operations: 2}, p, "an operation of the plan is open, and the other plan is the last one")
		rest, err := o.Operations(ctx, store.OpFilter{})
		require.NoError(t, err)
		require.Len(t, rest, 1)

		ops = send(t, o, lease(t, o, 2))
		require.Empty(t, finish(t, o, done(ops[0])))
		p, err = o.Prune(ctx, r, later)
		require.NoError(t, err)
		require.Equal(t, store.Pruned{Operations: 1, Plans: 1}, p)
		has, err := o.ConnectorAccounts(ctx, "crm", keysOf("hr", "1001", "1002", "1003"))
		require.NoError(t, err)
		require.Len(t, has, 3, "what is so stays")
		_, err = o.AuditVerify(ctx)
		require.NoError(t, err)
	})
}

func TestPruneRunsAndFindings(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		ctx := t.Context()
		for i := range 3 {
			r := store.Run{Kind: "cycle", Subject: "hr", StartedAt: now.Add(time.Duration(i) * time.Minute), EndedAt: now.Add(time.Hour), Outcome: store.RunDone, Why: "schedule"}
			_, err := o.BeginRun(ctx, r)
			require.NoError(t, err)
			require.NoError(t, o.EndRun(ctx, r))
		}
		require.NoError(t, o.SaveFindings(ctx, []store.FindingRow{
			{Connector: "crm", Kind: "person", TargetID: "a", Situation: "orphan", Body: []byte(`{}`)}, {Connector: "wiki", Kind: "person", TargetID: "b", Situation: "orphan", Body: []byte(`{}`)}}, now))
		_, err := o.ResolveFindingsBefore(ctx, "crm", []string{"drifted", "orphan"}, now.Add(time.Second), now)
		require.NoError(t, err)
		p, err := o.Prune(ctx, store.Retention{Runs: time.Hour, Findings: time.Hour}, now.Add(24*time.Hour))
		require.NoError(t, err)
		require.Equal(t, store.Pruned{Runs: 2, Findings: 1}, p, "the last run, and what is so still, stay")
	})
}
