package csvfile

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// damageOf says what is wrong with a row as text; "" when it could be split and
// has not swallowed others.
func (r *rows) damageOf(raw []byte, fields []string, err error) string {
	switch {
	case errors.Is(err, csv.ErrBareQuote):
		return "has a quote inside text that is not quoted; quote the whole value and double the quote"
	case errors.Is(err, csv.ErrQuote):
		return "has a quote that is not closed, or not doubled inside quoted text"
	case err != nil:
		return err.Error() + "; a quote is probably not closed"
	}
	first := firstLine(raw)
	if r.fields == 0 || len(first) == len(raw) {
		return ""
	}
	if len(fields) != r.fields {
		return "has quoted text over several lines and a wrong number of fields; a quote is probably not closed"
	}
	if r.looksWhole(first) {
		for rest := raw[len(first):]; len(rest) > 0; rest = rest[len(first):] {
			if first = firstLine(rest); r.looksWhole(first) {
				return "has quoted text over several lines, one of which looks like a row of its own; a quote is probably not closed"
			}
		}
	}
	return ""
}

// looksWhole reports whether line alone has as many delimiters as a row.
func (r *rows) looksWhole(line []byte) bool {
	return r.fields > 1 && bytes.Count(line, []byte(string(r.comma))) >= r.fields-1
}

// setAside reduces the damaged row that raw holds to its first line, and goes
// on reading with the line that follows it.
func (r *rows) setAside(raw []byte, tooLong bool) error {
	first := firstLine(raw)
	r.line++
	r.row.fields = leadingFields(strings.TrimRight(string(first), "\r\n"), string(r.comma))
	if len(first) < len(raw) {
		r.restart(r.rowAt + int64(len(first)))
	} else if tooLong {
		return r.skipLine()
	}
	return nil
}

// skipLine passes over a line of any length that begins at rowAt.
func (r *rows) skipLine() error {
	r.restart(r.rowAt)
	for {
		part, err := r.buf.ReadSlice('\n')
		r.base += int64(len(part))
		r.w.release(r.base)
		if err == nil || err == io.EOF {
			return nil
		}
		if err != bufio.ErrBufferFull {
			return err
		}
	}
}

// leadingFields splits line strictly and stops at the first field that is not
// well quoted.
func leadingFields(line, comma string) []string {
	var fields []string
	for {
		field, rest, more := strings.Cut(line, comma)
		if strings.HasPrefix(line, `"`) {
			end := closingQuote(line)
			if end < 0 {
				return fields
			}
			field, rest, more = strings.ReplaceAll(line[1:end], `""`, `"`), line[end+1:], false
			if rest, more = strings.CutPrefix(rest, comma); !more && rest != "" {
				return fields
			}
		} else if strings.Contains(field, `"`) {
			return fields
		}
		fields = append(fields, field)
		if !more {
			return fields
		}
		line = rest
	}
}

// closingQuote returns where the quoted text that line begins with ends; -1
// when it does not.
func closingQuote(line string) int {
	for i := 1; i < len(line); i++ {
		if line[i] != '"' {
			continue
		}
		if i+1 < len(line) && line[i+1] == '"' {
			i++
			continue
		}
		return i
	}
	return -1
}
