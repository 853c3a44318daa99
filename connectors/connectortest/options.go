package connectortest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// option is a part of a config schema, as far as the checks look at it.
type option struct {
	Type        string             `json:"type"`
	Description string             `json:"description"`
	Properties  map[string]*option `json:"properties"`
	Required    []string           `json:"required"`
	Items       *option            `json:"items"`
	Additional  json.RawMessage    `json:"additionalProperties"`
	Enum        []any              `json:"enum"`
	Endpoint    bool               `json:"x-endpoint"`
}

// rootOptions returns the config schema, read.
func (e *Env) rootOptions(ctx context.Context) (*option, json.RawMessage, error) {
	d, err := e.describe(ctx)
	if err != nil {
		return nil, nil, err
	}
	raw := d.GetConfigSchemaJson()
	root := &option{}
	if err := json.Unmarshal(raw, root); err != nil {
		return nil, nil, fmt.Errorf("the config schema is no JSON: %w", err)
	}
	return root, raw, nil
}

func configSchema(ctx context.Context, e *Env) error {
	root, raw, err := e.rootOptions(ctx)
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("config.json", doc); err != nil {
		return err
	}
	s, err := c.Compile("config.json")
	if err != nil {
		return fmt.Errorf("the config schema is not valid: %w", err)
	}
	if root.Type != "object" {
		return fmt.Errorf("the config schema describes %q, not an object", root.Type)
	}
	if err := goodOptions("", root); err != nil {
		return err
	}
	config, err := jsonschema.UnmarshalJSON(bytes.NewReader(e.Target.Config))
	if err != nil {
		return fmt.Errorf("the target's good config: %w", err)
	}
	return s.Validate(config)
}

// secretNames are parts of the names of options that should be secrets.
var secretNames = []string{"password", "passwd", "secret", "api_key", "apikey", "private_key", "access_token", "bearer"}

// goodOptions checks the options at path and below.
func goodOptions(path string, o *option) error {
	if o.Type == "object" && len(o.Properties) > 0 && string(o.Additional) != "false" {
		return fmt.Errorf("%s/ is not closed (additionalProperties is not false): a slip of the pen would be ignored", path)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Properties)) {
		p := o.Properties[name]
		at := path + "/" + name
		if p.Description == "" {
			return fmt.Errorf("%s has no description", at)
		}
		lower := strings.ToLower(name)
		if p.Type == "string" && slices.ContainsFunc(secretNames, func(s string) bool { return strings.HasSuffix(lower, s) }) {
			return fmt.Errorf("%s looks like a secret: secrets are declared by name and sent apart", at)
		}
		if err := goodOptions(at, p); err != nil {
			return err
		}
	}
	if o.Items != nil {
		return goodOptions(path+"/0", o.Items)
	}
	return nil
}

func optionFaults(ctx context.Context, e *Env) error {
	root, _, err := e.rootOptions(ctx)
	if err != nil {
		return err
	}
	config, secrets, err := e.goodConfig(ctx)
	if err != nil {
		return err
	}
	for _, name := range root.Required {
		without := maps.Clone(config)
		delete(without, name)
		fs, err := e.findings(ctx, without, secrets)
		if err != nil {
			return err
		}
		if !names(fs, "/"+name) {
			return fmt.Errorf("without %s: want a finding at /%s, got %s", name, name, listed(fs))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(root.Properties)) {
		wrong := maps.Clone(config)
		wrong[name] = wrongType(root.Properties[name])
		if wrong[name] == nil {
			continue
		}
		fs, err := e.findings(ctx, wrong, secrets)
		if err != nil {
			return err
		}
		if !names(fs, "/"+name) {
			return fmt.Errorf("with %s of a wrong type: want a finding at /%s, got %s", name, name, listed(fs))
		}
	}
	return nil
}

// wrongType makes a value that an option does not take; nil when it takes any.
func wrongType(o *option) any {
	switch o.Type {
	case "":
		return nil
	case "string", "boolean", "object", "array":
		return 17.5
	}
	return "not a number"
}
