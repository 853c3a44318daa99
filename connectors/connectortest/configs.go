package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

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
	var first *pluginv1.DescribeResponse
	took, err := fastest(3, time.Second, func() (err error) {
		first, err = e.describe(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if took > time.Second {
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
