package store

import (
	"slices"

	"github.com/provhub/provhub/core/identity"
)

// setGrants makes the grants of the accounts those in their Grants, touching only
// what differs.
func (t *tx) setGrants(org string, accounts []finishedAccount) error {
	had, err := t.grantsOf(org, accounts)
	if err != nil {
		return err
	}
	var add [][]any
	for _, a := range accounts {
		have := had[a.AccountKey]
		for _, g := range a.Grants {
			if reason, ok := have[g.Entitlement]; !ok || reason != g.Reason {
				add = append(add, []any{org, a.Source, a.Connector, string(a.Kind), a.Anchor, g.Entitlement, g.Reason})
			}
			delete(have, g.Entitlement)
		}
	}
	for key, gone := range had {
		for _, e := range sortedNames(gone) {
			if _, err := t.exec(`DELETE FROM grant_edge WHERE org_id = ? AND connector = ? AND source = ? AND kind = ? AND anchor = ? AND entitlement = ?`,
				org, key.Connector, key.Source, string(key.Kind), key.Anchor, e); err != nil {
				return err
			}
		}
	}
	return t.insert(`INSERT INTO grant_edge (org_id, source, connector, kind, anchor, entitlement, reason)`, add,
		`ON CONFLICT (org_id, connector, source, kind, anchor, entitlement) DO UPDATE SET reason = excluded.reason`)
}

// grantsOf returns the grants of accounts: entitlement → reason.
func (t *tx) grantsOf(org string, accounts []finishedAccount) (map[identity.AccountKey]map[string]string, error) {
	had := make(map[identity.AccountKey]map[string]string, len(accounts))
	err := t.s.dialect.eachChunk(len(accounts), 4, func(from, to int) error {
		var args []any
		for _, a := range accounts[from:to] {
			args = append(args, a.Source, a.Connector, string(a.Kind), a.Anchor)
		}
		var rows []struct{ Source, Connector, Kind, Anchor, Entitlement, Reason string }
		err := t.all(&rows, `WITH v(source, connector, kind, anchor) AS (`+values(to-from, "TEXT", "TEXT", "TEXT", "TEXT")+`)
			SELECT g.source, g.connector, g.kind, g.anchor, g.entitlement, g.reason FROM v CROSS JOIN grant_edge g
			WHERE g.org_id = ? AND g.connector = v.connector AND g.source = v.source AND g.kind = v.kind AND g.anchor = v.anchor`, append(args, org)...)
		for _, r := range rows {
			key := identity.AccountKey{Source: r.Source, Connector: r.Connector, Kind: identity.Kind(r.Kind), Anchor: r.Anchor}
			if had[key] == nil {
				had[key] = map[string]string{}
			}
			had[key][r.Entitlement] = r.Reason
		}
		return err
	})
	return had, err
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
