package config

import (
	"cmp"
	"net"
	"time"
)

// Serve says how the daemon runs.
type Serve struct {
	// Listen is HOST:PORT; never "".
	Listen string
	// CertFile and KeyFile are absolute; "": no TLS.
	CertFile, KeyFile string
	// AllowPlaintext: without TLS also where other machines can reach it.
	AllowPlaintext bool
	// PushToken names the secret that callers of the push API show; "": there is no such
	// API.
	PushToken string
	// MetricsToken names the secret that who reads /metrics shows; "": who does so on this
	// machine shows none, others may not.
	MetricsToken string
	// StopWithin is how long what is under way may go on after a signal to stop.
	StopWithin time.Duration
}

type rawServe struct {
	Listen         text   `yaml:"listen"`
	Cert           string `yaml:"tls_cert"`
	Key            string `yaml:"tls_key"`
	AllowPlaintext bool   `yaml:"allow_plaintext"`
	PushToken      text   `yaml:"push_token"`
	MetricsToken   text   `yaml:"metrics_token"`
	StopWithin     text   `yaml:"stop_within"`
}

const (
	defaultListen     = "127.0.0.1:8484"
	defaultStopWithin = 30 * time.Second
)

func (b *builder) serve(cfg *Config, r *rawServe, listen string) Serve {
	s := Serve{
		Listen: cmp.Or(listen, r.Listen.value, defaultListen), CertFile: b.path(r.Cert), KeyFile: b.path(r.Key), AllowPlaintext: r.AllowPlaintext,
		PushToken: r.PushToken.value, MetricsToken: r.MetricsToken.value, StopWithin: cmp.Or(b.duration(r.StopWithin, "serve.stop_within"), defaultStopWithin),
	}
	b.known(r.PushToken, "serve.push_token", "secret", cfg.secretNames())
	b.known(r.MetricsToken, "serve.metrics_token", "secret", cfg.secretNames())
	host, _, err := net.SplitHostPort(s.Listen)
	switch {
	case err != nil:
		b.add(r.Listen.line, "serve.listen", "%q is not HOST:PORT, such as 127.0.0.1:8484", s.Listen)
	case (s.CertFile == "") != (s.KeyFile == ""):
		b.add(r.Listen.line, "serve", "tls_cert and tls_key go together")
	case !loopback(host) && s.CertFile == "" && !s.AllowPlaintext:
		b.add(r.Listen.line, "serve.listen", "%s can be reached from other machines, and without TLS tokens and passwords could be read on the way: give tls_cert and tls_key, or allow_plaintext: true behind a proxy", s.Listen)
	}
	return s
}

func (cfg *Config) secretNames() []string {
	names := make([]string, len(cfg.Secrets))
	for i, s := range cfg.Secrets {
		names[i] = s.Name
	}
	return names
}
