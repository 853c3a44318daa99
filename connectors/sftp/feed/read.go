package feed

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/transform"
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
