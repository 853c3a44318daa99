package feed

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
)

// Writer writes one file: its beginning, lines that were made before, its end. It
// holds none of them.
type Writer struct {
	layout *Layout
	facts  Facts
	out    io.Writer // what lines go into
	close  []io.Closer
	buf    *bufio.Writer
	sum    hash.Hash
	size   counter
	rows   int64
}

type counter int64

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

// bufferSize is how much is written at once.
const bufferSize = 256 << 10

// NewWriter begins a file in w. members says which of the two files it is. facts
// hold the number of rows it will have, -1 when that is not known, which is enough
// unless [File.TellsRows]. pgp nil: not encrypted.
func (l *Layout) NewWriter(w io.Writer, facts Facts, members bool, pgp *PGP) (*Writer, error) {
	x := &Writer{layout: l, facts: facts, sum: sha256.New()}
	x.buf = bufio.NewWriterSize(io.MultiWriter(w, x.sum, &x.size), bufferSize)
	x.out = x.buf
	if pgp != nil {
		p, err := pgp.wrap(x.out)
		if err != nil {
			return nil, err
		}
		x.close, x.out = append(x.close, p), p
	}
	if l.File.Compress == "gzip" {
		z := gzip.NewWriter(x.out) // without a time or a name: the same rows, the same bytes
		x.close, x.out = append(x.close, z), z
	}
	return x, x.begin(members)
}

// TellsRows reports whether a file says at its beginning how many rows it has.
func (f *File) TellsRows() bool {
	for _, m := range placeholder.FindAllStringSubmatch(f.Leader, -1) {
		if m[1] == "rows" {
			return true
		}
	}
	return false
}

func (x *Writer) begin(members bool) error {
	l := x.layout
	if _, err := io.WriteString(x.out, marks[l.File.Encoding]); err != nil {
		return err
	}
	if err := x.special(l.File.Leader); err != nil {
		return err
	}
	if l.File.NoHeader || l.File.isJSON() {
		return nil
	}
	headers := l.headers()
	if members {
		headers = l.Memberships.headers(x.facts.Mode == "delta")
	}
	return x.text(l.File.row(headers))
}

// special writes the leader or the trailer.
func (x *Writer) special(pattern string) error {
	if pattern == "" {
		return nil
	}
	line, err := x.layout.File.Fill(pattern, x.facts)
	if err != nil {
		return err
	}
	return x.text(line)
}

func (x *Writer) text(line string) error {
	b, err := x.layout.encode(line + x.layout.File.lineEnd())
	if err != nil {
		return err
	}
	_, err = x.out.Write(b)
	return err
}

// Lines writes lines that [Layout.Line] or [Layout.MemberLine] made; n is how many
// b holds.
func (x *Writer) Lines(b []byte, n int64) error {
	x.rows += n
	_, err := x.out.Write(b)
	return err
}

// Close ends the file and says what was written. It fails when there were not as
// many rows as announced.
func (x *Writer) Close() (Written, error) {
	announced := x.facts.Rows
	x.facts.Rows = x.rows
	errs := []error{x.special(x.layout.File.Trailer)}
	for i := len(x.close) - 1; i >= 0; i-- {
		errs = append(errs, x.close[i].Close())
	}
	errs = append(errs, x.buf.Flush())
	if announced >= 0 && announced != x.rows {
		errs = append(errs, errors.New("the number of rows is not the one that was counted before"))
	}
	return Written{Size: int64(x.size), Rows: x.rows, SHA256: hex.EncodeToString(x.sum.Sum(nil))}, errors.Join(errs...)
}
