package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// configSchema is the part of a plugin's config schema that people read.
type configSchema struct {
	Type        any                      `json:"type"`
	Description string                   `json:"description"`
	Default     any                      `json:"default"`
	Enum        []string                 `json:"enum"`
	Properties  map[string]*configSchema `json:"properties"`
	Required    []string                 `json:"required"`
	Items       *configSchema            `json:"items"`
}

// configRows lists the keys of a config schema, nested ones as users.table.
func configRows(raw json.RawMessage) [][]any {
	var s configSchema
	if err := json.Unmarshal(raw, &s); err != nil {
		return [][]any{{"(the schema cannot be read)", "", "", err.Error()}}
	}
	return s.rows("")
}

func (s *configSchema) rows(prefix string) [][]any {
	var out [][]any
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		need := ""
		if slices.Contains(s.Required, name) {
			need = "required"
		}
		out = append(out, []any{prefix + name, p.typeText(), need, p.text()})
		if p.Items != nil {
			out = append(out, p.Items.rows(prefix+name+"[].")...)
		}
		out = append(out, p.rows(prefix+name+".")...)
	}
	return out
}

func (s *configSchema) typeText() string {
	if len(s.Enum) > 0 {
		return strings.Join(s.Enum, " | ")
	}
	t, _ := s.Type.(string)
	return t
}

func (s *configSchema) text() string {
	if s.Default == nil {
		return s.Description
	}
	d, err := json.Marshal(s.Default)
	if err != nil {
		return s.Description
	}
	return s.Description + " (default " + string(d) + ")"
}
