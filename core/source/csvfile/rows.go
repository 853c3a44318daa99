package csvfile

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"unicode/utf8"
)

// rows splits decoded text into rows. What encoding/csv cannot split is set
// aside line by line: after a stray quote it would take the rows that follow
// for text, and their people would seem to have left.
type rows struct {
	w      *window
	buf    *bufio.Reader
	csv    *csv.Reader
	comma  rune
	mark   rune  // of comment lines; 0: none
	base   int64 // offset in w at which csv began
	line   int   // lines read so far
	fields int   // how many a row must have; 0: not known yet
	row    row
	rowAt  int64 // offset of the row's first line
}

// row is one row of the file; it is valid until the next one is read.
type row struct {
	fields []string
	line   int // of its first line, from 1
	// damage says why the row could not be split; fields then are those at its
	// beginning that could.
	damage string
	// unclosed: the file ends inside quoted text that begins in this row.
	unclosed bool
	// openEnd: it is the last and no line end follows it.
	openEnd bool
	// lost says, by field, where in the file the text stands that could not be
	// decoded; see [ahead].
	lost map[int]error
}

func newRows(w *window, comma, comment rune) *rows {
	r := &rows{w: w, comma: comma, mark: comment}
	r.buf = bufio.NewReaderSize(w, bufferSize)
	r.restart(0)
	return r
}

// restart goes on reading at offset.
func (r *rows) restart(offset int64) {
	r.w.rewind(offset)
	r.buf.Reset(r.w)
	r.csv = csv.NewReader(r.buf)
	r.csv.Comma, r.csv.Comment, r.csv.ReuseRecord, r.csv.FieldsPerRecord = r.comma, r.mark, true, -1
	r.base = offset
}

// next returns the next row that is not blank, io.EOF after the last.
func (r *rows) next() (*row, error) {
	for {
		start := r.base + r.csv.InputOffset()
		r.w.release(start)
		fields, err := r.csv.Read()
		end := r.base + r.csv.InputOffset()
		tooLong := errors.Is(err, errRowTooLong)
		if tooLong {
			end = r.w.end()
		} else if err != nil && !errors.As(err, new(*csv.ParseError)) {
			return nil, err
		}
		raw := r.w.text(start, end)
		skip, blank := r.leadingBlank(raw)
		raw, r.rowAt = raw[skip:], start+int64(skip)
		r.line += blank
		if tooLong && skip > 0 { // much of it was blank
			r.restart(r.rowAt)
			continue
		}
		r.row = row{fields: fields, line: r.line + 1, damage: r.damageOf(raw, fields, err)}
		if r.row.damage != "" {
			r.row.unclosed = errors.Is(err, csv.ErrQuote) && r.atEnd(end) && bytes.Count(raw, quote)%2 == 1
			return &r.row, r.setAside(raw, tooLong)
		}
		r.line += bytes.Count(raw, newline)
		r.row.openEnd = r.atEnd(end) && raw[len(raw)-1] != '\n'
		return &r.row, nil
	}
}

var quote, newline = []byte{'"'}, []byte{'\n'}

func (r *rows) atEnd(offset int64) bool { return offset == r.w.end() && r.w.err == io.EOF }

// leadingBlank returns how many bytes and lines of raw encoding/csv passes over
// before the row itself.
func (r *rows) leadingBlank(raw []byte) (skip, count int) {
	for {
		line := firstLine(raw[skip:])
		first, _ := utf8.DecodeRune(line)
		comment := r.mark != 0 && first == r.mark
		if !comment && string(line) != "\n" && string(line) != "\r\n" {
			return skip, count
		}
		skip += len(line)
		count++
	}
}

// firstLine returns b up to its first line end, which is included.
func firstLine(b []byte) []byte {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[:i+1]
	}
	return b
}

// raw returns the text of the row.
func (r *rows) raw() []byte { return r.w.text(r.rowAt, r.base+r.csv.InputOffset()) }

// lost returns the first bytes of field i that could not be decoded, and where
// in the file they stand. The row must not be damaged.
func (r *rows) lost(i int) (offset int64, bad []byte) {
	first, _ := r.csv.FieldPos(0)
	line, col := r.csv.FieldPos(i)
	at, end := r.rowAt, r.base+r.csv.InputOffset()
	for ; first < line; first++ {
		at += int64(len(firstLine(r.w.text(at, end))))
	}
	at += int64(col - 1)
	text := r.w.text(at, end)
	for n := 0; n < len(text); {
		c, size := utf8.DecodeRune(text[n:])
		if c == utf8.RuneError {
			return r.w.fileOffset(at + int64(n)), text[n : n+size]
		}
		n += size
	}
	return r.w.fileOffset(at), nil
}
