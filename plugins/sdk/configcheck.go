package sdk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/provhub/provhub/connectors/connector"
)

// configCheck finds everything that is wrong with a config, offline.
type configCheck struct {
	def    *connector.Definition
	schema *jsonschema.Schema
}

// newConfigCheck compiles the config schema of d. It panics when that is not a
// JSON Schema, which is a bug in the connector.
func newConfigCheck(d *connector.Definition) *configCheck {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(d.ConfigSchema))
	if err != nil {
		panic(fmt.Sprintf("sdk: the config schema of %s is not JSON: %v", d.Type, err))
	}
	const name = "config.schema.json"
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name, doc); err != nil {
		panic(fmt.Sprintf("sdk: the config schema of %s: %v", d.Type, err))
	}
	s, err := c.Compile(name)
	if err != nil {
		panic(fmt.Sprintf("sdk: the config schema of %s: %v", d.Type, err))
	}
	return &configCheck{def: d, schema: s}
}

// findings returns all faults at once, in the order of their paths. secrets are
// the names of the secrets that come with the config.
func (c *configCheck) findings(config json.RawMessage, secrets []string) []connector.Finding {
	fs := c.bySchema(config)
	if len(fs) == 0 && c.def.Validate != nil {
		fs = c.def.Validate(config)
	}
	return append(fs, c.bySecrets(secrets)...)
}

func (c *configCheck) bySchema(config json.RawMessage) []connector.Finding {
	if len(bytes.TrimSpace(config)) == 0 {
		config = json.RawMessage("{}")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(config))
	if err != nil {
		return []connector.Finding{{Summary: "the config is not JSON: " + err.Error()}}
	}
	var ve *jsonschema.ValidationError
	if !errors.As(c.schema.Validate(doc), &ve) {
		return nil
	}
	fs := c.explain(nil, ve)
	slices.SortStableFunc(fs, func(a, b connector.Finding) int { return strings.Compare(a.Path, b.Path) })
	return fs
}

// explain gives one finding for each fault: the leaves of the error tree.
func (c *configCheck) explain(fs []connector.Finding, ve *jsonschema.ValidationError) []connector.Finding {
	for _, cause := range ve.Causes {
		fs = c.explain(fs, cause)
	}
	if len(ve.Causes) > 0 {
		return fs
	}
	at := pointer(ve.InstanceLocation...)
	switch k := ve.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			fs = append(fs, connector.Finding{Path: at + pointer(name), Summary: "is required and not set", Detail: c.describe(append(ve.InstanceLocation, name))})
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			fs = append(fs, connector.Finding{Path: at + pointer(name), Summary: "is not an option of this connector", Detail: c.known(ve.InstanceLocation)})
		}
	case *kind.Pattern:
		fs = append(fs, connector.Finding{Path: at, Summary: "is not of the form " + k.Want, Detail: c.describe(ve.InstanceLocation)})
	default:
		fs = append(fs, connector.Finding{Path: at, Summary: k.LocalizedString(english), Detail: c.describe(ve.InstanceLocation)})
	}
	return fs
}

var english = message.NewPrinter(language.English)

func (c *configCheck) bySecrets(names []string) []connector.Finding {
	var fs []connector.Finding
	for _, s := range c.def.Secrets {
		if s.Required && !slices.Contains(names, s.Name) {
			fs = append(fs, connector.Finding{Path: "secrets/" + s.Name, Summary: "this secret is required and was not given", Detail: s.Description})
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(c.def.Secrets, func(s connector.SecretSpec) bool { return s.Name == name }) {
			fs = append(fs, connector.Finding{Path: "secrets/" + name, Summary: "this connector takes no secret of that name", Warning: true})
		}
	}
	return fs
}

// describe returns what the schema says about the option at path.
func (c *configCheck) describe(path []string) string {
	if s := c.at(path); s != nil {
		return s.Description
	}
	return ""
}

// known lists the options of the object at path.
func (c *configCheck) known(path []string) string {
	s := c.at(path)
	if s == nil || len(s.Properties) == 0 {
		return ""
	}
	return "options here: " + strings.Join(slices.Sorted(maps.Keys(s.Properties)), ", ")
}

// at returns the schema of the option at path, nil when there is none.
func (c *configCheck) at(path []string) *jsonschema.Schema {
	s := c.schema
	for _, step := range path {
		switch {
		case s == nil:
			return nil
		case s.Properties[step] != nil:
			s = s.Properties[step]
		case s.Items2020 != nil:
			s = s.Items2020
		default:
			s, _ = s.AdditionalProperties.(*jsonschema.Schema)
		}
	}
	return s
}

// pointer renders a JSON Pointer (RFC 6901); the empty path is the whole.
func pointer(path ...string) string {
	var b strings.Builder
	for _, p := range path {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(p))
	}
	return b.String()
}

// faulty reports whether fs holds more than warnings.
func faulty(fs []connector.Finding) bool {
	return slices.ContainsFunc(fs, func(f connector.Finding) bool { return !f.Warning })
}
