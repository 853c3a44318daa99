package ldap

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest"
	"github.com/provhub/provhub/connectors/connectortest/fakeldap"
)

// slowness is how long a slow directory takes for each request.
const slowness = 20 * time.Millisecond

// behind returns the config with the address of a door whose faults are on.
func (f *fake) behind(text string, faults ...fakeldap.Fault) json.RawMessage {
	f.t.Helper()
	door, err := f.Door(faults...)
	require.NoError(f.t, err)
	if len(faults) == 0 {
		require.NoError(f.t, door.Shut())
	}
	return json.RawMessage(strings.Replace(string(f.config(text)), f.URL(), door.URL(), 1))
}

// faulty are the configs of one directory that goes wrong in each way the suite
// asks for. LDAP knows no limit of rates.
func (f *fake) faulty(text string) map[connectortest.Fault]json.RawMessage {
	return map[connectortest.Fault]json.RawMessage{
		connectortest.LostReply: f.behind(text, fakeldap.Fault{Kind: fakeldap.DropAfterWrite, Ops: []fakeldap.Op{fakeldap.OpAdd}, OncePerDN: true}),
		connectortest.Hang:      f.behind(text, fakeldap.Fault{Kind: fakeldap.Hang}),
		connectortest.Slow:      f.behind(text, fakeldap.Fault{Kind: fakeldap.Slow, Delay: slowness}),
		connectortest.Busy:      f.behind(text, fakeldap.Fault{Kind: fakeldap.Busy}),
		connectortest.Truncated: f.behind(text, fakeldap.Fault{Kind: fakeldap.SizeLimit, Count: 1, Below: f.In(fakeldap.People)}),
		connectortest.Down:      f.behind(text),
	}
}

// suite is the target of the conformance suite on a directory of the flavor.
func suite(t *testing.T, flavor fakeldap.Flavor, text string) connectortest.Target {
	f := newFake(t, fakeldap.Options{Flavor: flavor})
	other := newFake(t, fakeldap.Options{Flavor: flavor})
	target := connectortest.Target{
		Definition: Definition, Durable: true, Secrets: f.secrets(),
		Config: f.config(text), Other: other.config(text), Faults: f.faulty(text), Delay: slowness,
		WrongSecrets: map[string]connector.Secret{secretPassword: connector.NewSecret("wrong-Qx7vM2")},
		WeakPassword: "short",
		Login: func(_ context.Context, o connector.Object, password string) (bool, error) {
			return f.CheckPassword(o.Ref.Name, password), nil
		},
	}
	if flavor == fakeldap.ActiveDirectory {
		target.Values = map[string][]any{"userName": {"u%d"}, "accountExpires": {time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2028, 2, 2, 12, 30, 0, 0, time.UTC)}}
	}
	return target
}

func TestConformanceOf389(t *testing.T) {
	connectortest.Run(t, suite(t, fakeldap.DS389, strings.Replace(usual, `"openldap-overlays"`, `"389ds"`, 1)))
}

// The checks of a target that goes wrong, on the other two products.
func TestConformanceUnderFaults(t *testing.T) {
	for flavor, text := range map[fakeldap.Flavor]string{fakeldap.OpenLDAP: usual, fakeldap.ActiveDirectory: corp} {
		t.Run(string(flavor), func(t *testing.T) {
			report, err := connectortest.Suite(t.Context(), suite(t, flavor, text), connectortest.Options{Only: []string{"C5", "G", "H3"}, Quick: testing.Short()})
			require.NoError(t, err)
			require.NotZero(t, report.Count(connectortest.Pass))
			for _, o := range report.Outcomes {
				if o.Status == connectortest.Failed {
					t.Errorf("%s %s: %s\n%s", o.ID, o.Title, o.Reason, strings.Join(o.Trace, "\n"))
				}
			}
		})
	}
}
