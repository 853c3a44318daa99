package store

import (
	"context"
)

// Feed is a source whose people were ever planned for in a connector.
type Feed struct {
	Connector string `json:"connector"`
	Source    string `json:"source"`
	// Accounts are those of its people that are in the target and not disabled.
	Accounts int `json:"accounts"`
}

// Feeds returns which sources people were ever planned from, for each connector,
// sorted by connector and source.
func (o *Org) Feeds(ctx context.Context) ([]Feed, error) {
	var feeds []Feed
	err := o.all(ctx, &feeds, `SELECT connector, source, CAST(SUM(n) AS BIGINT) AS accounts FROM (
			SELECT connector, source, 0 AS n FROM connector_rules WHERE org_id = ?
			UNION ALL SELECT connector, source, COUNT(*) AS n FROM account
				WHERE org_id = ? AND absent = 0 AND enabled <> 'disabled' GROUP BY connector, source) q
		GROUP BY connector, source ORDER BY connector, source`, o.id, o.id)
	return feeds, o.s.fail("read which sources feed connectors", err)
}

// Rules returns the hash of the rules that everyone of source was last evaluated
// with, by connector; "" where everyone must be looked at again.
func (o *Org) Rules(ctx context.Context, source string) (map[string]string, error) {
	var rows []struct {
		Connector string
		Hash      string `db:"rules_hash"`
	}
	err := o.all(ctx, &rows, `SELECT connector, rules_hash FROM connector_rules WHERE org_id = ? AND source = ?`, o.id, source)
	found := make(map[string]string, len(rows))
	for _, r := range rows {
		found[r.Connector] = r.Hash
	}
	return found, o.s.fail("read the rules last applied", err)
}

// ConnectorNames returns the connectors that anything was ever planned for, sorted.
func (o *Org) ConnectorNames(ctx context.Context) ([]string, error) {
	var names []string
	err := o.all(ctx, &names, `SELECT connector FROM connector_state WHERE org_id = ?
		UNION SELECT connector FROM connector_rules WHERE org_id = ? ORDER BY connector`, o.id, o.id)
	return names, o.s.fail("read the connectors' names", err)
}
