package scim

import (
	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// secretSpecs are the secrets that the connector takes: those of [client.SignIn].
var secretSpecs = []connector.SecretSpec{
	{Name: "token", Rotatable: true, Description: "Bearer token, with auth.kind bearer"},
	{Name: "client_secret", Rotatable: true, Description: "Secret of the OAuth 2.0 client, with auth.kind oauth2"},
	{Name: "password", Rotatable: true, Description: "Password, with auth.kind basic"},
	{Name: "header_value", Rotatable: true, Description: "Value of the header, with auth.kind header"},
	{Name: "client_key", Rotatable: true, Description: "Private key in PEM of certificate_file"},
}

// access returns how the service is reached and signed in to.
func (c *Config) access() *client.Access {
	return &client.Access{
		BaseURL: c.BaseURL, Dialect: c.Dialect, Overrides: c.overrides(), SignIn: client.SignIn(c.Auth),
		CertificateFile: c.CertificateFile, CAFile: c.TLSCAFile, AllowInsecure: c.AllowInsecure,
	}
}

// overrides are the single values of the config that are columns of a profile.
func (c *Config) overrides() map[string]any {
	out := map[string]any{}
	for key, v := range c.Overrides {
		out[key] = v
	}
	if c.Concurrency > 0 {
		out["concurrency"] = c.Concurrency
	}
	if c.PageSize > 0 {
		out["page_default"] = c.PageSize
	}
	if c.Bulk == "never" {
		out["bulk"] = client.BulkNone
	}
	if c.Timeout > 0 {
		out["timeout"] = c.Timeout
	}
	if c.ConsistencyWindow > 0 {
		out["read_after_write"] = c.ConsistencyWindow
	}
	return out
}
