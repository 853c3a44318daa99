package csvfile

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/provhub/provhub/core/source"
)

// Reader reads one file; it implements [source.Reader]. A Reader may be used
// again and again, by one caller at a time.
type Reader struct {
	c         Config
	name      string // of the file, without its folder
	delta     bool   // the file holds changes
	comma     rune
	comment   rune
	zone      *time.Location
	columns   []column // by name
	anchor    int      // index in columns
	sentinels map[string]bool
	// seed is the hash of what the columns are, so that a record read under
	// another configuration has another hash.
	seed [sha256.Size]byte
	now  func() time.Time
}

var _ source.Reader = (*Reader)(nil)

// New checks c and returns its reader. It does not look at the file. The error
// lists every fault of c.
func New(c Config) (*Reader, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("csv source: %w", err)
	}
	r := &Reader{c: c, name: filepath.Base(c.Path), zone: c.Zone, sentinels: map[string]bool{}, now: time.Now}
	r.comma, _ = oneCharacter("delimiter", c.Delimiter, ',')
	r.comment, _ = oneCharacter("comment", c.Comment, 0)
	if r.zone == nil {
		r.zone = time.UTC
	}
	for _, s := range c.Sentinels {
		r.sentinels[s] = true
	}
	for _, col := range c.Columns {
		layouts, _ := parseFormats(col.Format)
		r.columns = append(r.columns, column{Column: col, typ: col.typ(), layouts: layouts})
	}
	slices.SortFunc(r.columns, func(a, b column) int { return cmp.Compare(a.Name, b.Name) })
	r.anchor = slices.IndexFunc(r.columns, func(col column) bool { return col.Name == c.Anchor })
	r.seed = seedOf(r.columns)
	return r, nil
}

func seedOf(columns []column) [sha256.Size]byte {
	var b []byte
	for _, c := range columns {
		for _, s := range []string{c.Name, string(c.typ)} {
			b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
		}
	}
	return sha256.Sum256(b)
}

// Fields implements [source.Reader].
func (r *Reader) Fields() []source.Field {
	fields := make([]source.Field, len(r.columns))
	for i, c := range r.columns {
		fields[i] = source.Field{Name: c.Name, Type: c.typ}
	}
	return fields
}

// Read implements [source.Reader]. Errors and faults name the file and the line.
func (r *Reader) Read(ctx context.Context, yield func(*source.Record) error) (source.Report, error) {
	f, before, want, dated, err := r.begin()
	if err != nil {
		return source.Report{Dated: dated}, err
	}
	defer f.Close()
	report, err := r.read(ctx, f, yield)
	report.Dated = dated
	if err != nil {
		return report, err
	}
	if err := r.unchanged(f, before, &report); err != nil {
		return report, err
	}
	return report, want.check(r.name, &report)
}

// begin opens the file and reads what its manifest says; a file that is too old
// is refused.
func (r *Reader) begin() (f *os.File, before fs.FileInfo, want manifest, dated time.Time, err error) {
	if f, before, err = r.open(); err != nil {
		return nil, nil, want, dated, err
	}
	if want, err = readManifest(r.c.Manifest); err == nil {
		dated = want.dated(r.zone, before.ModTime())
		if age := r.now().Sub(dated); r.c.MaxAge > 0 && age > r.c.MaxAge {
			err = fmt.Errorf("%s is dated %s and older than %v: the export seems to have stopped",
				r.name, dated.Format(time.RFC3339), r.c.MaxAge)
		}
	}
	if err != nil {
		return nil, nil, want, dated, errors.Join(err, f.Close())
	}
	return f, before, want, dated, nil
}

func (r *Reader) open() (*os.File, fs.FileInfo, error) {
	f, err := os.Open(r.c.Path)
	if err != nil {
		return nil, nil, fmt.Errorf("source file: %w", err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = fmt.Errorf("%s is a folder: name the file in it", r.c.Path)
	case info.Size() == 0 && info.Mode().IsRegular():
		err = fmt.Errorf("%s is empty (0 bytes): refusing to take everybody as gone", r.name)
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}

// unchanged refuses a file that was written to while it was read. One that was
// replaced as a whole was read well, in its old form.
func (r *Reader) unchanged(f *os.File, before fs.FileInfo, report *source.Report) error {
	after, err := f.Stat()
	if err != nil {
		return err
	}
	if after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		return fmt.Errorf("%s was changed while it was read: let the export write another name and rename it when it is done", r.name)
	}
	if now, err := os.Stat(r.c.Path); err != nil || !os.SameFile(now, before) {
		report.Warnings = append(report.Warnings, r.name+" was replaced while it was read; this reading is of the older file")
	}
	return nil
}

// read reads the content of the file from src.
func (r *Reader) read(ctx context.Context, src io.Reader, yield func(*source.Record) error) (source.Report, error) {
	p := newPass(r, yield)
	sum := sha256.New()
	if err := p.run(ctx, io.TeeReader(src, sum)); err != nil {
		return p.report, err
	}
	p.report.Snapshot = hex.EncodeToString(sum.Sum(nil))
	return p.report, p.finish()
}
