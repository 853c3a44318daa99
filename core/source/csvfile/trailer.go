package csvfile

import (
	"fmt"
	"strconv"
	"strings"
)

// trailerSeen is what was found of the row that ends the file.
type trailerSeen struct {
	line  int // 0: not found
	count string
	after int // first line after it that is no blank; 0: none
}

// take reports whether row is the trailer that want describes.
func (t *trailerSeen) take(want *Trailer, row *row) bool {
	if want == nil {
		return false
	}
	if t.line > 0 {
		if t.after == 0 {
			t.after = row.line
		}
		return false
	}
	if row.damage != "" || strings.TrimSpace(row.fields[0]) != want.Prefix {
		return false
	}
	t.line = row.line
	if want.Field <= len(row.fields) {
		t.count = strings.TrimSpace(row.fields[want.Field-1])
	}
	return true
}

// checkEnd compares the end of the file with what the config says of it. A
// file cut between two rows looks whole without a trailer or a manifest
// (QUIRKS FILE-7).
func (p *pass) checkEnd() error {
	want := p.r.c.Trailer
	if want == nil {
		if p.openEnd && p.r.c.Manifest == "" {
			p.report.Warnings = append(p.report.Warnings, "the last row has no line end; if this export always writes one, the file was cut")
		}
		return nil
	}
	t := &p.trailer
	if t.line == 0 {
		return fmt.Errorf("%s: the trailer %q is missing after %d rows: the file was cut", p.r.name, want.Prefix, p.report.Rows)
	}
	if t.after > 0 {
		return fmt.Errorf("%s: a row follows the trailer of line %d: these seem to be two exports in one file", p.position(t.after), t.line)
	}
	n, err := strconv.Atoi(t.count)
	if err != nil {
		return fmt.Errorf("%s: field %d of the trailer holds no row count", p.position(t.line), want.Field)
	}
	if n == p.report.Rows {
		return nil
	}
	if p.damaged > 0 { // then the rows could not be counted well
		p.notComplete(fmt.Sprintf("%s: the trailer counts %d rows, and %d were found among damaged ones", p.position(t.line), n, p.report.Rows))
		return nil
	}
	return fmt.Errorf("%s: the trailer counts %d rows, and the file holds %d: it was cut or changed on the way", p.position(t.line), n, p.report.Rows)
}
