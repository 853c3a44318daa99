package connector

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// tagged is the JSON form of the values that JSON itself cannot tell apart.
type tagged struct {
	Double    *float64       `json:"double,omitempty"`
	Timestamp *time.Time     `json:"timestamp,omitempty"`
	Date      *Date          `json:"date,omitempty"`
	Bytes     []byte         `json:"bytes,omitempty"`
	Ref       *Ref           `json:"ref,omitempty"`
	Object    map[string]any `json:"object,omitempty"`
}

// MarshalJSON implements [json.Marshaler]. A [Secret] is refused: secrets are
// never stored as attributes.
func (vs Values) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, v := range vs {
		if i > 0 {
			b.WriteByte(',')
		}
		if s, ok := v.(string); ok && isPlain(s) {
			b.WriteByte('"')
			b.WriteString(s)
			b.WriteByte('"')
			continue
		}
		out, err := marshalValue(v)
		if err != nil {
			return nil, err
		}
		b.Write(out)
	}
	b.WriteByte(']')
	return b.Bytes(), nil
}

// isPlain reports whether s stands in JSON as it is, which nearly every value does.
func isPlain[T string | []byte](s T) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c > '~':
			return false
		case c == '"' || c == '\\' || c == '<' || c == '>' || c == '&':
			return false
		}
	}
	return true
}

func marshalValue(v Value) ([]byte, error) {
	switch x := v.(type) {
	case string:
		return marshalText(x)
	case bool, int64:
		return json.Marshal(x)
	case int:
		return json.Marshal(int64(x))
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("connector: %v is not a value", x)
		}
		return json.Marshal(tagged{Double: &x})
	case time.Time:
		u := x.UTC()
		return json.Marshal(tagged{Timestamp: &u})
	case Date:
		if _, err := marshalText(string(x)); err != nil {
			return nil, err
		}
		return json.Marshal(tagged{Date: &x})
	case []byte:
		if x == nil {
			x = []byte{}
		}
		return json.Marshal(struct {
			Bytes []byte `json:"bytes"`
		}{x})
	case Ref:
		return json.Marshal(tagged{Ref: &x})
	case map[string]any:
		if x == nil {
			x = map[string]any{}
		}
		return json.Marshal(struct {
			Object map[string]any `json:"object"`
		}{x})
	}
	return nil, fmt.Errorf("connector: a %T cannot be stored as an attribute value", v)
}

// marshalText refuses what JSON would silently replace: text that is stored
// must come back as it was, or it would look changed for ever.
func marshalText(s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, errors.New("connector: text that is not UTF-8 is not a value")
	}
	return json.Marshal(s)
}

// UnmarshalJSON implements [json.Unmarshaler] for what MarshalJSON writes.
func (vs *Values) UnmarshalJSON(data []byte) error {
	if s, ok := onePlain(data); ok {
		*vs = Values{s}
		return nil
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	out := make(Values, 0, len(raw))
	for _, r := range raw {
		v, err := unmarshalValue(r)
		if err != nil {
			return err
		}
		out = append(out, v)
	}
	*vs = out
	return nil
}

// onePlain reads what most attributes hold, ["one plain text"], without the three
// passes that the general way takes.
func onePlain(data []byte) (string, bool) {
	n := len(data)
	if n < 4 || string(data[:2]) != `["` || string(data[n-2:]) != `"]` || !isPlain(data[2:n-2]) {
		return "", false
	}
	return string(data[2 : n-2]), true
}

func unmarshalValue(r json.RawMessage) (Value, error) {
	r = bytes.TrimSpace(r)
	if len(r) == 0 {
		return nil, fmt.Errorf("connector: empty value")
	}
	switch r[0] {
	case '"':
		var s string
		err := json.Unmarshal(r, &s)
		return s, err
	case 't', 'f':
		var b bool
		err := json.Unmarshal(r, &b)
		return b, err
	case '{':
		return unmarshalTagged(r)
	case 'n':
		return nil, errors.New("connector: null is not a value")
	}
	var n int64
	if err := json.Unmarshal(r, &n); err != nil {
		return nil, fmt.Errorf("connector: %s is not a value", r)
	}
	return n, nil
}

func unmarshalTagged(r json.RawMessage) (Value, error) {
	var t tagged
	if err := json.Unmarshal(r, &t); err != nil {
		return nil, err
	}
	switch {
	case t.Double != nil:
		return *t.Double, nil
	case t.Timestamp != nil:
		return t.Timestamp.UTC(), nil
	case t.Date != nil:
		return *t.Date, nil
	case t.Ref != nil:
		return *t.Ref, nil
	case t.Object != nil:
		return t.Object, nil
	case t.Bytes != nil:
		return t.Bytes, nil
	}
	return nil, fmt.Errorf("connector: %s is not a value", r)
}
