package csvfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/source"
)

// QUIRKS HR-4
func TestAnEmptySourceIsAnErrorNotAnExodus(t *testing.T) {
	for content, want := range map[string]string{
		"":                 "hr.csv is empty (0 bytes)",
		"\xef\xbb\xbf":     "hr.csv holds no header and no rows",
		"\n\r\n\n":         "hr.csv holds no header and no rows",
		"id,name\n":        "hr.csv holds a header and no rows",
		"id,name\n\n,\n":   "hr.csv holds a header and no rows",
		"id,name\r\n\x1a":  "hr.csv holds a header and no rows",
		"<html>503</html>": `the column "id" is missing`,
	} {
		got, err := readText(t, content, "id", "name")
		require.ErrorContains(t, err, want, "%q", content)
		assert.False(t, got.Complete)
	}
}

func TestAFileThatIsNotThereSaysSo(t *testing.T) {
	c := textConfig(t, "id\n1\n", "id")
	require.NoError(t, os.Remove(c.Path))
	_, err := readConfig(t, c)
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, c.Path)

	c.Path = filepath.Dir(c.Path)
	_, err = readConfig(t, c)
	assert.ErrorContains(t, err, "is a folder: name the file in it")
}

// QUIRKS FILE-7
func TestTheTrailerMustBeLastAndCountTheRows(t *testing.T) {
	for _, c := range []struct{ name, content, err, incomplete string }{
		{name: "right", content: "id,name\n1,Ann\n2,Bob\nTRAILER,2\n"},
		{name: "right, with more fields and blank lines", content: "id,name\n1,Ann\n2,Bob\n TRAILER , 2 ,2026-03-31\n\n"},
		{name: "a bad row counts", content: "id,name\n1,Ann\n2\nTRAILER,2\n"},
		{name: "cut at a row border", content: "id,name\n1,Ann\n", err: `the trailer "TRAILER" is missing after 1 rows: the file was cut`},
		{name: "cut in the middle", content: "id,name\n1,Ann\nTRAILER,2\n", err: "hr.csv:3: the trailer counts 2 rows, and the file holds 1"},
		{name: "two exports in one file", content: "id,name\n1,Ann\nTRAILER,1\n2,Bob\nTRAILER,2\n", err: "hr.csv:4: a row follows the trailer of line 3"},
		{name: "no count", content: "id,name\n1,Ann\nTRAILER\n", err: "hr.csv:3: field 2 of the trailer holds no row count"},
		{name: "rows that stray quotes made hard to count", content: "id,name\n1,Ann\n2,\"x\n\"y\n3,Cy\nTRAILER,3\n", incomplete: "the trailer counts 3 rows, and 4 were found among damaged ones"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := textConfig(t, c.content, "id", "name")
			config.Trailer = &Trailer{Prefix: "TRAILER", Field: 2}
			got, err := readConfig(t, config)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.NotContains(t, got.anchors, "TRAILER")
			if c.incomplete != "" {
				assert.Contains(t, strings.Join(got.Incomplete, "\n"), c.incomplete)
			}
			assert.Equal(t, c.incomplete == "", got.Complete)
		})
	}
}

// QUIRKS FILE-7, FILE-9
func TestTheManifestMustAgree(t *testing.T) {
	const content = "id\n1\n2\n"
	const sum = "b0d1cf2f5a0b3be9f3c4a8b8d5bd3c6f"
	got, err := readText(t, content, "id")
	require.NoError(t, err)
	for _, c := range []struct{ name, manifest, err string }{
		{"all of it", fmt.Sprintf(`{"rows": 2, "sha256": %q, "date": "2026-03-31"}`, strings.ToUpper(got.Snapshot)), ""},
		{"rows", `{"rows": 3}`, "hr.csv holds 2 rows, and manifest hr.json says 3"},
		{"content", `{"sha256": "` + sum + `"}`, "is not the file that manifest hr.json describes"},
		{"no JSON", `rows=2`, "manifest hr.json is no JSON of the form"},
		{"nothing to check", `{"date": "2026-03-31"}`, "gives neither rows nor sha256"},
		{"date", `{"rows": 2, "date": "31.03.2026"}`, "the date is not of the form 2026-03-31"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := textConfig(t, content, "id")
			config.Manifest = filepath.Join(filepath.Dir(config.Path), "hr.json")
			require.NoError(t, os.WriteFile(config.Manifest, []byte(c.manifest), 0o600))
			got, err := readConfig(t, config)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC), got.Dated)
		})
	}
	config := textConfig(t, content, "id")
	config.Manifest = filepath.Join(t.TempDir(), "none.json")
	_, err = readConfig(t, config)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// QUIRKS FILE-9, HR-24
func TestAFileIsDatedAndAStaleOneRefused(t *testing.T) {
	config := textConfig(t, "id\n1\n", "id")
	written := time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)
	require.NoError(t, os.Chtimes(config.Path, written, written))
	config.MaxAge = 48 * time.Hour
	r, err := New(config)
	require.NoError(t, err)

	r.now = func() time.Time { return written.Add(47 * time.Hour) }
	got, err := collect(r.Read)
	require.NoError(t, err)
	assert.True(t, written.Equal(got.Dated))

	r.now = func() time.Time { return written.Add(49 * time.Hour) }
	got, err = collect(r.Read)
	require.ErrorContains(t, err, "hr.csv is dated 2026-03-01T04:00:00Z and older than 48h0m0s")
	assert.Empty(t, got.anchors)
}

func TestAFileThatChangesWhileItIsReadIsRefused(t *testing.T) {
	rows := strings.Repeat("1,Ann\n", 100_000)
	for _, c := range []struct {
		name   string
		change func(path string) error
		err    string
	}{
		{"appended", func(path string) error { return appendTo(path, "2,Bob\n") }, "hr.csv was changed while it was read"},
		{"touched", func(path string) error { return os.Chtimes(path, time.Time{}, time.Unix(1, 0)) }, "hr.csv was changed while it was read"},
		{"replaced", func(path string) error {
			if err := os.WriteFile(path+".new", []byte("id,name\n"), 0o600); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := textConfig(t, "id,name\n"+rows, "id", "name")
			r, err := New(config)
			require.NoError(t, err)
			changed := false
			report, err := r.Read(context.Background(), func(*source.Record) error {
				if changed {
					return nil
				}
				changed = true
				return c.change(config.Path)
			})
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err, "the older file was read whole")
			assert.Equal(t, 100_000, report.Rows)
			assert.Contains(t, strings.Join(report.Warnings, ""), "was replaced while it was read")
		})
	}
}

func appendTo(path, text string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

func TestReadingStopsAtTheFirstErrorOfYieldAndWhenCancelled(t *testing.T) {
	r, err := New(textConfig(t, "id\n"+strings.Repeat("1\n", 5000), "id"))
	require.NoError(t, err)
	full := errors.New("disk full")
	n := 0
	report, err := r.Read(context.Background(), func(*source.Record) error {
		if n++; n == 3 {
			return full
		}
		return nil
	})
	require.ErrorIs(t, err, full)
	assert.Equal(t, 3, n)
	assert.False(t, report.Complete)

	ctx, cancel := context.WithCancel(context.Background())
	report, err = r.Read(ctx, func(*source.Record) error { cancel(); return nil })
	require.ErrorIs(t, err, context.Canceled)
	assert.False(t, report.Complete)
}

// QUIRKS HR-1, HR-3: which of two rows of one person is right is not for the
// reader to say; it hands on both.
func TestDuplicatesAreHandedOnAsTheyAre(t *testing.T) {
	got, err := readText(t, "id,mail\n7,a@x.org\n8,b@x.org\n7,c@x.org\n007,d@x.org\n", "id", "mail")
	require.NoError(t, err)
	assert.Equal(t, []string{"7", "8", "7", "007"}, got.anchors)
}
