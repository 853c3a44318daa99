package csvfile

import (
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/source"
)

// FuzzRead: whatever the bytes are and however they arrive, reading gives the
// same records, ends, and calls nothing good that is not.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*")
	require.NoError(f, err)
	names := slices.Sorted(maps.Keys(encodings))
	for _, path := range files {
		b, err := os.ReadFile(path)
		require.NoError(f, err)
		for i := range names {
			f.Add(b, uint8(i))
		}
	}
	for _, s := range []string{
		"id,name,hired,tags,n\n1,\"a\nb\",2020-01-01,x;y,1\n2,\"Bob,2020-01-01,,\n3,C\"y,,,\nT,3\n",
		"id,name\n1,\xff\n2,\ufffd\n\x00,\n\"\n\"\"\n,\"", "sep=,\nid,name\r1,2\r\n", "id,name\n1,a,b\n\x1a", "\"id\nx\",name\n",
	} {
		f.Add([]byte(s), uint8(slices.Index(names, "utf-8")))
	}
	f.Fuzz(func(t *testing.T, content []byte, encoding uint8) {
		r, err := New(Config{
			Path: "hr.csv", Encoding: names[int(encoding)%len(names)], Anchor: "id", MaxBad: 100, Comment: "#", Trailer: &Trailer{Prefix: "T", Field: 2},
			Columns: []Column{{Name: "id"}, {Name: "name", Optional: true}, {Name: "hired", Type: "date", Optional: true},
				{Name: "tags", Type: "list", Optional: true}, {Name: "n", Type: "number", Optional: true}},
		})
		require.NoError(t, err)
		if bytes.IndexByte(content, ';') >= 0 {
			r.comma = ';'
		}
		whole, err := readAll(r, bytes.NewReader(content))
		for _, chunked := range []io.Reader{iotest.OneByteReader(bytes.NewReader(content)), iotest.DataErrReader(iotest.HalfReader(bytes.NewReader(content)))} {
			again, err2 := readAll(r, chunked)
			assert.Equal(t, err, err2)
			assert.Equal(t, whole, again)
		}
		lines := 1 + bytes.Count(content, []byte("\n")) + bytes.Count(content, []byte("\r"))
		assert.LessOrEqual(t, whole.Rows, lines)
		assert.LessOrEqual(t, whole.FaultCount, whole.Rows)
		assert.Len(t, whole.Faults, min(whole.FaultCount, faultsKept))
		assert.False(t, whole.Complete && (err != nil || len(whole.Incomplete) > 0 || whole.Rows == 0))
		for anchor, as := range whole.people {
			assert.NotEmpty(t, anchor)
			assert.True(t, utf8.ValidString(anchor))
			assert.Equal(t, anchor, as.Text("id"))
			assert.True(t, utf8.ValidString(as.Text("name")))
			assert.NotContains(t, as.Text("name"), "\ufffd")
		}
	})
}

func readAll(r *Reader, src io.Reader) (seen, error) {
	return collect(func(ctx context.Context, yield func(*source.Record) error) (source.Report, error) {
		return r.read(ctx, src, yield)
	})
}
