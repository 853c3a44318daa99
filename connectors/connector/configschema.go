package connector

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// jsonSchema is the part of JSON Schema 2020-12 that a config struct needs.
type jsonSchema struct {
	Schema      string                 `json:"$schema,omitempty"`
	Type        string                 `json:"type,omitempty"`
	Description string                 `json:"description,omitempty"`
	Default     any                    `json:"default,omitempty"`
	Enum        []string               `json:"enum,omitempty"`
	Pattern     string                 `json:"pattern,omitempty"`
	Properties  map[string]*jsonSchema `json:"properties,omitempty"`
	Required    []string               `json:"required,omitempty"`
	Items       *jsonSchema            `json:"items,omitempty"`
	// Additional is false for a closed object, a schema for a map.
	Additional any `json:"additionalProperties,omitempty"`
	// Endpoint marks the field that the conformance kit's fault proxy rewrites.
	Endpoint bool `json:"x-endpoint,omitempty"`
}

// SchemaFor returns the closed JSON Schema of the config struct C, made from
// its field tags (see [Spec]). A [Duration] is written as text, "30s". It
// panics when C holds a type that a config cannot have.
func SchemaFor[C any]() json.RawMessage {
	s := schemaOf(reflect.TypeFor[C]())
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err)
	}
	return out
}

func schemaOf(t reflect.Type) *jsonSchema {
	if t == reflect.TypeFor[Duration]() {
		return &jsonSchema{Type: "string", Pattern: `^[0-9]+(\.[0-9]+)?(ms|s|m|h)([0-9]+(ms|s|m))*$`}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.String:
		return &jsonSchema{Type: "string"}
	case reflect.Bool:
		return &jsonSchema{Type: "boolean"}
	case reflect.Int, reflect.Int32, reflect.Int64:
		return &jsonSchema{Type: "integer"}
	case reflect.Float64:
		return &jsonSchema{Type: "number"}
	case reflect.Slice:
		return &jsonSchema{Type: "array", Items: schemaOf(t.Elem())}
	case reflect.Map:
		return &jsonSchema{Type: "object", Additional: schemaOf(t.Elem())}
	case reflect.Interface:
		return &jsonSchema{}
	case reflect.Struct:
		return schemaOfStruct(t)
	}
	panic(fmt.Sprintf("connector: a config cannot hold a %s", t))
}

func schemaOfStruct(t reflect.Type) *jsonSchema {
	s := &jsonSchema{Type: "object", Properties: map[string]*jsonSchema{}, Additional: false}
	s.addFields(t)
	return s
}

// addFields adds the fields of t, and those of embedded structs beside them, as
// encoding/json does.
func (s *jsonSchema) addFields(t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			s.addFields(f.Type)
			continue
		}
		if name == "-" || !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		p := schemaOf(f.Type)
		p.Description = f.Tag.Get("doc")
		p.Endpoint = f.Tag.Get("endpoint") == "true"
		if e := f.Tag.Get("enum"); e != "" {
			p.Enum = strings.Split(e, ",")
		}
		if d := f.Tag.Get("default"); d != "" {
			p.Default = defaultOf(p.Type, d)
		}
		s.Properties[name] = p
		if !strings.Contains(opts, "omitempty") && !strings.Contains(opts, "omitzero") {
			s.Required = append(s.Required, name)
		}
	}
}

// defaultOf gives a default its JSON type; text stays text.
func defaultOf(typ, text string) any {
	if typ != "string" {
		var v any
		if json.Unmarshal([]byte(text), &v) == nil {
			return v
		}
	}
	return text
}

// decodeConfig fills in defaults and refuses unknown keys, so that a misspelt
// option is never silent.
func decodeConfig(raw json.RawMessage, into any) error {
	if len(bytes.TrimSpace(raw)) == 0 {
		raw = json.RawMessage("{}")
	}
	d := json.NewDecoder(bytes.NewReader(withDefaults(raw, schemaOf(reflect.TypeOf(into)))))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("config: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// withDefaults adds what raw leaves out. A section that is left out stays out,
// with the defaults in it: being there can mean something by itself. What is
// not JSON comes back as it is, for the decoder to name the fault.
func withDefaults(raw json.RawMessage, s *jsonSchema) json.RawMessage {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.More() {
		return raw
	}
	s.fill(v)
	out, err := json.Marshal(v)
	if err != nil {
		return raw
	}
	return out
}

func (s *jsonSchema) fill(v any) {
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			if s.Items != nil {
				s.Items.fill(e)
			}
		}
	case map[string]any:
		for name, p := range s.Properties {
			if _, there := x[name]; !there && p.Default != nil {
				x[name] = p.Default
			}
		}
		for name, e := range x {
			if p := s.Properties[name]; p != nil {
				p.fill(e)
			} else if p, ok := s.Additional.(*jsonSchema); ok {
				p.fill(e)
			}
		}
	}
}

// Duration is a [time.Duration] that a config writes as text, such as "30s".
type Duration time.Duration

// MarshalText implements [encoding.TextMarshaler].
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 30s or 5m", b)
	}
	*d = Duration(v)
	return nil
}
