package config

import (
	"net/url"
)

// Tracing says where traces go. Where it does not say, the variables OTEL_EXPORTER_OTLP_…
// do; with neither there are none.
type Tracing struct {
	// Endpoint is the URL of a collector; "": the variables name it.
	Endpoint string
	// GRPC: OTLP over gRPC; else over HTTP.
	GRPC bool
	// Headers are sent along: the name of a secret by header.
	Headers map[string]string
	// CAFile is absolute; "": the system's authorities.
	CAFile string
	// Sample is the part of all traces that is recorded, from 0 to 1.
	Sample float64
}

type rawTracing struct {
	Endpoint text            `yaml:"endpoint"`
	Protocol string          `yaml:"protocol"`
	Headers  map[string]text `yaml:"headers"`
	CAFile   string          `yaml:"tls_ca_file"`
	Sample   *float64        `yaml:"sample"`
}

// tracing reads the section. A collector elsewhere may be reached without TLS, because
// spans tell of nobody; not with what lets us in there.
func (b *builder) tracing(cfg *Config, r *rawTracing) Tracing {
	t := Tracing{Endpoint: r.Endpoint.value, GRPC: r.Protocol == "grpc", CAFile: b.path(r.CAFile), Sample: 1}
	if r.Sample != nil {
		t.Sample = *r.Sample
	}
	for header, secret := range r.Headers {
		b.known(secret, "tracing.headers."+header, "secret", cfg.secretNames())
		if t.Headers == nil {
			t.Headers = map[string]string{}
		}
		t.Headers[header] = secret.value
	}
	if t.Endpoint == "" {
		return t
	}
	u, err := url.Parse(t.Endpoint)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		b.add(r.Endpoint.line, "tracing.endpoint", "%q is not a URL such as https://otel.example.org:4318", t.Endpoint)
	case u.User != nil:
		b.add(r.Endpoint.line, "tracing.endpoint", "credentials do not belong here: name a secret in headers")
	case u.Scheme == "http" && len(t.Headers) > 0 && !loopback(u.Hostname()):
		b.add(r.Endpoint.line, "tracing.endpoint", "the secrets in headers could be read on the way to %s: give an https:// URL", u.Host)
	case u.Scheme == "http" && t.CAFile != "":
		b.add(r.Endpoint.line, "tracing.tls_ca_file", "is for an https:// URL, and endpoint is %s", t.Endpoint)
	}
	return t
}
