package scim

import (
	"context"
	"net/url"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

var _ connector.Fingerprinter = (*Target)(nil)

// Fingerprint implements [connector.Fingerprinter]. SCIM has no id of a service: its
// address is all that tells one tenant from another.
func (t *Target) Fingerprint(context.Context) (string, error) {
	u, err := url.Parse(t.cfg.BaseURL)
	if err != nil {
		return "", configuration("base_url is no address")
	}
	return strings.ToLower(u.Host) + strings.TrimRight(u.Path, "/"), nil
}
