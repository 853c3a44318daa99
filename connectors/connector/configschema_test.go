package connector_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/provhub/provhub/connectors/connector"
)

func TestSchemaForAConfigStruct(t *testing.T) {
	type Table struct {
		Table string `json:"table" doc:"Name of the table"`
	}
	type config struct {
		Table
		Limit   int                `json:"limit,omitempty" default:"5"`
		Mode    string             `json:"mode,omitempty" enum:"a,b" default:"a"`
		Timeout connector.Duration `json:"timeout,omitempty"`
		Names   map[string]string  `json:"names,omitempty"`
		hidden  bool
		Ignored bool `json:"-"`
	}
	_ = config{hidden: true}
	var s struct {
		Properties map[string]struct {
			Type    string
			Default any
			Enum    []string
		}
		Required   []string
		Additional any `json:"additionalProperties"`
	}
	if err := json.Unmarshal(connector.SchemaFor[config](), &s); err != nil {
		t.Fatal(err)
	}
	var names []string
	for n := range s.Properties {
		names = append(names, n)
	}
	slices.Sort(names)
	// The embedded struct and its field have the same name: the field counts.
	if want := []string{"limit", "mode", "names", "table", "timeout"}; !slices.Equal(names, want) {
		t.Errorf("properties are %v, want %v", names, want)
	}
	if !slices.Equal(s.Required, []string{"table"}) {
		t.Errorf("required are %v", s.Required)
	}
	if s.Additional != false {
		t.Error("the schema is not closed")
	}
	if s.Properties["limit"].Default != 5.0 || s.Properties["mode"].Default != "a" || !slices.Equal(s.Properties["mode"].Enum, []string{"a", "b"}) {
		t.Errorf("defaults are %+v", s.Properties)
	}
	if s.Properties["timeout"].Type != "string" {
		t.Errorf("a duration is %q", s.Properties["timeout"].Type)
	}
}
