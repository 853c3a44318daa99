package pickup

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/source/csvfile"
)

const changed = "Action,id,name\n"

// deltas is a lab with whole files and files of changes, by number.
func deltas(t testing.TB) *lab {
	l := newLab(t)
	l.c.Pattern, l.c.Delta = "hr_(N)_full.csv", &DeltaConfig{Pattern: "hr_(N)_delta.csv"}
	l.c.CSV.Action = &csvfile.Action{Column: "action", Added: []string{"A"}, Changed: []string{"C"}, Removed: []string{"D"}}
	return l
}

// QUIRKS FILE-8
func TestDeltasFollowAWholeFileOneByOne(t *testing.T) {
	l := deltas(t)
	l.put("hr_10_full.csv", header+"1,Ann\n2,Bob\n3,Cy\n")
	l.reads("whole", "1=Ann 2=Bob 3=Cy")
	l.reads("unchanged", "1=Ann 2=Bob 3=Cy")

	l.put("hr_11_delta.csv", changed+"a,4,Dan\nC,1,Anna\n")
	l.reads("changes", "1=Anna 2=Bob 3=Cy 4=Dan")
	l.reads("unchanged", "1=Anna 2=Bob 3=Cy 4=Dan")

	// Two at once, of which the later has the last word; a removed person's row may be bare.
	l.put("hr_12_delta.csv", changed+"D,1,\nC,2,Bobby\n")
	l.put("hr_13_delta.csv", changed+"A,1,Ann\n")
	l.reads("changes", "1=Ann 2=Bobby 3=Cy 4=Dan")

	// Nothing has changed: that is no empty source.
	l.put("hr_14_delta.csv", changed)
	l.reads("changes", "1=Ann 2=Bobby 3=Cy 4=Dan")

	// Read whole, it is the same.
	snapshot := l.Snapshot
	l.token = nil
	l.reads("whole", "1=Ann 2=Bobby 3=Cy 4=Dan")
	require.Equal(t, snapshot, l.Snapshot)
	require.True(t, l.Complete)

	l.put("hr_20_full.csv", header+"1,Ann\n")
	l.reads("whole", "1=Ann")
	l.put("hr_21_delta.csv", changed+"D,1,Ann\n")
	l.reads("changes", "")
}

// QUIRKS FILE-8: what is left out of the sequence is missed; nothing is concluded.
func TestDeltasThatDoNotFollow(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(l *lab)
		why  string
	}{
		{"a gap", func(l *lab) { l.put("hr_13_delta.csv", changed+"D,1,\n") }, "hr_13_delta.csv does not follow hr_11_delta.csv"},
		{"a gap behind a good one", func(l *lab) {
			l.put("hr_12_delta.csv", changed+"D,1,\n")
			l.put("hr_14_delta.csv", changed+"D,2,\n")
		}, "hr_14_delta.csv does not follow hr_12_delta.csv"},
		{"a number twice", func(l *lab) {
			l.put("hr_12_delta.csv", changed+"D,1,\n")
			l.put("hr_012_delta.csv", changed+"D,2,\n")
		}, "have the same number"},
		{"a number again, with another content", func(l *lab) { l.put("hr_11_delta.csv", changed+"D,1,\nD,2,\n") }, "which was applied before, and another content"},
		{"an unknown word", func(l *lab) { l.put("hr_12_delta.csv", changed+"X,1,Ann\nX,2,Bob\n") }, `"action" holds none of the words "A", "C", "D"`},
		{"no action", func(l *lab) { l.put("hr_12_delta.csv", header+"1,Ann\n") }, "which says what has happened, is missing"},
		{"whose row it is cannot be told", func(l *lab) { l.put("hr_12_delta.csv", changed+"D,1,\nD,,Bob\n") }, `hr_12_delta.csv:3: "id" is empty`},
		{"cut", func(l *lab) { l.put("hr_12_delta.csv", changed+"D,1,\nD,2") }, "it was probably cut"},
		{"empty", func(l *lab) { l.put("hr_12_delta.csv", "") }, "is empty (0 bytes)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := deltas(t)
			l.put("hr_10_full.csv", header+"1,Ann\n2,Bob\n")
			l.put("hr_11_delta.csv", changed+"C,2,Bo\n")
			l.reads("whole", "1=Ann 2=Bo")
			c.do(l)
			l.refuses(c.why)
			require.Len(t, l.people, 2)
			l.put("hr_15_full.csv", header+"1,Ann\n2,Bob\n3,Cy\n")
			l.reads("whole", "1=Ann 2=Bob 3=Cy")
		})
	}
}

func TestABadRowOfADeltaIsSetAside(t *testing.T) {
	l := deltas(t)
	l.c.CSV.Columns[1].Required = true
	l.put("hr_10_full.csv", header+"1,Ann\n2,Bob\n")
	l.reads("whole", "1=Ann 2=Bob")
	l.put("hr_11_delta.csv", changed+"C,1,\nC,2,Bo\n")
	l.reads("changes", "1=Ann 2=Bo")
	require.Equal(t, 1, l.FaultCount)
	require.Equal(t, `hr_11_delta.csv:2: "name" is empty, and a value is required`, l.Faults[0].String())
}

// QUIRKS FILE-8: a file of changes never makes anybody a leaver by not naming them,
// also when the whole is read again from both.
func TestDeltasGoIntoTheArchiveWithTheWholeFileThatReplacesThem(t *testing.T) {
	l := deltas(t)
	l.c.Archive = filepath.Join(filepath.Dir(l.c.Folder), "archive")
	l.put("hr_10_full.csv", header+"1,Ann\n2,Bob\n")
	l.reads("whole", "1=Ann 2=Bob")
	l.put("hr_11_delta.csv", changed+"C,2,Bo\n")
	l.reads("changes", "1=Ann 2=Bo")
	require.Len(t, l.in(l.c.Folder), 2, "they are needed to read the whole")
	l.put("hr_11_full.csv", header+"1,Ann\n2,Bo\n")
	l.reads("whole", "1=Ann 2=Bo")
	require.Equal(t, []string{"hr_11_full.csv"}, l.in(l.c.Folder))
	require.Equal(t, []string{"hr_10_full.csv", "hr_11_delta.csv"}, l.in(l.c.Archive))
}

func TestWhatWasAppliedCannotBeTakenBack(t *testing.T) {
	l := deltas(t)
	l.put("hr_10_full.csv", header+"1,Ann\n")
	l.put("hr_11_delta.csv", changed+"C,1,Anna\n")
	l.reads("whole", "1=Anna")
	l.drop("hr_11_delta.csv")
	l.reads("unchanged", "1=Anna")
	r := l.open().(*Delta)
	defer r.Close()
	_, err := r.Read(t.Context(), take(map[string]string{}))
	require.ErrorContains(t, err, "not there any more, up to hr_11_delta.csv")
	l.drop("hr_10_full.csv")
	l.put("hr_9_full.csv", header+"1,Old\n")
	_, err = r.Read(t.Context(), take(map[string]string{}))
	require.ErrorContains(t, err, "hr_9_full.csv is older than hr_10_full.csv")
}

func TestDeltasByDate(t *testing.T) {
	l := deltas(t)
	l.c.Pattern = "hr_(YYYYMMDD)_full.csv"
	l.c.Delta = &DeltaConfig{Pattern: "hr_(YYYYMMDD)_delta.csv", Every: 24 * time.Hour}
	l.put("hr_20260301_full.csv", header+"1,Ann\n")
	l.reads("whole", "1=Ann")
	l.put("hr_20260302_delta.csv", changed+"C,1,Anna\n")
	l.reads("changes", "1=Anna")
	l.put("hr_20260304_delta.csv", changed+"C,1,Anne\n")
	l.refuses("hr_20260304_delta.csv does not follow hr_20260302_delta.csv")
	l.put("hr_20260303_delta.csv", changed)
	l.reads("changes", "1=Anne")
	require.Equal(t, time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC), l.Dated)
}

func TestAConfigIsCheckedWithoutTheFolder(t *testing.T) {
	l := deltas(t)
	l.c.Folder, l.c.Archive, l.c.Done, l.c.Keep, l.c.Looks = "", "", "done", time.Hour, 1
	l.c.Delta.Pattern = "hr_(YYYYMMDD)_delta.csv"
	l.c.SFTP, l.c.PGP, l.c.CSV.Manifest = &SFTP{Addr: "h"}, &PGP{}, "m.json"
	err := l.c.Check()
	for _, why := range []string{"folder: is missing", `"done" does not say which file`, "keep: is about the archive", "looks are 2 or more",
		"host and user are required", "no host key is pinned", "pgp.signers: is missing", "those of changes a date", "manifest: belongs into pickup"} {
		require.ErrorContains(t, err, why)
	}
	l = deltas(t)
	l.c.Delta = nil
	require.ErrorContains(t, l.c.Check(), "action is about files of changes")
	l = deltas(t)
	l.c.CSV.Action = nil
	require.ErrorContains(t, l.c.Check(), "delta.action: is missing")
	l = deltas(t)
	l.c.Pattern = "hr_full.csv"
	require.ErrorContains(t, l.c.Check(), "their order must be certain")
}
