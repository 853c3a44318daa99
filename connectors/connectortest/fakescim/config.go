package fakescim

import (
	"encoding/json"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// Secrets returns what a connector signs in with: the bearer token.
func (s *Server) Secrets() map[string]connector.Secret {
	return map[string]connector.Secret{"token": connector.NewSecret(s.Token())}
}

// Config returns the config of the connector scim for this server. The server's
// certificate authority is written into dir.
func (s *Server) Config(dir string) (json.RawMessage, error) { return s.front.Config(dir) }

// Config returns the config of the connector scim for this door. The server's
// certificate authority is written into dir.
func (d *Door) Config(dir string) (json.RawMessage, error) {
	c := map[string]any{"base_url": d.URL(), "dialect": d.server.options.Profile.Name}
	path, err := d.server.CAFile(dir)
	if err != nil {
		return nil, err
	}
	if path == "" {
		c["allow_insecure"] = []string{"127.0.0.1"}
	} else {
		c["tls_ca_file"] = path
	}
	return json.Marshal(c)
}

// FaultConfigs opens a door for each of the faults that the conformance suite
// knows of targets, and returns its config by the name of the fault. delay is how
// long each request takes under [Slow].
func (s *Server) FaultConfigs(dir string, delay time.Duration) (map[FaultName]json.RawMessage, error) {
	out := map[FaultName]json.RawMessage{}
	for _, f := range []Fault{
		{Name: LostReply}, {Name: Hang}, {Name: Slow, Wait: delay}, {Name: Reset}, {Name: RateLimited, RetryAfter: "7"},
		{Name: Busy, RetryAfter: "7"}, {Name: Down}, {Name: Truncated},
	} {
		d, err := s.Open(f)
		if err != nil {
			return nil, err
		}
		if out[f.Name], err = d.Config(dir); err != nil {
			return nil, err
		}
	}
	return out, nil
}
