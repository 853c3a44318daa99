package tracing

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"strings"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"google.golang.org/grpc/credentials"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
)

// wanted reports whether the config, or the environment, says where traces go.
func wanted(c config.Tracing) bool {
	return c.Endpoint != "" || variable("ENDPOINT") != "" && !strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true")
}

// variable is a setting of the environment: that of traces goes before that of all signals.
func variable(name string) string {
	return cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_"+name), os.Getenv("OTEL_EXPORTER_OTLP_"+name))
}

// newClient makes what speaks OTLP. It reads the other OTEL_EXPORTER_OTLP_… variables by
// itself; what the config says goes before them.
func newClient(c config.Tracing, secrets map[string]connector.Secret) (otlptrace.Client, error) {
	authorities, err := authoritiesIn(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("tracing.tls_ca_file: %w", err)
	}
	headers := map[string]string{}
	for name, s := range secrets {
		headers[name] = s.Reveal()
	}
	if c.GRPC || c.Endpoint == "" && variable("PROTOCOL") == "grpc" {
		return overGRPC(c.Endpoint, headers, authorities), nil
	}
	return overHTTP(c.Endpoint, headers, authorities), nil
}

func overGRPC(endpoint string, headers map[string]string, authorities *tls.Config) otlptrace.Client {
	var o []otlptracegrpc.Option
	if endpoint != "" {
		o = append(o, otlptracegrpc.WithEndpointURL(endpoint))
	}
	if len(headers) > 0 {
		o = append(o, otlptracegrpc.WithHeaders(headers))
	}
	if authorities != nil {
		o = append(o, otlptracegrpc.WithTLSCredentials(credentials.NewTLS(authorities)))
	}
	return otlptracegrpc.NewClient(o...)
}

func overHTTP(endpoint string, headers map[string]string, authorities *tls.Config) otlptrace.Client {
	var o []otlptracehttp.Option
	if endpoint != "" {
		o = append(o, otlptracehttp.WithEndpointURL(tracesURL(endpoint)))
	}
	if len(headers) > 0 {
		o = append(o, otlptracehttp.WithHeaders(headers))
	}
	if authorities != nil {
		o = append(o, otlptracehttp.WithTLSClientConfig(authorities))
	}
	return otlptracehttp.NewClient(o...)
}

// tracesURL adds the usual path where a URL has none.
func tracesURL(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || strings.Trim(u.Path, "/") != "" {
		return endpoint
	}
	return u.JoinPath("v1", "traces").String()
}

// authoritiesIn reads a PEM file; nil for none.
func authoritiesIn(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	c := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate in PEM form", file)
	}
	return c, nil
}
