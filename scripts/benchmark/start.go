package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/provhub/provhub/core/pluginhost"
)

// start measures how long a plugin process takes until it can be used.
func start(ctx context.Context, b *bench) error {
	path := filepath.Join(b.bin, "provhub-connector-memory")
	d, err := pluginhost.Inspect(ctx, path, "")
	if err != nil {
		return err
	}
	b.progress("plugin start: %d times", b.sizes.starts)
	var launched, ready, inspected []time.Duration
	for range b.sizes.starts {
		l, r, err := startOnce(ctx, path, d.SHA256)
		if err != nil {
			return err
		}
		launched, ready = append(launched, l), append(ready, r)
		began := time.Now()
		if _, err := pluginhost.Inspect(ctx, path, d.SHA256); err != nil {
			return err
		}
		inspected = append(inspected, time.Since(began))
	}
	for _, s := range []struct {
		what string
		took []time.Duration
	}{
		{"verified, launched and connected", launched}, {"ready: described, configured, schema read", ready},
		{"described and stopped again", inspected},
	} {
		b.add(line{Section: "start", What: fmt.Sprintf("plugin %s, median of %d", s.what, len(s.took)), Ours: inSeconds(median(s.took))}, 0)
		b.add(line{Section: "start", What: fmt.Sprintf("plugin %s, 95th percentile", s.what), Ours: inSeconds(percentile(s.took, 95))}, 0)
	}
	return nil
}

// startOnce starts the plugin and stops it, and says when it was launched and ready.
func startOnce(ctx context.Context, path, sha256 string) (launched, ready time.Duration, err error) {
	began := time.Now()
	in, err := pluginhost.Start(ctx, pluginhost.Config{
		InstanceID: "benchmark", Path: path, SHA256: sha256, ConfigJSON: json.RawMessage(`{}`), Log: slog.New(slog.DiscardHandler),
		OnState: func(s pluginhost.State) {
			if s == pluginhost.StateConfiguring {
				launched = time.Since(began)
			}
		},
	})
	if err != nil {
		return 0, 0, err
	}
	ready = time.Since(began)
	return launched, ready, in.Stop(ctx, time.Second)
}
