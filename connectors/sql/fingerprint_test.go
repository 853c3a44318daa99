package sql

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

func TestADatabaseThatCanTellNamesItself(t *testing.T) {
	everywhere(t, func(t *testing.T, s *server) {
		target, err := open(Config{Dialect: s.name}, connector.NewSecret(s.dsn), nil)
		require.NoError(t, err)
		defer target.Close(t.Context())
		name, err := target.Fingerprint(t.Context())
		require.NoError(t, err)
		require.Equal(t, s.name == "postgres", strings.Contains(name, "of PostgreSQL system "), name)
	})
}
