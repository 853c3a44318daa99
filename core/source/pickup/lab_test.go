package pickup

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/source/csvfile"
)

const header = "id,name\n"

// lab is a folder, and a hub in small that reads from it.
type lab struct {
	testing.TB
	c       Config
	secrets map[string]connector.Secret
	now     time.Time
	token   []byte
	// people are those of whom the source says that they are there.
	people map[string]string
	source.Report
	notes []string
}

// newLab is a folder of the test's own, read as csv with the columns id and name.
func newLab(t testing.TB) *lab {
	t.Helper()
	dir := t.TempDir()
	// Private copies go where the test can see that none is left.
	t.Setenv("TMPDIR", filepath.Join(dir, "tmp"))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "tmp"), 0o700))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "in"), 0o700))
	t.Cleanup(func() {
		left, err := os.ReadDir(filepath.Join(dir, "tmp"))
		require.NoError(t, err)
		require.Empty(t, left, "private copies are left")
	})
	c := Config{Folder: filepath.Join(dir, "in"), Pattern: "hr_(YYYYMMDD)_full*.csv*", Looks: 2, Every: time.Millisecond,
		CSV: csvfile.Config{Path: "hr", Anchor: "id", Columns: []csvfile.Column{{Name: "id", Required: true}, {Name: "name"}}}}
	return &lab{TB: t, c: c, now: time.Now().Add(time.Hour), people: map[string]string{}}
}

// put drops a file.
func (l *lab) put(name, content string) {
	l.Helper()
	require.NoError(l, os.WriteFile(filepath.Join(l.c.Folder, name), []byte(content), 0o600))
}

func (l *lab) drop(name string) {
	l.Helper()
	require.NoError(l, os.Remove(filepath.Join(l.c.Folder, name)))
}

// in lists a folder.
func (l *lab) in(dir string) []string {
	l.Helper()
	files, err := os.ReadDir(dir)
	require.NoError(l, err)
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}

func (l *lab) open() source.Reader {
	l.Helper()
	r, err := New(l.c, l.secrets)
	require.NoError(l, err)
	one, ok := r.(*Reader)
	if !ok {
		one = r.(*Delta).Reader
	}
	one.Remember(func(context.Context) ([]byte, error) { return l.token, nil })
	one.now = func() time.Time { return l.now }
	return r
}

// sync does what a cycle does, and returns in how it read: "unchanged", "changes" or
// "whole".
func (l *lab) sync() (how string, err error) {
	l.Helper()
	r := l.open()
	defer r.(interface{ Close() }).Close()
	defer func() {
		if err == nil {
			require.NoError(l, r.(source.Committer).Committed(l.Context()))
		}
	}()
	was := l.Report.Snapshot
	snapshot, _, err := r.(source.Fingerprinter).Fingerprint(l.Context())
	if err == nil && snapshot == was {
		var token []byte
		l.notes, token = r.(source.Noter).Notes()
		l.token = token
		return "unchanged", nil
	}
	if err != nil && !strings.Contains(err.Error(), "unsupported") {
		return "", err
	}
	if inc, ok := r.(source.Incremental); ok && l.token != nil {
		people := map[string]string{}
		for k, v := range l.people {
			people[k] = v
		}
		report, err := inc.Changes(l.Context(), l.token, take(people))
		if err == nil {
			require.True(l, report.Delta)
			l.people, l.Report, l.token, l.notes = people, report, report.Token, report.Warnings
			return "changes", nil
		}
		if !strings.Contains(err.Error(), "holds everybody") {
			return "", err
		}
	}
	people := map[string]string{}
	report, err := r.Read(l.Context(), take(people))
	if err != nil {
		return "", err
	}
	l.people, l.Report, l.token, l.notes = people, report, report.Token, report.Warnings
	return "whole", nil
}

func (l *lab) Context() context.Context { return context.Background() }

func take(people map[string]string) func(*source.Record) error {
	return func(rec *source.Record) error {
		switch {
		case rec.Deleted:
			delete(people, strings.Clone(rec.Anchor))
		case rec.Fault == nil:
			name, _ := rec.Attributes()["name"].(string)
			people[strings.Clone(rec.Anchor)] = name
		}
		return nil
	}
}

// reads syncs, and expects how it read and whom it knows now: "1=Ann 2=Bob".
func (l *lab) reads(how, people string) {
	l.Helper()
	got, err := l.sync()
	require.NoError(l, err)
	require.Equal(l, how, got)
	var all []string
	for k, v := range l.people {
		all = append(all, k+"="+v)
	}
	slices.Sort(all)
	require.Equal(l, people, strings.Join(all, " "))
}

// refuses syncs, and expects an error; what was known stays known.
func (l *lab) refuses(why ...string) {
	l.Helper()
	before, token := l.Report.Snapshot, string(l.token)
	_, err := l.sync()
	require.Error(l, err)
	for _, w := range why {
		require.ErrorContains(l, err, w)
	}
	require.Equal(l, before, l.Report.Snapshot)
	require.Equal(l, token, string(l.token))
}

func (l *lab) noted(why string) {
	l.Helper()
	require.Contains(l, strings.Join(l.notes, "\n"), why)
}
