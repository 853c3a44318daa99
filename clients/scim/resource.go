package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Resource is a SCIM resource as the target sent it: nothing is dropped, numbers
// keep their digits ([json.Number]) and names their case. Names and schema URIs
// are looked up without regard to case (RFC 7643 §2.1). Build one as a literal:
//
//	scim.Resource{"userName": "jane", "name": map[string]any{"givenName": "Jane"}}
type Resource map[string]any

// UnmarshalJSON implements [json.Unmarshaler].
func (r *Resource) UnmarshalJSON(data []byte) (err error) {
	if bytes.Equal(data, []byte("null")) {
		return nil // as json.Unmarshaler has it
	}
	*r, err = readResource(data)
	return err
}

// readResource reads one JSON object, which null is not. [json.Unmarshal] would go
// over the text twice more, a listing's whole page.
func readResource(data []byte) (Resource, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	if m == nil || len(bytes.TrimSpace(data[d.InputOffset():])) > 0 {
		return nil, errors.New("not one JSON object")
	}
	return m, nil
}

// ID returns the id that the target gave the resource, "" when it has none.
func (r Resource) ID() string { return textOf(member(r, "id")) }

// ExternalID returns the id that we gave the resource, "" when it has none.
func (r Resource) ExternalID() string { return textOf(member(r, "externalId")) }

// Version returns the version for If-Match, as it was sent, "" when there is none.
func (r Resource) Version() string { return textOf(member(object(member(r, "meta")), "version")) }

// Active tells whether the account can be used. known is false when the resource
// does not say. Text such as "True" counts as well.
func (r Resource) Active() (active, known bool) { return boolOf(member(r, "active")) }

// Schemas returns the URIs in schemas.
func (r Resource) Schemas() []string {
	var out []string
	for _, v := range list(member(r, "schemas")) {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Values returns what stands at path: one element for a single value, all that
// pass for a multi-valued attribute, nil when there is none. null and empty lists
// are no values (RFC 7643 §2.5).
func (r Resource) Values(path Path) []any {
	vs := list(r.attr(path))
	var out []any
	for _, v := range vs {
		if path.Where != nil && !matches(path.Where, v, path.Bare(), nil) {
			continue
		}
		if path.Sub == "" {
			out = append(out, v)
			continue
		}
		o := object(v)
		if o == nil && strings.EqualFold(path.Sub, "value") {
			out = append(out, v) // some send ["a"] for [{"value":"a"}]
			continue
		}
		out = append(out, list(member(o, path.Sub))...)
	}
	return out
}

// Text returns the first value at path as text, "" when there is none. It panics
// when path is not one.
func (r Resource) Text(path string) string {
	for _, v := range r.Values(MustPath(path)) {
		return textOf(v)
	}
	return ""
}

// Clone returns a copy that shares nothing with r.
func (r Resource) Clone() Resource {
	c, _ := cloneValue(map[string]any(r)).(map[string]any)
	return c
}

// attr returns the attribute of path, filter and sub-attribute aside. The flat
// names that some targets use, "name.givenName" and "urn:…:User:manager", count.
func (r Resource) attr(path Path) any {
	at := map[string]any(r)
	if path.Schema != "" {
		if at = object(member(r, path.Schema)); at == nil {
			return member(r, path.Schema+":"+path.Attr)
		}
	}
	v := member(at, path.Attr)
	if v == nil && path.Sub != "" {
		if flat := member(at, path.Attr+"."+path.Sub); flat != nil {
			return map[string]any{path.Sub: flat}
		}
	}
	return v
}

// key returns the name in m that is name, in its own case; name when there is none.
func key(m map[string]any, name string) string {
	if _, ok := m[name]; ok {
		return name
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if strings.EqualFold(k, name) {
			return k
		}
	}
	return name
}

// member returns the value called name in m, in any case.
func member(m map[string]any, name string) any {
	if v, ok := m[name]; ok {
		return v
	}
	for k, v := range m {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}

func object(v any) map[string]any {
	switch x := v.(type) {
	case map[string]any:
		return x
	case Resource:
		return x
	}
	return nil
}

// list returns v as a list: the elements of one, v itself, nothing for null.
func list(v any) []any {
	switch x := v.(type) {
	case nil:
		return nil
	case []any:
		return x
	case []string:
		out := make([]any, len(x))
		for i := range x {
			out[i] = x[i]
		}
		return out
	case []map[string]any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = x[i]
		}
		return out
	}
	return []any{v}
}

func textOf(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case map[string]any, []any:
		b, err := json.Marshal(x)
		if err != nil {
			return ""
		}
		return string(b)
	}
	return fmt.Sprint(v)
}

// boolOf reads a boolean in any of its forms.
func boolOf(v any) (value, ok bool) {
	switch x := v.(type) {
	case bool:
		return x, true
	case string:
		switch {
		case strings.EqualFold(x, "true"):
			return true, true
		case strings.EqualFold(x, "false"):
			return false, true
		}
	}
	return false, false
}

func cloneValue(v any) any {
	switch x := v.(type) {
	case map[string]any:
		if x == nil {
			return x
		}
		c := make(map[string]any, len(x))
		for k, e := range x {
			c[k] = cloneValue(e)
		}
		return c
	case Resource:
		return cloneValue(map[string]any(x))
	case []any, []string, []map[string]any:
		vs := list(x)
		c := make([]any, len(vs))
		for i, e := range vs {
			c[i] = cloneValue(e)
		}
		return c
	}
	return v
}
