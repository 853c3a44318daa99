package feed

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/provhub/provhub/connectors/connector"
)

// Line returns the row of an account as it stands in the file, line end and
// characters included. INVALID_VALUE, naming the attribute, for a value that the
// file cannot hold.
func (l *Layout) Line(key string, r *Row, a Action) ([]byte, error) {
	var text string
	var err error
	if l.File.isJSON() {
		text, err = l.object(key, r, a)
	} else {
		text, err = l.csvRow(key, r, a)
	}
	if err != nil {
		return nil, err
	}
	out, err := l.encode(text + l.File.lineEnd())
	if err != nil {
		return nil, l.blame(key, r, a)
	}
	return out, nil
}

// csvRow writes one row of CSV (RFC 4180).
func (l *Layout) csvRow(key string, r *Row, a Action) (string, error) {
	cells := make([]string, len(l.Columns))
	for i := range l.Columns {
		c := &l.Columns[i]
		text, err := l.cell(c, key, r, a)
		if err != nil {
			return "", err
		}
		if c.FormulaGuard {
			text = guarded(text)
		}
		if l.File.Quote == "none" && l.File.needsQuotes(text) {
			return "", invalid(c.Name, "a value of %s holds the delimiter, a quote or a line break, and the file has no quotes", firstOf(c.Name, c.Title()))
		}
		cells[i] = text
	}
	return l.File.row(cells), nil
}

// row joins cells.
func (f *File) row(cells []string) string {
	var b strings.Builder
	for i, c := range cells {
		if i > 0 {
			b.WriteString(f.delimiter())
		}
		if f.Quote == "all" || f.Quote != "none" && (f.needsQuotes(c) || c == "" && len(cells) == 1) {
			b.WriteByte('"')
			b.WriteString(strings.ReplaceAll(c, `"`, `""`))
			b.WriteByte('"')
			continue
		}
		b.WriteString(c)
	}
	return b.String()
}

func (f *File) needsQuotes(s string) bool {
	if s == "" {
		return false
	}
	first, _ := utf8.DecodeRuneInString(s)
	return strings.Contains(s, f.delimiter()) || strings.ContainsAny(s, "\"\r\n") || unicode.IsSpace(first)
}

// object writes one JSON object, keys in the order of the columns. Attributes
// without a value are left out.
func (l *Layout) object(key string, r *Row, a Action) (string, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i := range l.Columns {
		c := &l.Columns[i]
		v, err := l.jsonValue(c, key, r, a)
		if err != nil {
			return "", err
		}
		if v == nil {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.Write(jsonText(c.Title()))
		b.WriteByte(':')
		b.Write(jsonText(v))
	}
	b.WriteByte('}')
	return b.String(), nil
}

// jsonValue is what a column holds, nil for nothing.
func (l *Layout) jsonValue(c *Column, key string, r *Row, a Action) (any, error) {
	if c.Kind == KindGroups {
		return append([]string{}, r.Groups...), nil
	}
	vs := r.Attributes.Get(c.Name)
	if !c.IsAttribute() || c.Name == l.Key && len(vs) == 0 {
		return l.cell(c, key, r, a)
	}
	var out []any
	for _, v := range vs {
		switch v.(type) {
		case int64, float64, bool:
			out = append(out, v)
		default:
			text, err := l.text(c, v)
			if err != nil {
				return nil, err
			}
			out = append(out, text)
		}
	}
	switch {
	case len(out) == 0:
		return nil, nil
	case c.Multi:
		return out, nil
	}
	return out[0], nil
}

// jsonText encodes a value without the escapes that are for web pages.
func jsonText(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // text, numbers and lists of them always encode
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// MemberLine returns one row of the memberships' file.
func (l *Layout) MemberLine(key, group string, delta, remove bool) ([]byte, error) {
	m := l.Memberships
	cells := []string{key, group}
	if delta {
		action := m.Add
		if remove {
			action = m.Remove
		}
		cells = append([]string{action}, cells...)
	}
	text, err := l.memberText(m.headers(delta), cells)
	if err != nil {
		return nil, err
	}
	out, err := l.encode(text + l.File.lineEnd())
	if err != nil {
		return nil, invalid("", "the name of the group cannot be written in %s", l.File.Encoding)
	}
	return out, nil
}

func (l *Layout) memberText(headers, cells []string) (string, error) {
	if !l.File.isJSON() {
		for _, c := range cells {
			if l.File.Quote == "none" && l.File.needsQuotes(c) {
				return "", invalid("", "the name of the group holds the delimiter, a quote or a line break, and the file has no quotes")
			}
		}
		return l.File.row(cells), nil
	}
	parts := make([]string, len(cells))
	for i := range cells {
		parts[i] = string(jsonText(headers[i])) + ":" + string(jsonText(cells[i]))
	}
	return "{" + strings.Join(parts, ",") + "}", nil
}

// blame finds the attribute whose value has a character that the file's encoding
// lacks.
func (l *Layout) blame(key string, r *Row, a Action) *connector.Error {
	for i := range l.Columns {
		c := &l.Columns[i]
		if text, err := l.cell(c, key, r, a); err == nil {
			if _, err := l.encode(text); err != nil {
				return invalid(c.Name, "a character of %s cannot be written in %s", firstOf(c.Name, c.Title()), l.File.Encoding)
			}
		}
	}
	return invalid("", "a character cannot be written in %s", l.File.Encoding)
}
