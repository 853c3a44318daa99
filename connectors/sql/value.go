package sql

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// encodeAll encodes the content of an attribute for its column: nil when it is
// to be cleared. INVALID_VALUE names the attribute and never the value.
func (c *column) encodeAll(vs connector.Values) (any, error) {
	switch {
	case len(vs) > 1:
		return nil, c.invalid("holds one value and was given %d", len(vs))
	case len(vs) == 0 || c.emptyIsNull && vs[0] == "":
		if c.NotNull {
			return nil, c.invalid("takes no NULL and cannot be cleared")
		}
		return nil, nil
	}
	return c.encode(vs[0])
}

// encode turns one value into what the driver binds: a string, int64, float64,
// bool, time.Time or []byte, checked against the width, range and list of the
// column, so that nothing is cut on the way (QUIRKS SQL-15).
func (c *column) encode(v connector.Value) (any, error) {
	v, err := c.normal(v)
	if err != nil {
		return nil, err
	}
	if c.typ != c.Type {
		if v, err = c.convert(v, c.Type); err != nil {
			return nil, err
		}
	}
	switch x := v.(type) {
	case connector.Date:
		return string(x), nil
	case string:
		return x, c.checkText(x)
	case int64:
		return x, c.checkRange(x)
	case []byte:
		if c.Length > 0 && len(x) > c.Length {
			return nil, c.tooLong(len(x), c.Length, dialect.Bytes)
		}
	}
	return v, nil
}

// normal gives a value the type of its attribute.
func (c *column) normal(v connector.Value) (connector.Value, error) {
	if s, ok := v.(connector.Secret); ok {
		return nil, c.invalid("cannot hold a %T", s)
	}
	return c.convert(v, c.typ)
}

// convert gives a value a type, by way of its text where the types differ.
func (c *column) convert(v connector.Value, typ connector.ValueType) (connector.Value, error) {
	switch x := v.(type) {
	case int:
		v = int64(x)
	case connector.Ref:
		v = x.ID
	case bool:
		if typ == connector.TypeInteger {
			return map[bool]int64{true: 1}[x], nil
		}
	case []byte:
		if typ == connector.TypeBytes {
			return x, nil
		}
		return nil, c.invalid("holds %s and was given bytes", typ)
	case time.Time:
		switch typ {
		case connector.TypeTimestamp:
			return x.UTC().Truncate(time.Microsecond), nil
		case connector.TypeDate:
			return connector.Date(x.UTC().Format(time.DateOnly)), nil
		}
	}
	text := connector.Text(v)
	switch typ {
	case connector.TypeInteger:
		n, err := strconv.ParseInt(text, 10, 64)
		return n, c.orInvalid(err, "an integer")
	case connector.TypeDouble:
		f, err := strconv.ParseFloat(text, 64)
		return f, c.orInvalid(err, "a number")
	case connector.TypeBool:
		b, err := strconv.ParseBool(text)
		if err != nil && c.Bits > 0 {
			n, err := strconv.ParseInt(text, 10, 64)
			return n, c.orInvalid(err, "true or false")
		}
		return b, c.orInvalid(err, "true or false")
	case connector.TypeTimestamp:
		t, err := parseTime(text)
		return t.UTC().Truncate(time.Microsecond), c.orInvalid(err, "a time such as 2026-03-31T09:00:00Z")
	case connector.TypeDate:
		_, err := time.Parse(time.DateOnly, text)
		return connector.Date(text), c.orInvalid(err, "a date such as 2026-03-31")
	case connector.TypeBytes:
		return []byte(text), nil
	}
	return text, nil
}

// timeForms are what targets and rules write; the zone is UTC when none is said.
var timeForms = []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05", time.DateOnly}

func parseTime(text string) (time.Time, error) {
	var err error
	for _, form := range timeForms {
		var t time.Time
		if t, err = time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, err
}

func (c *column) checkText(s string) error {
	switch {
	case !utf8.ValidString(s):
		return c.invalid("is not valid UTF-8")
	case strings.ContainsRune(s, 0):
		return c.invalid("holds a NUL character, which a database keeps badly or not at all")
	}
	if n := length(s, c.Unit); c.maxLength > 0 && n > c.maxLength {
		return c.tooLong(n, c.maxLength, c.Unit)
	}
	if len(c.Only) == 0 {
		return nil
	}
	for _, allowed := range c.Only {
		if s == allowed || c.IgnoreCase && strings.EqualFold(s, allowed) {
			return nil
		}
	}
	return c.invalid("may only be one of %s", strings.Join(c.Only, ", "))
}

func length(s string, unit dialect.LengthUnit) int {
	switch unit {
	case dialect.Bytes:
		return len(s)
	case dialect.UTF16:
		return len(utf16.Encode([]rune(s)))
	}
	return utf8.RuneCountInString(s)
}

func (c *column) checkRange(n int64) error {
	if c.Bits == 0 || c.Bits == 64 && !c.Unsigned {
		return nil
	}
	low, high := -int64(1)<<(c.Bits-1), int64(1)<<(c.Bits-1)-1
	if c.Unsigned {
		low, high = 0, high*2+1
		if c.Bits == 64 {
			high = 1<<63 - 1
		}
	}
	if n < low || n > high {
		return c.invalid("is outside the range of the column (%s)", c.Native)
	}
	return nil
}

func (c *column) tooLong(n, limit int, unit dialect.LengthUnit) error {
	return c.invalid("is %d %s long and column %s holds %d; nothing was written", n, unit, c.Name, limit)
}

func (c *column) orInvalid(err error, wanted string) error {
	if err == nil {
		return nil
	}
	return c.invalid("is not %s", wanted)
}

// invalid is INVALID_VALUE about this column's attribute.
func (c *column) invalid(format string, args ...any) error {
	name := orElse(c.attr, c.Name)
	return &connector.Error{Code: connector.CodeInvalidValue, Message: name + " " + fmt.Sprintf(format, args...), Attributes: []string{name}}
}
