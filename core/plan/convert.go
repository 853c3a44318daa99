package plan

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// convert gives v the Go type that attributes of type t have; nil for blank
// text. An error says what was expected, and not what was given.
func convert(t connector.ValueType, v connector.Value) (connector.Value, error) {
	if s, ok := v.(string); ok {
		s = strings.TrimSpace(s)
		if s == "" {
			return nil, nil
		}
		v = s
	}
	if n, ok := v.(int); ok {
		v = int64(n)
	}
	switch t {
	case connector.TypeInteger:
		return integer(v)
	case connector.TypeDouble:
		return double(v)
	case connector.TypeBool:
		return boolean(v)
	case connector.TypeTimestamp:
		return timestamp(v)
	case connector.TypeDate:
		return date(v)
	case connector.TypeBytes:
		if b, ok := v.([]byte); ok {
			return b, nil
		}
		return nil, errors.New("not bytes")
	case connector.TypeObject:
		if o, ok := v.(map[string]any); ok {
			return o, nil
		}
		return nil, errors.New("not an object")
	case connector.TypeReference:
		switch v.(type) {
		case string, connector.Ref:
			return v, nil
		}
		return nil, errors.New("not a reference")
	}
	return text(v)
}

func text(v connector.Value) (connector.Value, error) {
	switch x := v.(type) {
	case string:
		return x, nil
	case connector.Secret, map[string]any, []byte, nil:
		return nil, errors.New("not text")
	case connector.Ref:
		return x.ID, nil
	default:
		return connector.Text(x), nil
	}
}

func integer(v connector.Value) (connector.Value, error) {
	switch x := v.(type) {
	case int64:
		return x, nil
	case float64:
		if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
			return int64(x), nil
		}
	case string:
		if n, err := strconv.ParseInt(x, 10, 64); err == nil {
			return n, nil
		}
	}
	return nil, errors.New("not a whole number")
}

func double(v connector.Value) (connector.Value, error) {
	switch x := v.(type) {
	case float64:
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			return x, nil
		}
	case int64:
		return float64(x), nil
	case string:
		if f, err := strconv.ParseFloat(x, 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f, nil
		}
	}
	return nil, errors.New("not a number")
}

func boolean(v connector.Value) (connector.Value, error) {
	switch x := v.(type) {
	case bool:
		return x, nil
	case int64:
		if x == 0 || x == 1 {
			return x == 1, nil
		}
	case string:
		switch strings.ToLower(x) {
		case "true", "yes", "on", "1":
			return true, nil
		case "false", "no", "off", "0":
			return false, nil
		}
	}
	return nil, errors.New("neither true nor false")
}

func timestamp(v connector.Value) (connector.Value, error) {
	switch x := v.(type) {
	case time.Time:
		return x.UTC(), nil
	case string:
		if t, err := time.Parse(time.RFC3339Nano, x); err == nil {
			return t.UTC(), nil
		}
	}
	return nil, errors.New("not a time in the form of RFC 3339, 2026-03-31T08:00:00Z")
}

func date(v connector.Value) (connector.Value, error) {
	s, ok := v.(string)
	if d, is := v.(connector.Date); is {
		s, ok = string(d), true
	}
	if _, err := time.Parse(time.DateOnly, s); ok && err == nil {
		return connector.Date(s), nil
	}
	return nil, fmt.Errorf("not a date in the form 2026-03-31")
}
