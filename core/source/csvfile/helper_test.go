package csvfile

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

// seen is what one reading gave.
type seen struct {
	anchors []string                       // of all records, in order
	people  map[string]identity.Attributes // of the good ones
	hashes  map[string]identity.Hash
	faults  map[string]string // anchor → reason
	at      map[string]string // anchor → position
	source.Report
}

// readConfig reads the file of c.
func readConfig(t *testing.T, c Config) (seen, error) {
	t.Helper()
	r, err := New(c)
	require.NoError(t, err)
	return collect(r.Read)
}

func collect(read func(context.Context, func(*source.Record) error) (source.Report, error)) (seen, error) {
	s := seen{people: map[string]identity.Attributes{}, hashes: map[string]identity.Hash{}, faults: map[string]string{}, at: map[string]string{}}
	var err error
	s.Report, err = read(context.Background(), func(rec *source.Record) error {
		a := strings.Clone(rec.Anchor)
		s.anchors = append(s.anchors, a)
		s.at[a] = rec.Position()
		if rec.Fault != nil {
			s.faults[a] = rec.Fault.Reason
			return nil
		}
		s.people[a], s.hashes[a] = rec.Attributes(), rec.Hash
		return nil
	})
	return s, err
}

// readText reads content as hr.csv with columns "name" or "name:type", of
// which the first is the anchor.
func readText(t *testing.T, content string, columns ...string) (seen, error) {
	t.Helper()
	return readConfig(t, textConfig(t, content, columns...))
}

func textConfig(t *testing.T, content string, columns ...string) Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hr.csv")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	c := Config{Path: path, MaxBad: 100}
	for _, col := range columns {
		name, typ, _ := strings.Cut(col, ":")
		c.Columns = append(c.Columns, Column{Name: name, Type: typ})
	}
	c.Anchor = c.Columns[0].Name
	return c
}

// file is a Config for a file of testdata; a column is "name=Header:type".
func file(name, encoding, delimiter string, columns ...string) Config {
	c := Config{Path: filepath.Join("testdata", name), Encoding: encoding, Delimiter: delimiter}
	for _, col := range columns {
		name, from, _ := strings.Cut(col, "=")
		from, typ, _ := strings.Cut(from, ":")
		c.Columns = append(c.Columns, Column{Name: name, From: []string{from}, Type: typ})
	}
	c.Anchor = c.Columns[0].Name
	return c
}
