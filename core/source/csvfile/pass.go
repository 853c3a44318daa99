package csvfile

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

const (
	// faultsKept is how many bad rows a report lists; all are counted.
	faultsKept = 100
	// reasonsKept bounds the reasons why a reading is incomplete.
	reasonsKept = 10
)

// pass is one reading of the file.
type pass struct {
	r       *Reader
	yield   func(*source.Record) error
	columns []column // with their places in this file
	header  int      // fields of the header
	action  int      // index of the column that says what has happened; -1: none
	text    *decoded
	rows    *rows
	trailer trailerSeen

	report     source.Report
	incomplete int
	damaged    int    // rows that could not be split
	openEnd    bool   // no line end follows the last row
	cells      []byte // the record in canonical form, after the seed
	record     source.Record
	line       int
}

func newPass(r *Reader, yield func(*source.Record) error) *pass {
	p := &pass{r: r, yield: yield, columns: slices.Clone(r.columns)}
	p.cells = append(p.cells, r.seed[:]...)
	p.record.Kind = identity.Person
	p.record.Position = func() string { return p.position(p.line) }
	return p
}

func (p *pass) position(line int) string { return fmt.Sprintf("%s:%d", p.r.name, line) }

// run reads all of src.
func (p *pass) run(ctx context.Context, src io.Reader) error {
	if err := p.open(src); err != nil {
		return err
	}
	attributes := func() identity.Attributes { return attributes(p.columns, p.cells[sha256.Size:]) }
	rows := splitAhead(p.rows, p.text)
	defer rows.close()
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row, err := rows.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s:%d: reading: %w", p.r.name, p.rows.line+1, err)
		}
		if blank(row) {
			continue
		}
		p.line = row.line
		if p.trailer.take(p.r.c.Trailer, row) {
			continue
		}
		p.openEnd = row.openEnd
		p.report.Rows++
		p.record.Fault, p.record.Attributes = nil, attributes
		if err := p.take(row); err != nil {
			return err
		}
	}
}

// open reads up to and including the header.
func (p *pass) open(src io.Reader) error {
	text, err := decode(src, p.r.c.encoding())
	if err != nil {
		return fmt.Errorf("%s: %w", p.r.name, err)
	}
	p.text = text
	w := &window{src: text, size: text.size}
	w.sniffLineEnds()
	p.rows = newRows(w, p.r.comma, p.r.comment)
	if err := p.skipSeparatorLine(firstLine(w.peek(16))); err != nil {
		return err
	}
	row, err := p.rows.next()
	switch {
	case err == io.EOF:
		return fmt.Errorf("%s holds no header and no rows: refusing to take everybody as gone", p.r.name)
	case err != nil:
		return fmt.Errorf("%s: reading the header: %w", p.r.name, err)
	case row.damage != "":
		return fmt.Errorf("%s:%d: the header %s", p.r.name, row.line, row.damage)
	}
	warnings, err := match(p.columns, row.fields, p.r.comma)
	if err != nil {
		return fmt.Errorf("%s:%d: %w", p.r.name, row.line, err)
	}
	p.report.Warnings = warnings
	if err := p.findAction(row.fields); err != nil {
		return fmt.Errorf("%s:%d: %w", p.r.name, row.line, err)
	}
	p.header = len(row.fields)
	p.rows.fields = p.header
	return nil
}

// skipSeparatorLine passes over the line sep=; that Excel reads and writes.
func (p *pass) skipSeparatorLine(line []byte) error {
	sep, ok := strings.CutPrefix(strings.TrimRight(string(line), "\r\n"), "sep=")
	if !ok || line[len(line)-1] != '\n' {
		return nil
	}
	if sep != string(p.r.comma) {
		return fmt.Errorf("%s:1: the file says its delimiter is %q, and the config says %q", p.r.name, sep, p.r.comma)
	}
	p.rows.line = 1
	p.rows.restart(int64(len(line)))
	return nil
}

// blank reports whether a row is what spreadsheets leave behind: delimiters
// without content, or the end-of-file mark of DOS.
func blank(row *row) bool {
	if row.damage != "" {
		return false
	}
	if len(row.fields) == 1 && row.fields[0] == "\x1a" {
		return true
	}
	return !slices.ContainsFunc(row.fields, func(f string) bool { return strings.TrimSpace(f) != "" })
}

// finish says how the reading went, once everything was read.
func (p *pass) finish() error {
	if err := p.text.check(); err != nil {
		return fmt.Errorf("%s: %w", p.r.name, err)
	}
	if err := p.checkEnd(); err != nil {
		return err
	}
	if p.report.Rows == 0 && !p.r.delta { // nothing may have changed
		return fmt.Errorf("%s holds a header and no rows: refusing to take everybody as gone", p.r.name)
	}
	if err := p.tooBad(); err != nil {
		return err
	}
	if p.incomplete > reasonsKept {
		p.report.Incomplete = append(p.report.Incomplete, fmt.Sprintf("and %d reasons more", p.incomplete-reasonsKept))
	}
	p.report.Complete = p.incomplete == 0
	return nil
}

// tooBad refuses a file with too many bad rows. A single one never does, or
// one slip would stop a small company.
func (p *pass) tooBad() error {
	bad, rows := p.report.FaultCount, p.report.Rows
	if (bad < rows || p.r.delta) && (bad < 2 || float64(bad)*100 <= p.r.c.maxBad()*float64(rows)) {
		return nil
	}
	err := fmt.Errorf("%s: %d of %d rows are bad (max_bad_percent is %v): the whole file is refused", p.r.name, bad, rows, p.r.c.maxBad())
	for _, f := range p.report.Faults[:min(3, len(p.report.Faults))] {
		err = errors.Join(err, errors.New(f.String()))
	}
	return err
}
