package plan

import (
	"bytes"
	"reflect"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/provhub/provhub/connectors/connector"
)

// same reports whether two canonical contents of an attribute are the same to
// the target.
func same(at *connector.Attr, x, y connector.Values) bool {
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if !sameValue(at, x[i], y[i]) {
			return false
		}
	}
	return true
}

func sameValue(at *connector.Attr, x, y connector.Value) bool {
	switch a := x.(type) {
	case string:
		b, ok := y.(string)
		return ok && (a == b || key(at, a) == key(at, b))
	case time.Time:
		b, ok := y.(time.Time)
		return ok && a.Equal(b)
	case []byte:
		b, ok := y.([]byte)
		return ok && bytes.Equal(a, b)
	case connector.Ref:
		b, ok := y.(connector.Ref)
		return ok && a.Type == b.Type && a.ID == b.ID && a.By == b.By
	case map[string]any:
		return reflect.DeepEqual(x, y)
	case bool, int64, float64, connector.Date:
		return x == y
	}
	return false
}

// key is what values are compared and sorted by: text in Unicode's composed
// form, its case folded unless the attribute is exact about it.
func key(at *connector.Attr, v connector.Value) string {
	s, ok := v.(string)
	if !ok {
		return connector.Text(v)
	}
	s = norm.NFC.String(s)
	if at.CaseExact {
		return s
	}
	return fold(s)
}

// fold makes texts equal that differ in case alone.
func fold(s string) string { return strings.ToLower(s) }
