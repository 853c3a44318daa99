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

	"google.golang.org/protobuf/proto"

	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

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
	for _, s := range now.GetSecrets() {
		was := slices.ContainsFunc(then.GetSecrets(), func(t *pluginv1.SecretSpec) bool { return t.GetName() == s.GetName() && t.GetRequired() })
		if s.GetRequired() && !was {
			return fmt.Errorf("the secret %s is required now, and the major version is still %s", s.GetName(), major(now.GetVersion()))
		}
	}
	for _, a := range then.GetActions() {
		if !slices.ContainsFunc(now.GetActions(), func(b *pluginv1.ActionSpec) bool { return a.GetName() == b.GetName() }) {
			return fmt.Errorf("the action %s is gone, and the major version is still %s", a.GetName(), major(now.GetVersion()))
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
