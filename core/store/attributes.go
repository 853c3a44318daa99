package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/provhub/provhub/core/identity"
)

// appendAttributes appends the JSON of a: names sorted, whole floats written
// with a fraction ("5.0"), so that reading gives back the same Go types.
func appendAttributes(b []byte, a identity.Attributes, names []string) ([]byte, []string, error) {
	names = names[:0]
	for n := range a {
		names = append(names, n)
	}
	slices.Sort(names)
	b = append(b, '{')
	for i, n := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, n), ':')
		var err error
		if b, err = appendAttribute(b, a[n]); err != nil {
			return nil, names, fmt.Errorf("attribute %s: %w", n, err)
		}
	}
	return append(b, '}'), names, nil
}

func appendAttribute(b []byte, v any) ([]byte, error) {
	switch x := v.(type) {
	case string:
		return appendText(b, x), nil
	case bool:
		return strconv.AppendBool(b, x), nil
	case int64:
		return strconv.AppendInt(b, x, 10), nil
	case float64:
		n := len(b)
		b = strconv.AppendFloat(b, x, 'g', -1, 64)
		if !bytes.ContainsAny(b[n:], ".eIN") {
			b = append(b, '.', '0')
		}
		if bytes.ContainsAny(b[n:], "IN") {
			return nil, fmt.Errorf("%v is not a value", x)
		}
		return b, nil
	case []string:
		b = append(b, '[')
		for i, s := range x {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendText(b, s)
		}
		return append(b, ']'), nil
	}
	return nil, fmt.Errorf("a %T cannot be stored", v)
}

// appendText appends s as a JSON string.
func appendText(b []byte, s string) []byte {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] >= 0x20 && s[i] != '"' && s[i] != '\\' && s[i] < 0x80
	}
	if plain {
		return append(append(append(b, '"'), s...), '"')
	}
	var w bytes.Buffer
	e := json.NewEncoder(&w)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string always encodes
	}
	return append(b, bytes.TrimSuffix(w.Bytes(), []byte("\n"))...)
}

// parseAttributes reads what appendAttributes wrote.
func parseAttributes(text string) (identity.Attributes, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var raw map[string]any
	if err := d.Decode(&raw); err != nil {
		return nil, fmt.Errorf("stored attributes cannot be read: %w", err)
	}
	a := identity.Attributes(raw)
	for n, v := range raw {
		var err error
		switch x := v.(type) {
		case json.Number:
			a[n], err = number(string(x))
		case []any:
			a[n], err = texts(x)
		}
		if err != nil {
			return nil, fmt.Errorf("stored attribute %s cannot be read: %w", n, err)
		}
	}
	return a, nil
}

func number(s string) (any, error) {
	if strings.ContainsAny(s, ".eE") {
		return strconv.ParseFloat(s, 64)
	}
	return strconv.ParseInt(s, 10, 64)
}

func texts(vs []any) ([]string, error) {
	out := make([]string, len(vs))
	for i, v := range vs {
		s, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("a %T in a list of text", v)
		}
		out[i] = s
	}
	return out, nil
}
