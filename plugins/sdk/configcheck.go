package sdk

import (
	"encoding/json"
	"slices"

	"github.com/provhub/provhub/connectors/connector"
)

// configCheck finds everything that is wrong with a config, offline.
type configCheck struct {
	def    *connector.Definition
	schema *schemaCheck
}

// newConfigCheck compiles the config schema of d. It panics when that is not a
// JSON Schema, which is a bug in the connector.
func newConfigCheck(d *connector.Definition) *configCheck {
	return &configCheck{def: d, schema: newSchemaCheck(d.Type+"'s config", d.ConfigSchema, "the config", "option of this connector")}
}

// findings returns all faults at once, in the order of their paths. secrets are
// the names of the secrets that come with the config.
func (c *configCheck) findings(config json.RawMessage, secrets []string) []connector.Finding {
	fs := c.schema.findings(config)
	if len(fs) == 0 && c.def.Validate != nil {
		fs = c.def.Validate(config)
	}
	return append(fs, c.bySecrets(secrets)...)
}

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

// faulty reports whether fs holds more than warnings.
func faulty(fs []connector.Finding) bool {
	return slices.ContainsFunc(fs, func(f connector.Finding) bool { return !f.Warning })
}
