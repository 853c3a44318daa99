package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/provhub/provhub/core/config"
)

func TestTracing(t *testing.T) {
	for text, want := range map[string]config.Tracing{
		"": {Sample: 1},
		`
tracing: {endpoint: "http://localhost:4317", protocol: grpc, headers: {x-token: tok}, sample: 0}
`: {Endpoint: "http://localhost:4317", GRPC: true, Headers: map[string]string{"x-token": "tok"}},
		`
tracing: {endpoint: "http://otel.internal:4318", sample: 0.25}
`: {Endpoint: "http://otel.internal:4318", Sample: 0.25},
		`
tracing: {endpoint: "https://otel.example.org", tls_ca_file: /ca.pem}
`: {Endpoint: "https://otel.example.org", CAFile: "/ca.pem", Sample: 1},
	} {
		cfg, faults := parse(t, "secrets: [{name: tok, env: TOK}]\n"+text+minimal)
		if faults != nil {
			t.Fatal(faults)
		}
		if d := cmp.Diff(want, cfg.Tracing); d != "" {
			t.Errorf("%s%s", text, d)
		}
	}
}

func TestFaultsOfTracing(t *testing.T) {
	for text, want := range map[string]string{
		`{endpoint: "localhost:4318"}`:                                  "tracing.endpoint: \"localhost:4318\" is not a URL",
		`{endpoint: "https://u:p@otel.example.org"}`:                    "tracing.endpoint: credentials",
		`{endpoint: "http://otel.example.org", headers: {x: tok}}`:      "tracing.endpoint: the secrets in headers could be read",
		`{endpoint: "http://otel.example.org", tls_ca_file: ca.pem}`:    "tracing.tls_ca_file: is for an https:// URL",
		`{endpoint: "https://otel.example.org", headers: {x: tokk}}`:    "tracing.headers.x: there is no secret \"tokk\"",
		`{endpoint: "https://otel.example.org", headers: {"a b": tok}}`: "\"a b\" is not of the expected form",
		`{endpoint: "https://otel.example.org", protocol: zipkin}`:      "tracing.protocol: ",
		`{endpoint: "https://otel.example.org", sample: 2}`:             "tracing.sample: ",
	} {
		_, faults := parse(t, "secrets: [{name: tok, env: TOK}]\ntracing: "+text+minimal)
		if faults == nil || !strings.Contains(faults.Error(), want) {
			t.Errorf("%s: no fault says %q:\n%v", text, want, faults)
		}
	}
}
