package scim

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// encode returns a value as JSON has it. A reference is the id of what it refers
// to, DEPENDENCY_MISSING while that has none.
func (a *attribute) encode(v connector.Value) (any, error) {
	switch x := v.(type) {
	case connector.Ref:
		if x.ID == "" {
			return nil, a.missing()
		}
		return x.ID, nil
	case time.Time:
		return x.UTC().Format(time.RFC3339Nano), nil // RFC 7643 §2.3.5
	case connector.Secret:
		return x.Reveal(), nil
	case connector.Date:
		return string(x), nil
	}
	return v, nil
}

func (a *attribute) encodeAll(vs connector.Values) ([]any, error) {
	out := make([]any, 0, len(vs))
	for _, v := range vs {
		x, err := a.encode(v)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// decode returns what a resource holds of the attribute. Values that do not fit
// its type come as text, so that a difference shows rather than an error.
func (a *attribute) decode(r client.Resource) connector.Values {
	var out connector.Values
	for _, raw := range r.Values(a.path) {
		if v := a.decodeOne(raw); v != nil {
			out = append(out, v)
		}
	}
	if !a.Multi && len(out) > 1 {
		out = out[:1]
	}
	return out
}

func (a *attribute) decodeOne(raw any) connector.Value {
	if raw == nil || raw == "" { // servers give "" for what is unassigned (RFC 7643 §2.5)
		return nil
	}
	switch a.Type {
	case connector.TypeBool:
		if b, ok := truth(raw); ok {
			return b
		}
	case connector.TypeInteger:
		if f, ok := number(raw); ok && f == math.Trunc(f) {
			return int64(f)
		}
	case connector.TypeDouble:
		if f, ok := number(raw); ok {
			return f
		}
	case connector.TypeTimestamp:
		if s, ok := raw.(string); ok {
			if at, err := time.Parse(time.RFC3339Nano, s); err == nil {
				return at.UTC()
			}
		}
	case connector.TypeReference:
		if id := text(raw); id != "" {
			return connector.Ref{Type: a.RefersTo, ID: id}
		}
		return nil
	case connector.TypeObject:
		if m, ok := raw.(map[string]any); ok {
			return m
		}
	}
	if s := text(raw); s != "" {
		return s
	}
	return nil
}

// truth reads a boolean in any of the forms in use (QUIRKS SCIM-63).
func truth(raw any) (value, ok bool) {
	switch x := raw.(type) {
	case bool:
		return x, true
	case string:
		b, err := strconv.ParseBool(strings.ToLower(x))
		return b, err == nil
	}
	return false, false
}

func number(raw any) (float64, bool) {
	switch x := raw.(type) {
	case float64:
		return x, true
	case json.Number:
		f, err := x.Float64()
		return f, err == nil
	case string:
		f, err := strconv.ParseFloat(x, 64)
		return f, err == nil
	}
	return 0, false
}

func text(raw any) string {
	switch x := raw.(type) {
	case nil:
		return ""
	case string:
		return x
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case bool, json.Number:
		return fmt.Sprint(x)
	case map[string]any: // a complex value where a simple one is expected
		return client.Resource(x).Text("value")
	}
	return ""
}
