package schema

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Reader turns JSON into what a resource holds. Its zero value is as strict as
// the RFC.
type Reader struct {
	// TextBooleans takes booleans as the texts "true" and "false", in any case,
	// beside true and false; OnlyTextBooleans takes nothing else.
	TextBooleans, OnlyTextBooleans bool
	// Partial lets a resource lack what is required.
	Partial bool
	// EmptyClears takes "" as unassigned; else it is a value like any other.
	EmptyClears bool
}

// Object reads the value of an extension or of a complex attribute.
func (r Reader) Object(path string, as []*Attr, v any) (map[string]any, error) {
	if v == nil {
		return nil, nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, Bad(InvalidSyntax, "%s: an object is needed", path)
	}
	out := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		a := find(as, key)
		if a == nil {
			return nil, Bad(InvalidSyntax, "%s has no attribute %s", path, key)
		}
		if a.Mutability == "readOnly" {
			continue
		}
		x, err := r.Value(path+"."+a.Name, a, m[key])
		if err != nil {
			return nil, err
		}
		if x != nil {
			out[a.Name] = x
		}
	}
	return out, nil
}

// Value reads what an attribute holds: a list when it is multi-valued. nil means
// unassigned.
func (r Reader) Value(path string, a *Attr, v any) (any, error) {
	list, isList := v.([]any)
	switch {
	case v == nil:
		return nil, nil
	case a.MultiValued && !isList:
		return nil, Bad(InvalidSyntax, "%s: a list is needed", path)
	case !a.MultiValued && isList:
		return nil, Bad(InvalidSyntax, "%s: one value is needed, not a list", path)
	case !isList:
		return r.One(path, a, v)
	}
	out := make([]any, 0, len(list))
	for _, x := range list {
		y, err := r.One(path, a, x)
		if err != nil {
			return nil, err
		}
		if y != nil {
			out = append(out, y)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, OnePrimary(path, out)
}

// OnePrimary says so when more than one value is primary (RFC 7643 §2.4).
func OnePrimary(path string, list []any) error {
	n := 0
	for _, x := range list {
		if m, ok := x.(map[string]any); ok && m["primary"] == true {
			n++
		}
	}
	if n > 1 {
		return Bad(InvalidValue, "%s: %d values are primary", path, n)
	}
	return nil
}

// One reads one value of an attribute.
func (r Reader) One(path string, a *Attr, v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	bad := func(want string) (any, error) { return nil, Bad(InvalidValue, "%s: %s is needed", path, want) }
	switch a.Type {
	case "complex":
		m, err := r.Object(path, a.SubAttributes, v)
		if err != nil || len(m) == 0 {
			return nil, err
		}
		return m, nil
	case "boolean":
		return r.boolean(path, v)
	case "integer":
		n, ok := v.(json.Number)
		i, err := strconv.ParseInt(string(n), 10, 64)
		if !ok || err != nil {
			return bad("an integer")
		}
		return i, nil
	case "decimal":
		n, ok := v.(json.Number)
		f, err := n.Float64()
		if !ok || err != nil || math.IsInf(f, 0) {
			return bad("a number")
		}
		return f, nil
	}
	s, ok := v.(string)
	if !ok {
		return bad("a text")
	}
	if s == "" && r.EmptyClears {
		return nil, nil
	}
	return text(path, a, s)
}

func text(path string, a *Attr, s string) (any, error) {
	switch a.Type {
	case "dateTime":
		if _, err := time.Parse(time.RFC3339Nano, s); err != nil {
			return nil, Bad(InvalidValue, "%s: a time such as 2008-01-23T04:56:22Z is needed", path)
		}
	case "binary":
		if _, err := base64.StdEncoding.DecodeString(s); err != nil {
			return nil, Bad(InvalidValue, "%s: base64 is needed", path)
		}
	}
	return s, nil
}

func (r Reader) boolean(path string, v any) (any, error) {
	switch x := v.(type) {
	case bool:
		if !r.OnlyTextBooleans {
			return x, nil
		}
	case string:
		if r.TextBooleans || r.OnlyTextBooleans {
			switch strings.ToLower(x) {
			case "true":
				return true, nil
			case "false":
				return false, nil
			}
		}
	}
	if r.OnlyTextBooleans {
		return nil, Bad(InvalidValue, `%s: "true" or "false" is needed, as a text`, path)
	}
	return nil, Bad(InvalidValue, "%s: true or false is needed", path)
}
