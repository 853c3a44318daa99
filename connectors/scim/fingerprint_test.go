package scim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

func TestAServiceIsNamedByItsAddress(t *testing.T) {
	for address, want := range map[string]string{
		"https://App.Example.org/scim/v2/": "app.example.org/scim/v2", "https://app.example.org/scim/v2": "app.example.org/scim/v2",
		"https://app.example.org/test/scim": "app.example.org/test/scim",
	} {
		target := openTarget(t, `{"base_url": "`+address+`"}`, map[string]connector.Secret{"token": connector.NewSecret("canary-token")})
		name, err := target.Fingerprint(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, name)
	}
}
