// Package examples holds what is said in examples to what is true.
package examples

import (
	"maps"
	"slices"
	"testing"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/ldap"
	"github.com/provhub/provhub/connectors/scim"
	"github.com/provhub/provhub/connectors/sftp"
	"github.com/provhub/provhub/connectors/sql"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/plugins/sdk"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// The plugins take the configs of config.example.yaml, which shows one connector of
// each family.
func TestThePluginsTakeTheExample(t *testing.T) {
	cfg, err := config.Load("../config.example.yaml", config.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	families := map[string]*connector.Definition{"ldap": ldap.Definition, "scim": scim.Definition, "sftp": sftp.Definition, "sql": sql.Definition}
	shown := map[string]bool{}
	for _, c := range cfg.Connectors {
		shown[c.Plugin] = true
		r, err := sdk.NewServer(families[c.Plugin]).ValidateConfig(t.Context(), &pluginv1.ValidateConfigRequest{
			ConfigJson: c.Config, SecretNames: slices.Sorted(maps.Keys(c.Secrets))})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range protocol.FromProtoFindings(r.GetDiagnostics()) {
			t.Errorf("connector %s: %s %s (%s)", c.Name, f.Path, f.Summary, f.Detail)
		}
	}
	for family := range families {
		if !shown[family] {
			t.Errorf("the example shows no connector of the family %s", family)
		}
	}
}
