package csvfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

// A record is kept as its cells in canonical form, one after the other in the
// order of the columns' names: what the hash covers is what Attributes tells.
//
//	cell = 0x00                    the attribute has no value
//	     | 0x01 length bytes       text, or the text of a number, date or bool
//	     | 0x02 count cell…        list
const (
	cellNone = 0
	cellText = 1
	cellList = 2
)

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(append(b, cellText), uint64(len(s)))
	return append(b, s...)
}

// appendCell appends the canonical form of a cell. An empty text stays a text,
// so that an expression may put it together with others; an empty cell of
// another type has no value. The error says what was expected, not what was found.
func (c *column) appendCell(b []byte, cell string, sentinels map[string]bool, zone *time.Location) ([]byte, error) {
	s, err := tidy(cell)
	if err != nil {
		return b, err
	}
	if s == "" && c.Required {
		return b, errors.New("is empty, and a value is required")
	}
	switch {
	case c.typ == source.Text:
		return appendText(b, s), nil
	case c.typ == source.List:
		return c.appendList(b, s), nil
	case s == "" || c.typ == source.Date && sentinels[s]:
		if c.Required {
			return b, errors.New("holds a date that means \"none\", and a value is required")
		}
		return append(b, cellNone), nil
	case c.typ == source.Date:
		return c.appendDate(b, s, zone)
	case c.typ == source.Bool:
		return appendBool(b, s)
	}
	return appendNumber(b, s, c.typ)
}

func (c *column) appendList(b []byte, s string) []byte {
	n := 0
	for item := range strings.SplitSeq(s, c.separator()) {
		if strings.TrimSpace(item) != "" {
			n++
		}
	}
	b = binary.AppendUvarint(append(b, cellList), uint64(n))
	for item := range strings.SplitSeq(s, c.separator()) {
		if item = strings.TrimSpace(item); item != "" {
			b = appendText(b, item)
		}
	}
	return b
}

func (c *column) appendDate(b []byte, s string, zone *time.Location) ([]byte, error) {
	t, err := parseDate(s, c.layouts, zone)
	if errors.Is(err, errNotDate) {
		formats := c.Format
		if len(formats) == 0 {
			formats = []string{"YYYY-MM-DD"}
		}
		return b, fmt.Errorf("is no date in the form %s", strings.Join(formats, " or "))
	}
	if err != nil {
		return b, err
	}
	b = append(b, cellText, byte(len(isoDate)))
	if len(c.layouts) == 1 && c.layouts[0] == isoDate {
		return append(b, s...), nil // the usual case, and the quicker way
	}
	return t.AppendFormat(b, isoDate), nil
}

// yes and no are the words that HR systems write; what is not here is a fault.
var (
	yes = []string{"true", "1", "yes", "y", "ja", "j", "oui"}
	no  = []string{"false", "0", "no", "n", "nein", "non"}
)

func appendBool(b []byte, s string) ([]byte, error) {
	same := func(word string) bool { return strings.EqualFold(word, s) }
	switch {
	case slices.ContainsFunc(yes, same):
		return appendText(b, "1"), nil
	case slices.ContainsFunc(no, same):
		return appendText(b, "0"), nil
	}
	return b, errors.New("is neither yes nor no; read it as text and compare it in the mapping")
}

func appendNumber(b []byte, s string, typ source.Type) ([]byte, error) {
	var digits [32]byte
	if typ == source.Integer {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return b, errors.New("is no whole number")
		}
		return appendText(b, string(strconv.AppendInt(digits[:0], n, 10))), nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || strings.Trim(s, "+-.0123456789eE") != "" {
		return b, errors.New("is no number with a decimal point, such as 0.5")
	}
	return appendText(b, string(strconv.AppendFloat(digits[:0], f, 'g', -1, 64))), nil
}

// attributes reads a record in canonical form back.
func attributes(columns []column, b []byte) identity.Attributes {
	as := make(identity.Attributes, len(columns))
	for i := range columns {
		var v any
		if v, b = value(columns[i].typ, b); v != nil {
			as[columns[i].Name] = v
		}
	}
	return as
}

// value reads one cell that appendCell wrote; nil is no value.
func value(typ source.Type, b []byte) (any, []byte) {
	kind, b := b[0], b[1:]
	switch kind {
	case cellNone:
		return nil, b
	case cellList:
		n, size := binary.Uvarint(b)
		b = b[size:]
		items := make([]string, n)
		for i := range items {
			items[i], b = text(b[1:])
		}
		return items, b
	}
	s, b := text(b)
	switch typ {
	case source.Integer:
		n, _ := strconv.ParseInt(s, 10, 64) // written by appendNumber
		return n, b
	case source.Number:
		f, _ := strconv.ParseFloat(s, 64) // written by appendNumber
		return f, b
	case source.Bool:
		return s == "1", b
	}
	return s, b
}

func text(b []byte) (string, []byte) {
	n, size := binary.Uvarint(b)
	return string(b[size : size+int(n)]), b[size+int(n):]
}
