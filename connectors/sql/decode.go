package sql

import (
	"math/big"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// decode turns what the driver read into a value of the attribute's type; nil
// for NULL. What does not parse comes back as text, so that a reading never
// fails over one odd row.
func (c *column) decode(raw any) connector.Value {
	switch x := raw.(type) {
	case nil:
		return nil
	case []byte:
		if c.Type == connector.TypeBytes {
			return append([]byte{}, x...)
		}
		raw = string(x)
	case int32:
		raw = int64(x)
	case int16:
		raw = int64(x)
	case float32:
		raw = float64(x)
	case time.Time:
		if c.typ == connector.TypeString {
			raw = x.UTC().Format(time.RFC3339Nano)
		}
	}
	if s, ok := raw.(string); ok && strings.HasPrefix(c.Native, "character(") {
		raw = strings.TrimRight(s, " ")
	}
	if n, ok := raw.(int64); ok && c.typ == connector.TypeBool && (n == 0 || n == 1) {
		return n == 1
	}
	if s, ok := raw.(string); ok && c.typ == connector.TypeReference {
		return connector.Ref{Type: c.refersTo.typ, ID: s}
	}
	v, err := c.convert(raw, c.typ)
	if err != nil {
		return connector.Text(raw)
	}
	if c.typ == connector.TypeReference {
		return connector.Ref{Type: c.refersTo.typ, ID: connector.Text(v)}
	}
	return v
}

// same reports whether two values name one thing to this column: by its case
// rule, decided here and not by the database's collation.
func (c *column) same(a, b connector.Value) bool {
	if c.identical(a, b) {
		return true
	}
	return !c.caseExact && c.typ == connector.TypeString && a != nil && b != nil && strings.EqualFold(connector.Text(a), connector.Text(b))
}

// identical reports whether nothing is to be written: the values are equal as the
// column keeps them, numbers as numbers, "" and NULL alike where the product
// keeps no difference. Case counts, so that a name can change its case.
func (c *column) identical(a, b connector.Value) bool {
	if c.emptyIsNull {
		a, b = nilIfEmpty(a), nilIfEmpty(b)
	}
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	x, errX := c.normal(a)
	y, errY := c.normal(b)
	if errX != nil || errY != nil {
		x, y = connector.Text(a), connector.Text(b)
	}
	if tx, ok := x.(time.Time); ok {
		ty, ok := y.(time.Time)
		return ok && tx.Equal(ty)
	}
	s, t := connector.Text(x), connector.Text(y)
	if s == t || !c.numeric() {
		return s == t
	}
	p, ok1 := new(big.Rat).SetString(s)
	q, ok2 := new(big.Rat).SetString(t)
	return ok1 && ok2 && p.Cmp(q) == 0
}

// numeric reports whether the column holds decimals, which travel as text.
func (c *column) numeric() bool {
	n := strings.ToLower(c.Native)
	return strings.HasPrefix(n, "numeric") || strings.HasPrefix(n, "decimal")
}

func nilIfEmpty(v connector.Value) connector.Value {
	if v == "" {
		return nil
	}
	return v
}
