package scim

import (
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest"
	"github.com/provhub/provhub/connectors/connectortest/fakescim"
)

// plugin builds the plugin's binary.
func plugin(t *testing.T) string {
	binary := filepath.Join(t.TempDir(), "provhub-connector-scim")
	out, err := exec.Command("go", "build", "-o", binary, "../../plugins/provhub-connector-scim").CombinedOutput()
	require.NoError(t, err, string(out))
	return binary
}

func tokenSecret(token string) map[string]connector.Secret {
	return map[string]connector.Secret{"token": connector.NewSecret(token)}
}

// The suite that every connector passes, against a SCIM service that others
// wrote and that serves this test alone. The heavy checks run with a tenth of
// their operations: they run whole on the simulated service.
func TestConformanceOnARealService(t *testing.T) {
	s := newKit(t)
	report(t, connectortest.Target{
		Definition: Definition, Binary: plugin(t), Config: json.RawMessage(s.config("")),
		Secrets: tokenSecret(s.token), WrongSecrets: tokenSecret("wrong-Qx7"), Durable: true,
		Skip: map[string]string{
			"E15": "SCIMMY does not find a name with a backslash: it compares the escaped text of a filter",
		},
	}, connectortest.Options{Quick: true})
}

// report runs the suite and reports what failed.
func report(t *testing.T, target connectortest.Target, o connectortest.Options) {
	t.Helper()
	r, err := connectortest.Suite(t.Context(), target, o)
	require.NoError(t, err)
	for _, o := range r.Outcomes {
		switch o.Status {
		case connectortest.Failed:
			t.Errorf("%s %s %s: %s\n%s", o.Host, o.ID, o.Title, o.Reason, strings.Join(o.Trace, "\n"))
		case connectortest.Skipped:
			t.Logf("%s %s skipped: %s", o.Host, o.ID, o.Reason)
		}
	}
}

// The same on a simulated service that can be made to fail, and whose own state
// shows what really happened.
func TestConformance(t *testing.T) {
	login := fakescim.Login{Name: "kit", Password: "kit-secret"}
	f := newFakeWith(t, "rfc7644", nil, nil, fakescim.Options{Client: login})
	other := newFakeWith(t, "rfc7644", nil, nil, fakescim.Options{Token: f.Token()})
	faults, err := f.FaultConfigs(f.dir, faultDelay)
	require.NoError(t, err)
	target := connectortest.Target{
		Definition: Definition, Binary: plugin(t), Config: json.RawMessage(f.config(nil)), Durable: true,
		Other: json.RawMessage(other.config(nil)), Secrets: f.Secrets(), WrongSecrets: tokenSecret("wrong-Qx7"), NewSecrets: tokenSecret(fetchToken(t, f, login)),
		Oracle: &oracle{f}, Delay: faultDelay, Faults: map[connectortest.Fault]json.RawMessage{},
		Login: func(_ context.Context, o connector.Object, password string) (bool, error) {
			return f.CheckPassword(o.Attributes.Text("userName"), password), nil
		},
	}
	delete(faults, fakescim.Reset) // it would meet discovery; the suite's own proxy breaks a create
	for name, c := range faults {
		target.Faults[connectortest.Fault(name)] = c
	}
	connectortest.Run(t, target)
}

// faultDelay is how long a request takes under the fault slow.
const faultDelay = 20 * time.Millisecond

// oracle looks into the simulated service.
type oracle struct{ f *fake }

// Objects implements [connectortest.Oracle].
func (o *oracle) Objects(ctx context.Context, typ string) ([]connector.Object, error) {
	_, m, err := o.f.target.use(ctx)
	if err != nil {
		return nil, err
	}
	t, err := m.typeOf(typ)
	if err != nil {
		return nil, err
	}
	all := o.f.Users()
	if typ == "group" {
		all = o.f.Groups()
	}
	var out []connector.Object
	for _, r := range all {
		held := []any{}
		for _, g := range r.Groups {
			held = append(held, map[string]any{"value": g})
		}
		doc := client.Resource(r.Attributes)
		doc["id"], doc["groups"] = r.ID, held
		obj := t.object(doc, nil)
		if typ == "user" {
			obj.Enabled = connector.EnabledIf(r.Active())
		}
		out = append(out, obj)
	}
	return out, nil
}

// Every dialect that comes with provhub, on a service that keeps to it: what is
// written is read back, groups are granted, nothing is made twice.
func TestConformanceOfDialects(t *testing.T) {
	for _, name := range client.Profiles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Rates are kept to in tests of their own: here they would only take long.
			f := newFake(t, name, map[string]any{"rate": []any{}, "quota_window": []any{}}, nil)
			report(t, connectortest.Target{
				Definition: Definition, Secrets: f.Secrets(), Skip: notSo(f.target.profile), Config: json.RawMessage(f.config(config{
					"overrides": map[string]any{"rate": []any{}, "quota_window": []any{}},
					"users":     config{"random_password": true, "allow_irreversible_delete": true}, "groups": config{"allow_irreversible_delete": true}})),
			}, connectortest.Options{Quick: true, Only: []string{"D", "E", "H"}})
		})
	}
}

// notSo are the checks that a dialect cannot pass, because the product does not
// keep what the hub asks of it.
func notSo(p *client.Profile) map[string]string {
	skip := map[string]string{}
	because := func(reason string, ids ...string) {
		for _, id := range ids {
			skip[id] = reason
		}
	}
	if len(p.ObfuscatedWhenDisabled) > 0 {
		because("a disabled account of this product does not show who it was", "E4", "E7")
	}
	if p.DisabledVisible == client.DisabledHidden {
		because("a disabled account of this product is answered like one that is gone", "E4", "E7", "E9", "E11", "H1")
	}
	if p.Delete == client.DeleteSoft {
		because("this product keeps deleted accounts, deactivated", "E8", "E9", "E11")
	}
	return skip
}
