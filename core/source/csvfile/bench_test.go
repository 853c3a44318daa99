package csvfile

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/source"
)

const benchRows = 1_000_000

// benchFile writes a million people of some 130 bytes each.
func benchFile(b *testing.B) Config {
	b.Helper()
	path := filepath.Join(b.TempDir(), "hr.csv")
	f, err := os.Create(path)
	require.NoError(b, err)
	w := bufio.NewWriterSize(f, bufferSize)
	fmt.Fprintln(w, "employee_id,given,family,mail,department,title,manager,start,end,active,site,cost_center")
	for i := range benchRows {
		fmt.Fprintf(w, "E%07d,Jürgen,Müller-%d,j.mueller%d@example.com,Dept %d,\"Engineer, %s\",E%07d,2019-03-%02d,,true,Hamburg,%d\n",
			i, i, i, i%97, []string{"junior", "senior"}[i%2], i/10, i%28+1, 4000+i%50)
	}
	require.NoError(b, w.Flush())
	require.NoError(b, f.Close())
	c := Config{Path: path, Anchor: "employee_id"}
	c.Columns = []Column{{Name: "employee_id"}, {Name: "given"}, {Name: "family"}, {Name: "mail"}, {Name: "department"}, {Name: "title"},
		{Name: "manager"}, {Name: "start", Type: "date"}, {Name: "end", Type: "date"}, {Name: "active", Type: "bool"}, {Name: "site"}, {Name: "cost_center"}}
	return c
}

// BenchmarkRead reads and hashes a million people of whom none has changed.
// Compare it with BenchmarkReference.
func BenchmarkRead(b *testing.B) {
	r, err := New(benchFile(b))
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		_, err := r.Read(context.Background(), func(rec *source.Record) error {
			n += len(rec.Anchor)
			return nil
		})
		require.NoError(b, err)
		require.Equal(b, 8*benchRows, n)
	}
}

// BenchmarkReference is the least there is to do: split the same file, and hash it.
func BenchmarkReference(b *testing.B) {
	c := benchFile(b)
	b.ReportAllocs()
	for b.Loop() {
		f, err := os.Open(c.Path)
		require.NoError(b, err)
		sum := sha256.New()
		r := csv.NewReader(bufio.NewReaderSize(io.TeeReader(f, sum), bufferSize))
		r.ReuseRecord = true
		for err == nil {
			_, err = r.Read()
		}
		require.Equal(b, io.EOF, err)
		sum.Sum(nil)
		require.NoError(b, f.Close())
	}
}
