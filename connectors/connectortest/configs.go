package connectortest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"google.golang.org/protobuf/proto"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

var configChecks = []Check{
	{ID: "B1", Title: "Describe answers without a config, within a second, the same twice", Bare: true, Func: describeTwice},
	{ID: "B2", Title: "the config schema is valid, closed, described, and holds no secret", Bare: true, Func: configSchema},
	{ID: "B3", Title: "each required option left out, and each of a wrong type, is named", Bare: true, Func: optionFaults},
	{ID: "B4", Title: "an unknown option is refused, and all mistakes are told at once", Bare: true, Func: manyFaults},
	{ID: "B5", Title: "a missing secret is named, and no finding holds a secret's value", Bare: true, Func: secretFaults},
	{ID: "B6", Title: "older configs are upgraded, and a second time to the same", Bare: true, Func: upgrade},
	{ID: "B7", Title: "nothing of the last release is lost", Bare: true, Func: lastRelease},
}

func (e *Env) describe(ctx context.Context) (*pluginv1.DescribeResponse, error) {
	r, err := e.run.rpc().Describe(ctx, &pluginv1.DescribeRequest{HostVersion: "conformance"})
	if err != nil {
		return nil, fmt.Errorf("Describe: %w", err)
	}
	return r, nil
}

func describeTwice(ctx context.Context, e *Env) error {
	began := time.Now()
	first, err := e.describe(ctx)
	if err != nil {
		return err
	}
	if took := time.Since(began); took > time.Second {
		return fmt.Errorf("Describe took %v, want at most a second", took.Round(time.Millisecond))
	}
	second, err := e.describe(ctx)
	if err != nil {
		return err
	}
	if !proto.Equal(first, second) {
		return errors.New("Describe answers differently the second time")
	}
	return nil
}

// option is a part of a config schema, as far as the checks look at it.
type option struct {
	Type        string             `json:"type"`
	Description string             `json:"description"`
	Properties  map[string]*option `json:"properties"`
	Required    []string           `json:"required"`
	Items       *option            `json:"items"`
	Additional  json.RawMessage    `json:"additionalProperties"`
	Enum        []any              `json:"enum"`
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

// findings asks the plugin what it finds in a config.
func (e *Env) findings(ctx context.Context, config map[string]any, secrets []string) ([]connector.Finding, error) {
	raw, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	r, err := e.run.rpc().ValidateConfig(ctx, &pluginv1.ValidateConfigRequest{ConfigJson: raw, SecretNames: secrets})
	if err != nil {
		return nil, fmt.Errorf("ValidateConfig: %w", err)
	}
	return slices.DeleteFunc(protocol.FromProtoFindings(r.GetDiagnostics()), func(f connector.Finding) bool { return f.Warning }), nil
}

// goodConfig returns the good config as a map that may be changed, and the
// names of its secrets. It is checked first.
func (e *Env) goodConfig(ctx context.Context) (map[string]any, []string, error) {
	var config map[string]any
	if err := json.Unmarshal(e.Target.Config, &config); err != nil {
		return nil, nil, fmt.Errorf("the target's good config: %w", err)
	}
	names := slices.Sorted(maps.Keys(e.Target.Secrets))
	fs, err := e.findings(ctx, config, names)
	if err == nil && len(fs) > 0 {
		err = fmt.Errorf("the good config is refused: %s: %s", fs[0].Path, fs[0].Summary)
	}
	return config, names, err
}

// names reports whether a finding is about path.
func names(fs []connector.Finding, path string) bool {
	return slices.ContainsFunc(fs, func(f connector.Finding) bool { return f.Path == path || strings.HasPrefix(f.Path, path+"/") })
}

func listed(fs []connector.Finding) string {
	if len(fs) == 0 {
		return "no finding"
	}
	var out []string
	for _, f := range fs {
		out = append(out, f.Path+": "+f.Summary)
	}
	return strings.Join(out, "; ")
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

func manyFaults(ctx context.Context, e *Env) error {
	config, secrets, err := e.goodConfig(ctx)
	if err != nil {
		return err
	}
	for _, n := range []int{1, 2} {
		wrong := maps.Clone(config)
		for i := range n {
			wrong[fmt.Sprintf("no_such_option_%d", i)] = true
		}
		fs, err := e.findings(ctx, wrong, secrets)
		if err != nil {
			return err
		}
		if len(fs) != n {
			return fmt.Errorf("%d unknown options: want as many findings, got %s", n, listed(fs))
		}
	}
	wrong := maps.Clone(config)
	wrong["no_such_option"] = true
	raw, _ := json.Marshal(wrong) // a map of plain values
	r, err := e.configure(ctx, e.instance, raw, e.Target.Secrets)
	if err != nil {
		return fmt.Errorf("Configure: %w", err)
	}
	if len(protocol.FromProtoFindings(r.GetDiagnostics())) == 0 {
		return errors.New("Configure takes a config that ValidateConfig refuses")
	}
	return nil
}

func secretFaults(ctx context.Context, e *Env) error {
	d, err := e.describe(ctx)
	if err != nil {
		return err
	}
	config, all, err := e.goodConfig(ctx)
	if err != nil {
		return err
	}
	for _, s := range d.GetSecrets() {
		if !s.GetRequired() {
			continue
		}
		fs, err := e.findings(ctx, config, slices.DeleteFunc(slices.Clone(all), func(n string) bool { return n == s.GetName() }))
		if err != nil {
			return err
		}
		if !names(fs, "secrets/"+s.GetName()) {
			return fmt.Errorf("without the secret %s: want a finding at secrets/%s, got %s", s.GetName(), s.GetName(), listed(fs))
		}
	}
	canary := map[string]connector.Secret{}
	for _, s := range d.GetSecrets() {
		canary[s.GetName()] = connector.NewSecret("canary-" + e.prefix)
	}
	raw, _ := json.Marshal(map[string]any{"no_such_option": true}) // a map of plain values
	r, err := e.configure(ctx, e.instance, raw, canary)
	if err != nil {
		return fmt.Errorf("Configure: %w", err)
	}
	for _, f := range append(protocol.FromProtoFindings(r.GetDiagnostics()), connector.Finding{Summary: r.GetError().GetMessage()}) {
		if strings.Contains(f.Path+f.Summary+f.Detail, "canary-"+e.prefix) {
			return fmt.Errorf("a finding holds the value of a secret: %s", f.Path)
		}
	}
	return nil
}

func upgrade(ctx context.Context, e *Env) error {
	if len(e.Target.OlderConfigs) == 0 {
		return skip("the target gives no config of an older version")
	}
	for _, version := range slices.Sorted(maps.Keys(e.Target.OlderConfigs)) {
		once, err := e.upgraded(ctx, version, e.Target.OlderConfigs[version])
		if err != nil {
			return fmt.Errorf("from version %d: %w", version, err)
		}
		twice, err := e.upgraded(ctx, version, e.Target.OlderConfigs[version])
		if err != nil {
			return err
		}
		if !bytes.Equal(once, twice) {
			return fmt.Errorf("from version %d: the result differs the second time", version)
		}
	}
	return nil
}

// upgraded returns an older config in today's form, checked.
func (e *Env) upgraded(ctx context.Context, version int, config json.RawMessage) (json.RawMessage, error) {
	r, err := e.run.rpc().UpgradeConfig(ctx, &pluginv1.UpgradeConfigRequest{FromVersion: int32(version), ConfigJson: config})
	if err != nil {
		return nil, fmt.Errorf("UpgradeConfig: %w", err)
	}
	var upgraded map[string]any
	if err := json.Unmarshal(r.GetConfigJson(), &upgraded); err != nil {
		return nil, fmt.Errorf("the result is no JSON: %w", err)
	}
	fs, err := e.findings(ctx, upgraded, slices.Sorted(maps.Keys(e.Target.Secrets)))
	if err == nil && len(fs) > 0 {
		err = fmt.Errorf("the result is refused: %s", listed(fs))
	}
	return r.GetConfigJson(), err
}

func lastRelease(ctx context.Context, e *Env) error {
	if e.Target.LastRelease == nil {
		return skip("there is no description of a last release to compare with")
	}
	then := &pluginv1.DescribeResponse{}
	if err := proto.Unmarshal(e.Target.LastRelease, then); err != nil {
		return fmt.Errorf("the description of the last release: %w", err)
	}
	now, err := e.describe(ctx)
	if err != nil {
		return err
	}
	if major(then.GetVersion()) != major(now.GetVersion()) {
		return nil
	}
	var was, is option
	if err := errors.Join(json.Unmarshal(then.GetConfigSchemaJson(), &was), json.Unmarshal(now.GetConfigSchemaJson(), &is)); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(was.Properties)) {
		if is.Properties[name] == nil {
			return fmt.Errorf("the option %s is gone, and the major version is still %s", name, major(now.GetVersion()))
		}
	}
	for _, name := range is.Required {
		if !slices.Contains(was.Required, name) {
			return fmt.Errorf("the option %s is required now, and the major version is still %s", name, major(now.GetVersion()))
		}
	}
	for _, op := range then.GetCapabilities().GetOperations() {
		if !slices.Contains(now.GetCapabilities().GetOperations(), op) {
			return fmt.Errorf("the operation %s is gone, and the major version is still %s", op, major(now.GetVersion()))
		}
	}
	return nil
}

func major(version string) string {
	m, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	return m
}
