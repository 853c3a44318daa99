package pickup

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// QUIRKS FILE-9
func TestTheNewestFileByTheDateInItsNameCounts(t *testing.T) {
	l := newLab(t)
	l.put("hr_20260303_full.csv", header+"1,New\n")
	l.put("hr_20260301_full.csv", header+"1,Old\n")
	// The date in the name counts, not the time of writing.
	old := time.Now().Add(-1000 * time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(l.c.Folder, "hr_20260303_full.csv"), old, old))
	l.put("notes.txt", "nothing of ours")
	l.put("hr_20269999_full.csv", header+"1,No date\n")
	l.reads("whole", "1=New")
	l.noted("hr_20269999_full.csv matches")
	require.Equal(t, time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC), l.Dated)

	l.reads("unchanged", "1=New")
	l.put("hr_20260304_full.csv", header+"1,Newer\n")
	l.put("hr_20260305_full.csv", header+"1,Newest\n")
	l.reads("whole", "1=Newest")
	l.noted("hr_20260304_full.csv was not read: hr_20260305_full.csv is newer")
}

// QUIRKS FILE-9: three ways in which a day's file is not what it should be.
func TestTheSameFileAnOlderOneAndNone(t *testing.T) {
	l := newLab(t)
	l.c.Archive = filepath.Join(filepath.Dir(l.c.Folder), "archive")
	l.c.CSV.MaxAge = 48 * time.Hour
	l.now = time.Date(2026, 3, 3, 6, 0, 0, 0, time.UTC)
	l.put("hr_20260303_full.csv", header+"1,Ann\n")
	l.reads("whole", "1=Ann")
	require.Empty(t, l.in(l.c.Folder))
	require.Equal(t, []string{"hr_20260303_full.csv"}, l.in(l.c.Archive))
	l.reads("unchanged", "1=Ann")

	l.put("hr_20260302_full.csv", header+"2,Gone\n")
	l.reads("unchanged", "1=Ann")
	l.noted("hr_20260302_full.csv is older than hr_20260303_full.csv, which was read before, and was not read")

	l.now = l.now.Add(24 * time.Hour)
	l.put("hr_20260304_full.csv", header+"1,Ann\n")
	l.reads("unchanged", "1=Ann")
	l.noted("hr_20260304_full.csv holds, byte for byte, what hr_20260303_full.csv held")
	require.Empty(t, l.in(l.c.Folder), "what is older is done with")
	l.reads("unchanged", "1=Ann")
	require.Empty(t, l.notes, "it is said once")

	l.now = l.now.Add(48 * time.Hour)
	l.refuses("nothing newer than hr_20260304_full.csv has arrived", "The export seems to have stopped")
}

func TestAnOlderFileWithoutTheNewerOneIsLeftToTheCycleToRefuse(t *testing.T) {
	l := newLab(t)
	l.put("hr_20260303_full.csv", header+"1,Ann\n")
	l.reads("whole", "1=Ann")
	newest := l.Dated
	l.drop("hr_20260303_full.csv")
	l.put("hr_20260302_full.csv", header+"2,Bob\n")
	l.reads("whole", "2=Bob")
	require.True(t, l.Dated.Before(newest), "by this the cycle knows")
}

func TestANumberNeverGoesBack(t *testing.T) {
	l := newLab(t)
	l.c.Pattern = "hr_(N).csv"
	l.put("hr_9.csv", header+"1,Ann\n")
	l.put("hr_10.csv", header+"1,Anna\n")
	l.reads("whole", "1=Anna")
	l.drop("hr_10.csv")
	l.refuses("hr_9.csv is older than hr_10.csv, which was read before", "Nothing was taken over")
	l.put("hr_010.csv", header+"1,Anna\n")
	l.put("hr_10.csv", header+"1,Anne\n")
	l.refuses("are equally new")
}

func TestNoFile(t *testing.T) {
	l := newLab(t)
	l.refuses("no complete file that matches", l.c.Folder)
	_, err := l.sync()
	require.ErrorIs(t, err, fs.ErrNotExist)
	l.put("hr_20260303_full.csv", header+"1,Ann\n")
	l.reads("whole", "1=Ann")
	l.drop("hr_20260303_full.csv")
	l.refuses("the last one read was hr_20260303_full.csv, and it is not there any more")
}

// QUIRKS FILE-6
func TestAFileWithoutItsTriggerIsNotRead(t *testing.T) {
	l := newLab(t)
	l.c.Done = "{base}.done"
	l.put("hr_20260302_full.csv", header+"1,Ann\n")
	l.put("hr_20260302_full.done", "")
	l.put("hr_20260303_full.csv", header+"1,Half")
	l.reads("whole", "1=Ann")
	l.noted("hr_20260303_full.csv was not read: hr_20260303_full.done, which tells that it is complete, is not there yet")
	l.put("hr_20260303_full.csv", header+"1,Whole\n")
	l.put("hr_20260303_full.done", "")
	l.reads("whole", "1=Whole")
}

// QUIRKS FILE-6
func TestAFileThatIsBeingWrittenIsNotRead(t *testing.T) {
	l := newLab(t)
	l.c.Every = 100 * time.Millisecond
	l.put("hr_20260302_full.csv", header+"1,Ann\n")
	l.put("hr_20260303_full.csv", header+"1,Half\n")
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		f, err := os.OpenFile(filepath.Join(l.c.Folder, "hr_20260303_full.csv"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return
		}
		defer f.Close()
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				fmt.Fprintln(f, "2,Bob")
			}
		}
	}()
	l.reads("whole", "1=Ann")
	close(stop)
	<-done
	l.noted("hr_20260303_full.csv was not read: it is still being written")
}

// QUIRKS FILE-7
func TestTheManifestAndTheChecksumOfEachFileMustAgree(t *testing.T) {
	good := header + "1,Ann\n"
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(good)))
	for _, c := range []struct{ name, manifest, checksum, err string }{
		{name: "both", manifest: `{"rows": 1, "sha256": "` + sum + `", "date": "2026-03-05"}`, checksum: sum + "  hr_20260303_full.csv\n"},
		{name: "a list of sums", manifest: `{"rows": 1}`, checksum: strings.Repeat("0", 64) + "  other.csv\n" + strings.ToUpper(sum) + " *hr_20260303_full.csv\n"},
		{name: "rows", manifest: `{"rows": 2}`, checksum: sum, err: "holds 1 rows, and its manifest says 2"},
		{name: "another file", manifest: `{"rows": 1}`, checksum: strings.Repeat("0", 64), err: "it is not the file that hr_20260303_full.csv.sha256 describes"},
		{name: "they differ", manifest: `{"sha256": "` + strings.Repeat("1", 64) + `"}`, checksum: sum, err: "say different things of"},
		{name: "of another name", manifest: `{"rows": 1}`, checksum: sum + "  other.csv", err: "hr_20260303_full.csv.sha256 says nothing of hr_20260303_full.csv"},
		{name: "no sum", manifest: `{"rows": 1}`, checksum: "abc", err: "holds no SHA-256: 3 characters"},
		{name: "no manifest", manifest: `rows=1`, checksum: sum, err: "is no JSON of the form"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			l.c.Manifest, l.c.Checksum = "{file}.json", "{file}.sha256"
			l.put("hr_20260303_full.csv", good)
			l.put("hr_20260303_full.csv.json", c.manifest)
			l.refuses("hr_20260303_full.csv.sha256, which tells that it is complete, is not there yet")
			l.put("hr_20260303_full.csv.sha256", c.checksum)
			if c.err != "" {
				l.refuses(c.err)
				return
			}
			l.reads("whole", "1=Ann")
		})
	}
}

func TestTheManifestsDateOrdersFilesWithoutOne(t *testing.T) {
	l := newLab(t)
	l.c.Pattern, l.c.Manifest = "export-*.csv", "{base}.json"
	for _, f := range []struct{ name, date, who string }{{"export-b", "2026-03-01", "Old"}, {"export-a", "2026-03-09", "New"}} {
		l.put(f.name+".csv", header+"1,"+f.who+"\n")
		l.put(f.name+".json", `{"rows": 1, "date": "`+f.date+`"}`)
	}
	l.reads("whole", "1=New")
	require.Equal(t, time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC), l.Dated)
}

// QUIRKS FILE-18: into the archive only after success, never over another file, and
// not for ever.
func TestTheArchive(t *testing.T) {
	l := newLab(t)
	l.c.Archive, l.c.Done, l.c.Keep = filepath.Join(filepath.Dir(l.c.Folder), "archive"), "{file}.done", 240*time.Hour
	l.put("hr_20260303_full.csv", "id\n1\n")
	l.put("hr_20260303_full.csv.done", "")
	l.refuses(`the column "name" is missing`)
	require.Len(t, l.in(l.c.Folder), 2, "what was not taken over stays")

	l.put("hr_20260303_full.csv", header+"1,Ann\n")
	l.put("hr_20260302_full.csv", header+"2,Older\n")
	l.put("hr_20260302_full.csv.done", "")
	require.NoError(t, os.Mkdir(l.c.Archive, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(l.c.Archive, "hr_20260303_full.csv"), []byte("another"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(l.c.Archive, "hr_20250101_full.csv"), []byte("old"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(l.c.Archive, "mine.txt"), []byte("old"), 0o600))
	long := time.Now().Add(-300 * time.Hour)
	for _, name := range []string{"hr_20250101_full.csv", "mine.txt"} {
		require.NoError(t, os.Chtimes(filepath.Join(l.c.Archive, name), long, long))
	}
	l.reads("whole", "1=Ann")
	require.Empty(t, l.in(l.c.Folder))
	names := l.in(l.c.Archive)
	require.Len(t, names, 6, names)
	require.NotContains(t, names, "hr_20250101_full.csv")
	require.Contains(t, names, "mine.txt", "what is not ours stays")
	text, err := os.ReadFile(filepath.Join(l.c.Archive, "hr_20260303_full.csv"))
	require.NoError(t, err)
	require.Equal(t, "another", string(text))

	// It can be read again from there, as when the configuration changes.
	l.Report.Snapshot = ""
	l.reads("whole", "1=Ann")
}

func TestAFileThatWasWrittenAgainIsNotPutAway(t *testing.T) {
	l := newLab(t)
	l.c.Archive = filepath.Join(filepath.Dir(l.c.Folder), "archive")
	l.put("hr_20260303_full.csv", header+"1,Ann\n")
	r := l.open().(*Reader)
	defer r.Close()
	_, err := r.Read(t.Context(), take(map[string]string{}))
	require.NoError(t, err)
	l.put("hr_20260303_full.csv", header+"1,Ann\n2,Bob\n")
	require.ErrorContains(t, r.Committed(t.Context()), "was written again since it was read")
	l.reads("whole", "1=Ann 2=Bob")
}

// QUIRKS FILE-18: the copy has no name, and nobody else may read it.
func TestTheCopyIsPrivate(t *testing.T) {
	l := newLab(t)
	l.put("hr_20260303_full.csv", header+"1,Ann\n")
	r := l.open().(*Reader)
	defer r.Close()
	_, err := r.Read(t.Context(), take(map[string]string{}))
	require.NoError(t, err)
	info, err := r.one.text.f.Stat()
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
	require.Empty(t, l.in(os.TempDir()))
}

// What is written to the folder while the rows are read changes nothing: they are
// those of the copy.
func TestAFileThatIsSwappedWhileItIsRead(t *testing.T) {
	l := newLab(t)
	l.put("hr_20260303_full.csv", header+"1,Ann\n2,Bob\n")
	r := l.open().(*Reader)
	defer r.Close()
	people := map[string]string{}
	_, err := r.Read(t.Context(), take(people))
	require.NoError(t, err)
	l.put("hr_20260303_full.csv", header+"9,Zed\n")
	again := map[string]string{}
	_, err = r.csv.ReadFile(t.Context(), r.one.file(), take(again))
	require.NoError(t, err)
	require.Equal(t, people, again)
}

func TestALinkIsNotFollowed(t *testing.T) {
	l := newLab(t)
	secret := filepath.Join(filepath.Dir(l.c.Folder), "secret")
	require.NoError(t, os.WriteFile(secret, []byte(header+"1,Ann\n"), 0o600))
	require.NoError(t, os.Symlink(secret, filepath.Join(l.c.Folder, "hr_20260303_full.csv")))
	l.refuses("no complete file that matches")
}
