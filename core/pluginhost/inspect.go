package pluginhost

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/plugins/redact"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// Inspect starts the plugin at path, asks what it is and stops it. sha256 is
// the pinned hash in hex; "" runs whatever is there.
func Inspect(ctx context.Context, path, sha256 string) (Description, error) {
	d, _, err := inspect(ctx, path, sha256, nil)
	return d, err
}

// Validate starts the plugin that cfg names, lets it look at the config, and
// stops it. It asks nobody but the plugin and sends the names of the secrets,
// never their values. The findings are all there are; none means the config is
// good.
func Validate(ctx context.Context, cfg Config) ([]connector.Finding, Description, error) {
	if err := cfg.check(); err != nil {
		return nil, Description{}, err
	}
	hash := cfg.SHA256
	if cfg.Dev {
		hash = ""
	}
	d, fs, err := inspect(ctx, cfg.Path, hash, &pluginv1.ValidateConfigRequest{
		ConfigJson: json.RawMessage(cfg.ConfigJSON), SecretNames: slices.Sorted(maps.Keys(cfg.Secrets)),
	})
	return fs, d, err
}

func inspect(ctx context.Context, path, sha256 string, ask *pluginv1.ValidateConfigRequest) (d Description, fs []connector.Finding, err error) {
	var t Times
	t.defaults()
	book := newLogbook(slog.New(slog.DiscardHandler), redact.New(nil))
	p, err := launch(ctx, spec{path: path, sha256: sha256, env: environment(nil, defaultMemoryMax), timeout: t.Start, book: book})
	if err != nil {
		return Description{}, nil, err
	}
	defer p.stop(killGrace)
	if d, err = p.describe(ctx, t.Start); err != nil || ask == nil {
		return d, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, t.Call)
	defer cancel()
	r, err := p.rpc.ValidateConfig(ctx, ask)
	if err != nil {
		return d, nil, fmt.Errorf("plugin %s: check the config: %w", path, rpcError(ctx, err))
	}
	return d, protocol.FromProtoFindings(r.GetDiagnostics()), nil
}
