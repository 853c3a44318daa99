package grouped_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/source/csvfile"
	"github.com/provhub/provhub/core/source/grouped"
)

// site is a folder with files, and the reader of them.
type site struct {
	*testing.T
	dir    string
	config grouped.Config
	known  map[string][]string
}

// files writes files from lines: "hr.csv: id,teams | 1,a;b".
func newSite(t *testing.T, column bool, files ...string) *site {
	s := &site{T: t, dir: t.TempDir()}
	s.write(files...)
	at := func(name string) string { return filepath.Join(s.dir, name) }
	if column {
		s.config = grouped.Config{Column: "teams"}
		return s
	}
	s.config.Members = &csvfile.Config{Path: at("members.csv"), Anchor: "group", Columns: []csvfile.Column{{Name: "group", Required: true}, {Name: "person", Required: true}}, MaxBad: 60}
	s.config.Groups = &csvfile.Config{Path: at("groups.csv"), Anchor: "id", Columns: []csvfile.Column{{Name: "id"}, {Name: "name"}}, MaxBad: 60}
	return s
}

func (s *site) write(files ...string) {
	for _, f := range files {
		name, text, _ := strings.Cut(f, ": ")
		require.NoError(s, os.WriteFile(filepath.Join(s.dir, name), []byte(strings.ReplaceAll(text, " | ", "\n")+"\n"), 0o600))
	}
}

// read returns the groups in short: "a=Alpha[1 2]", "b!" for a bad one.
func (s *site) read() (string, source.Report, error) {
	s.Helper()
	people, err := csvfile.New(csvfile.Config{Path: filepath.Join(s.dir, "hr.csv"), Anchor: "id", MaxBad: 60,
		Columns: []csvfile.Column{{Name: "id"}, {Name: "teams", Type: string(source.List), Optional: true}, {Name: "start", Type: string(source.Date), Optional: true}}})
	require.NoError(s, err)
	r, err := grouped.New(people, s.config)
	require.NoError(s, err)
	r.Known = func(_ context.Context, who []string) (map[string][]string, error) {
		out := maps.Clone(s.known)
		maps.DeleteFunc(out, func(a string, _ []string) bool { return !slices.Contains(who, a) })
		return out, nil
	}
	var groups []string
	report, err := r.Read(s.Context(), func(rec *source.Record) error {
		switch {
		case rec.Kind == identity.Person:
			require.Equal(s, rec.Anchor, rec.Name)
		case rec.Fault != nil:
			groups = append(groups, rec.Anchor+"!")
		default:
			groups = append(groups, rec.Anchor+"="+rec.Attributes().Text("name")+"["+strings.Join(rec.Members(), " ")+"]")
		}
		return nil
	})
	if err == nil && report.Complete {
		snapshot, _, err := r.Fingerprint(s.Context())
		require.NoError(s, err)
		require.Equal(s, report.Snapshot, snapshot, "the same content has the same name")
	}
	return strings.Join(groups, " "), report, err
}

func TestGroupsFromFiles(t *testing.T) {
	files := []string{"hr.csv: id | 1 | 2 | 3", "groups.csv: id,name | a,Alpha | b,Beta | c,", "members.csv: group,person | a,1 | b,2 | a,2 | a,1"}
	for _, tc := range []struct {
		name       string
		files      []string
		want       string
		incomplete bool
		faults     int
		err        string
		warning    string
	}{
		{name: "members of each group, each once", want: "a=Alpha[1 2] b=Beta[2] c=[]"},
		{name: "QUIRKS HR-5: a membership that cannot be read takes nobody out of the group",
			files: []string{"members.csv: group,person | a,1 | b, | a,2"}, want: "a=Alpha[1 2] b! c=[]", faults: 1},
		{name: "QUIRKS FILE-7: memberships that were cut take nobody out of any",
			files: []string{"members.csv: group,person | a,1 | b,2 | ,3"}, want: "a! b! c!", incomplete: true, faults: 1},
		{name: "a membership of a group without a row is told",
			files: []string{"members.csv: group,person | a,1 | z,2"}, want: "a=Alpha[1] b=Beta[] c=[]", warning: "1 memberships are in 1 groups that have no row"},
		{name: "QUIRKS HR-4: without memberships nobody is in nothing", files: []string{"members.csv: group,person"}, err: "members: members.csv holds a header and no rows"},
		{name: "QUIRKS HR-4: without groups none is gone", files: []string{"groups.csv: id,name"}, err: "groups: groups.csv holds a header and no rows"},
		{name: "another header", files: []string{"members.csv: grp,person | a,1"}, err: `the column "group" is missing`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSite(t, false, append(slices.Clone(files), tc.files...)...)
			got, report, err := s.read()
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
			require.Equal(t, tc.incomplete, !report.Complete)
			require.Equal(t, tc.faults, report.FaultCount)
			require.Contains(t, strings.Join(report.Warnings, "\n"), tc.warning)
		})
	}
}

func TestGroupsWithoutAFileOfTheirOwn(t *testing.T) {
	s := newSite(t, false, "hr.csv: id | 1 | 2", "members.csv: group,person | b,1 | a,2 | c,")
	s.config.Groups = nil
	got, _, err := s.read()
	require.NoError(t, err)
	require.Equal(t, "a=a[2] b=b[1] c!", got, "a group that cannot be read is there")
}

// QUIRKS HR-1, HR-5: whose row is bad, or stands there twice, stays in the groups they
// were in.
func TestGroupsFromAColumn(t *testing.T) {
	s := newSite(t, true, "hr.csv: id,teams,start | 1,a;b, | 2,b, | 3,a,")
	got, _, err := s.read()
	require.NoError(t, err)
	require.Equal(t, "a=a[1 3] b=b[1 2]", got)

	s.known = map[string][]string{"1": {"a", "b"}, "2": {"b"}, "3": {"a"}}
	s.write("hr.csv: id,teams,start | 1,,soon | 2,b, | 3,b, | 3,c, | 4,c,")
	got, report, err := s.read()
	require.NoError(t, err)
	require.Equal(t, "a=a[1 3] b=b[1 2] c=c[4]", got)
	require.Equal(t, 1, report.FaultCount)

	s.write("hr.csv: id,teams,start | 1,a, | ,b, | 3,a,")
	got, report, err = s.read()
	require.NoError(t, err)
	require.False(t, report.Complete)
	require.Equal(t, "a!", got, "nobody can tell whose groups were not read")
}
