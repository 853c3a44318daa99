package ldap

import (
	"context"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest"
	"github.com/provhub/provhub/connectors/connectortest/fakeldap"
)

func TestConformanceOfActiveDirectory(t *testing.T) {
	f := newFake(t, fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
	other := newFake(t, fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
	connectortest.Run(t, connectortest.Target{
		Definition: Definition, Durable: true, Secrets: f.secrets(),
		Config:       f.config(corp),
		Other:        other.config(corp),
		Values:       map[string][]any{"userName": {"u%d"}, "accountExpires": {time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2028, 2, 2, 12, 30, 0, 0, time.UTC)}},
		WrongSecrets: map[string]connector.Secret{secretPassword: connector.NewSecret("wrong-Qx7vM2")},
		WeakPassword: "short",
		Login: func(_ context.Context, o connector.Object, password string) (bool, error) {
			return f.CheckPassword(o.Ref.Name, password), nil
		},
	})
}
