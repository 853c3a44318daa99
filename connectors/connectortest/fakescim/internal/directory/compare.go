package directory

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/query"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// fold returns s as it is compared: by case only when the attribute says so.
func fold(a *schema.Attr, s string) string {
	if a.CaseExact {
		return s
	}
	return strings.ToLower(s)
}

// test says whether one value of an attribute meets a comparison.
type test func(v any) bool

// comparison returns the test for c on values of attribute a. The error is a
// [*schema.Error] with invalidFilter when a cannot be compared so.
func comparison(a *schema.Attr, c query.Compare) (test, error) {
	refuse := func(why string) (test, error) {
		return nil, schema.Bad(schema.InvalidFilter, "%s: %s", c, why)
	}
	if a.Returned == "never" {
		return refuse(a.Name + " cannot be searched for")
	}
	switch a.Type {
	case "boolean":
		want, ok := c.Value.(bool)
		if !ok || c.Op != query.Equal && c.Op != query.NotEqual {
			return refuse("a boolean is compared by eq and ne, with true or false")
		}
		return func(v any) bool { return (v == want) == (c.Op == query.Equal) }, nil
	case "integer", "decimal":
		n, ok := c.Value.(json.Number)
		want, err := n.Float64()
		if !ok || err != nil || !ordered[c.Op] {
			return refuse("a number is compared with a number, by eq, ne, gt, ge, lt or le")
		}
		return func(v any) bool { return order(c.Op, number(v)-want) }, nil
	case "dateTime":
		s, _ := c.Value.(string)
		want, err := time.Parse(time.RFC3339Nano, s)
		if err != nil || !ordered[c.Op] {
			return refuse("a time is compared with a time such as 2008-01-23T04:56:22Z, by eq, ne, gt, ge, lt or le")
		}
		return func(v any) bool { return order(c.Op, float64(instant(v).Compare(want))) }, nil
	case "complex":
		return refuse("a sub-attribute is needed")
	}
	s, ok := c.Value.(string)
	if !ok || a.Type == "binary" && c.Op != query.Equal && c.Op != query.NotEqual {
		return refuse("this comparison is not for a " + a.Type)
	}
	want := fold(a, s)
	return func(v any) bool {
		s, _ := v.(string)
		return textual(c.Op, fold(a, s), want)
	}, nil
}

var ordered = map[query.Op]bool{query.Equal: true, query.NotEqual: true, query.Greater: true, query.GreaterOrEqual: true, query.Less: true, query.LessOrEqual: true}

// order says whether op holds for a difference.
func order(op query.Op, diff float64) bool {
	switch op {
	case query.Equal:
		return diff == 0
	case query.NotEqual:
		return diff != 0
	case query.Greater:
		return diff > 0
	case query.GreaterOrEqual:
		return diff >= 0
	case query.Less:
		return diff < 0
	}
	return diff <= 0
}

func textual(op query.Op, have, want string) bool {
	switch op {
	case query.Contains:
		return strings.Contains(have, want)
	case query.StartsWith:
		return strings.HasPrefix(have, want)
	case query.EndsWith:
		return strings.HasSuffix(have, want)
	}
	return order(op, float64(strings.Compare(have, want)))
}

func number(v any) float64 {
	switch x := v.(type) {
	case int64:
		return float64(x)
	case float64:
		return x
	}
	return 0
}

func instant(v any) time.Time {
	switch x := v.(type) {
	case time.Time:
		return x
	case string:
		t, err := time.Parse(time.RFC3339Nano, x)
		if err == nil {
			return t
		}
	}
	return time.Time{}
}
