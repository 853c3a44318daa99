package feed

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/transform"

	"github.com/provhub/provhub/connectors/connector"
)

// maxLine bounds one line of JSON.
const maxLine = 4 << 20

// Records reads a file row by row: cells by header. yield's first error ends it.
// A row with another number of cells than headers, characters that are not of the
// encoding, and a trailer with another number of rows are errors.
func (f *File) Records(r io.Reader, yield func(map[string]any) error) error {
	text, err := f.text(r)
	if err != nil {
		return err
	}
	in := bufio.NewReaderSize(text, 64<<10)
	if f.Leader != "" {
		if _, err := in.ReadString('\n'); err != nil {
			return fmt.Errorf("the first line: %w", err)
		}
	}
	if f.isJSON() {
		return f.objects(in, yield)
	}
	return f.csvRecords(in, yield)
}

// text undoes compression and encoding.
func (f *File) text(r io.Reader) (io.Reader, error) {
	if f.Compress == "gzip" {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, fmt.Errorf("the file is not compressed as it should be: %w", err)
		}
		r = z
	}
	in := bufio.NewReader(r)
	if mark := marks[f.Encoding]; mark != "" {
		if b, err := in.Peek(len(mark)); err == nil && string(b) == mark {
			_, _ = in.Discard(len(mark))
		}
	}
	if cs := charsets[f.Encoding]; cs != nil {
		return transform.NewReader(in, cs.NewDecoder()), nil
	}
	return in, nil
}

func (f *File) csvRecords(in io.Reader, yield func(map[string]any) error) error {
	r := csv.NewReader(in)
	r.Comma, _ = utf8.DecodeRuneInString(f.delimiter())
	r.FieldsPerRecord = -1
	var headers []string
	end := trailerOf(f.Trailer)
	rows := 0
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", rows+1, err)
		}
		line, _ := r.FieldPos(0)
		if n, ok := end.rows(f.row(cells)); ok {
			return end.check(n, rows)
		}
		if headers == nil {
			if headers, err = f.header(cells); err != nil {
				return err
			}
			if !f.NoHeader {
				continue
			}
		}
		if len(cells) != len(headers) {
			return fmt.Errorf("line %d has %d cells, and there are %d headers", line, len(cells), len(headers))
		}
		rows++
		if err := yield(rowOf(headers, cells)); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
	return end.missing()
}

// header returns the headers of a file; one without a header row has "1", "2", …
func (f *File) header(cells []string) ([]string, error) {
	out := make([]string, len(cells))
	seen := map[string]bool{}
	for i, c := range cells {
		if f.NoHeader {
			out[i] = fmt.Sprint(i + 1)
			continue
		}
		out[i] = c
		if seen[fold(c)] {
			return nil, fmt.Errorf("the header %q is there twice", c)
		}
		seen[fold(c)] = true
	}
	return out, nil
}

func rowOf(headers, cells []string) map[string]any {
	row := make(map[string]any, len(cells))
	for i, c := range cells {
		row[headers[i]] = c
	}
	return row
}

func (f *File) objects(in io.Reader, yield func(map[string]any) error) error {
	s := bufio.NewScanner(in)
	s.Buffer(nil, maxLine)
	end := trailerOf(f.Trailer)
	rows := 0
	for s.Scan() {
		text := strings.TrimRight(s.Text(), "\r")
		if n, ok := end.rows(text); ok {
			return end.check(n, rows)
		}
		if text == "" {
			continue
		}
		rows++
		var row map[string]any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&row); err != nil {
			return fmt.Errorf("line %d is no JSON object", rows)
		}
		if err := yield(row); err != nil {
			return fmt.Errorf("line %d: %w", rows, err)
		}
	}
	if s.Err() != nil {
		return s.Err()
	}
	return end.missing()
}

// trailer recognises the last line of a file; nil when files have none.
type trailer struct{ re *regexp.Regexp }

func trailerOf(pattern string) *trailer {
	if pattern == "" {
		return nil
	}
	var b strings.Builder
	last := 0
	for _, at := range placeholder.FindAllStringSubmatchIndex(pattern, -1) {
		b.WriteString(regexp.QuoteMeta(pattern[last:at[0]]))
		last = at[1]
		if pattern[at[2]:at[3]] == "rows" {
			b.WriteString(`(?P<rows>[0-9]+)`)
			continue
		}
		b.WriteString(`.*?`)
	}
	b.WriteString(regexp.QuoteMeta(pattern[last:]))
	return &trailer{regexp.MustCompile("^" + b.String() + "$")}
}

// rows reports whether line is the trailer, and how many rows it tells, -1 for
// nothing.
func (t *trailer) rows(line string) (n int, ok bool) {
	if t == nil {
		return 0, false
	}
	m := t.re.FindStringSubmatch(line)
	if m == nil {
		return 0, false
	}
	if i := t.re.SubexpIndex("rows"); i >= 0 {
		_, err := fmt.Sscan(m[i], &n)
		return n, err == nil
	}
	return -1, true
}

func (t *trailer) check(told, read int) error {
	if told >= 0 && told != read {
		return fmt.Errorf("the trailer tells of %d rows, and there are %d", told, read)
	}
	return nil
}

func (t *trailer) missing() error {
	if t != nil {
		return errors.New("the trailer is missing; the file was cut short")
	}
	return nil
}

// Text returns the text of one cell, "" when it is not there. Headers are compared
// without regard to case.
func Text(row map[string]any, header string) string {
	v, ok := row[header]
	if !ok {
		for k, x := range row {
			if fold(k) == fold(header) {
				v = x
			}
		}
	}
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	}
	return fmt.Sprint(v)
}

// Parse reads a row of a full file back.
func (l *Layout) Parse(row map[string]any) (key string, r *Row, err error) {
	r = &Row{State: Enabled}
	for i := range l.Columns {
		c := &l.Columns[i]
		cell, there := row[c.Title()]
		if l.File.NoHeader && !l.File.isJSON() {
			cell, there = row[fmt.Sprint(i+1)]
		}
		if !there && !l.File.isJSON() {
			return "", nil, fmt.Errorf("the column %q is missing", c.Title())
		}
		if err := l.parse(c, cell, r); err != nil {
			return "", nil, fmt.Errorf("column %q: %w", c.Title(), err)
		}
	}
	if key = r.Attributes.Text(l.Key); key == "" {
		return "", nil, fmt.Errorf("there is no %s", l.Key)
	}
	return key, r, nil
}

func (l *Layout) parse(c *Column, cell any, r *Row) error {
	switch c.Kind {
	case KindState:
		return c.parseState(cell, r)
	case KindGroups:
		r.Groups = c.split(cell)
		return nil
	case KindAction, KindConstant:
		return nil
	}
	var vs connector.Values
	for _, text := range c.split(cell) {
		v, err := l.value(c, text)
		if err != nil {
			return err
		}
		vs = append(vs, v)
	}
	if len(vs) > 0 {
		r.Attributes = append(r.Attributes, connector.Attribute{Name: c.Name, Values: vs})
	}
	return nil
}

func (c *Column) parseState(cell any, r *Row) error {
	switch text := fmt.Sprint(cell); text {
	case c.Enabled:
		r.State = Enabled
	case c.Disabled:
		r.State = Disabled
	case c.Deleted:
		r.State = Deleted
	default:
		return fmt.Errorf("%q is neither %q nor %q", text, c.Enabled, c.Disabled)
	}
	return nil
}

// split returns the values of a cell as text.
func (c *Column) split(cell any) []string {
	switch x := cell.(type) {
	case nil:
		return nil
	case []any:
		out := make([]string, len(x))
		for i := range x {
			out[i] = fmt.Sprint(x[i])
		}
		return out
	}
	text := fmt.Sprint(cell)
	if rest, ok := strings.CutPrefix(text, "'"); ok && c.FormulaGuard && isFormula(rest) {
		text = rest
	}
	switch {
	case text == "":
		return nil
	case c.Multi, c.Kind == KindGroups:
		return strings.Split(text, c.Separator)
	}
	return []string{text}
}
