package store_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
	"github.com/provhub/provhub/schemas"
)

// before are the rows of an org whose connectors had one source each: hr feeds crm,
// guests feed door, and both know a person 1.
const before = `
INSERT INTO connector_state (org_id, connector, rules_hash, stopped, stopped_at, paused_by, resume_at, failures) VALUES
	('acme', 'crm', 'r-crm', '', 0, '', 0, 0), ('acme', 'door', 'r-door', '', 0, '', 0, 0);
INSERT INTO source_state (org_id, source, snapshot, dated, read_at, people, groups_count, applied_generation, applied_plan, report) VALUES
	('acme', 'hr', 's', 0, 0, 1, 0, 1, 'p1', ''), ('acme', 'guests', 's', 0, 0, 1, 0, 1, 'p2', '');
INSERT INTO plan (org_id, hash, source, generation, status, created_at, applied_at, approved_by, reason, approved_at, until_at, operations,
	inputs, counts, verdicts, notes, faults, withdraw, names, rules) VALUES
	('acme', 'p1', 'hr', 1, 'applied', 1, 2, '', '', 0, 0, 1, '{"source":"hr"}', '{}', '', '', '', '', '', '{"crm":"r-crm"}'),
	('acme', 'p2', 'guests', 1, 'applied', 1, 3, '', '', 0, 0, 1, '{"source":"guests"}', '{}', '', '', '', '', '', '{"door":"r-door"}'),
	('acme', 'p3', 'hr', 1, 'held', 1, 0, '', '', 0, 0, 0, '{"source":"hr"}', '{}', '', '', '', '', '', '{"crm":"r-crm"}');
INSERT INTO account (org_id, connector, kind, anchor, ownership, enabled, absent, disabled_at, rev, last_success_at, last_error, ref, applied) VALUES
	('acme', 'crm', 'person', '1', 'created', 'enabled', 0, 0, 4, 0, '', '{"type":"user","id":"u1"}', '[{"name":"userName","values":["one"]}]'),
	('acme', 'door', 'person', '1', 'created', 'enabled', 0, 0, 1, 0, '', '{"id":"d1"}', '');
INSERT INTO grant_edge (org_id, connector, kind, anchor, entitlement, reason) VALUES ('acme', 'crm', 'person', '1', 'staff', 'all');
INSERT INTO replan (org_id, connector, kind, anchor, generation) VALUES ('acme', 'door', 'person', '1', 9);
INSERT INTO name_reservation (org_id, connector, attribute, value, kind, anchor, keep_until) VALUES ('acme', 'crm', 'userName', 'one', 'person', '1', 0);
INSERT INTO name_attribute (org_id, connector, attribute) VALUES ('acme', 'crm', 'userName');
INSERT INTO operation (org_id, id, plan, seq, connector, kind, anchor, op, lane, account_rev, identity_rev, revokes, clears, renames, out_of_scope,
	changed, state, created_at, updated_at, code, last_error, body) VALUES
	('acme', 'o1', 'p1', 1, 'crm', 'person', '1', 'update', 2, 4, 1, 0, 0, 0, 0, '', 'ready', 1, 1, '', '',
		'{"id":"o1","connector":"crm","kind":"person","anchor":"1","op":"update","lane":2,"account_rev":4,"identity_rev":1,"reason":"x"}'),
	('acme', 'o2', 'p2', 2, 'door', 'person', '2', 'adopt', 2, 0, 1, 0, 0, 0, 0, '', 'parked', 1, 1, '', '',
		'{"id":"o2","connector":"door","kind":"person","anchor":"2","op":"adopt","lane":2,"account_rev":0,"identity_rev":1,"replaces":"1","reason":"x"}');
`

// versionBefore is the last schema without the source in the keys of accounts.
const versionBefore = 7

func TestAnOlderDatabaseTellsOfWhichSourceAccountsAre(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		makeOld(t, url)
		o := storetest.Open(t, url)
		crm := crm("1")
		accounts := must(o.Accounts(t.Context(), "hr", identity.Person, []string{"1"}))
		require.Equal(t, map[identity.AccountKey]identity.Account{crm: {AccountKey: crm, Ownership: identity.Created, Enabled: connector.IsEnabled, Rev: 4,
			Ref: connector.Ref{Type: "user", ID: "u1"}, Applied: connector.Attributes{{Name: "userName", Values: connector.Values{"one"}}},
			Grants: []identity.Grant{{Entitlement: "staff", Reason: "all"}}}}, accounts)
		require.Len(t, must(o.Accounts(t.Context(), "guests", identity.Person, []string{"1"})), 1)
		require.Equal(t, map[string]string{"crm": "r-crm"}, must(o.Rules(t.Context(), "hr")), "nobody is looked at again for the upgrade")
		require.Equal(t, []store.Feed{{Connector: "crm", Source: "hr", Accounts: 1}, {Connector: "door", Source: "guests", Accounts: 1}}, must(o.Feeds(t.Context())))
		require.False(t, must(o.NameTaken(t.Context(), "crm", "userName", "one", "hr", "1")))
		require.True(t, must(o.NameTaken(t.Context(), "crm", "userName", "one", "guests", "1")))
		require.Equal(t, crm, must(o.OpenOperations(t.Context(), keysOf("hr", "1")))[crm].AccountKey)
		parked := identity.AccountKey{Source: "guests", Connector: "door", Kind: identity.Person, Anchor: "2"}
		op := must(o.OpenOperations(t.Context(), keysOf("guests", "2")))[parked]
		require.Equal(t, plan.Adopt, op.Kind)
		require.Equal(t, identity.Key{Source: "guests", Kind: identity.Person, Anchor: "1"}, op.Replaces)
		require.Equal(t, store.PlanSuperseded, must(o.Plan(t.Context(), "p3")).Status)
	})
}

// makeOld makes a database as it was before accounts knew their source.
func makeOld(t *testing.T, url string) {
	t.Helper()
	dialect, driver, name, other := goose.DialectPostgres, "pgx", url, "_sqlite.sql"
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		dialect, driver, name, other = goose.DialectSQLite3, "sqlite", path, "_postgres.sql"
	}
	db, err := sqlx.Open(driver, name)
	require.NoError(t, err)
	defer db.Close()
	names, err := fs.Glob(schemas.SQL(), "*"+other)
	require.NoError(t, err)
	p, err := goose.NewProvider(dialect, db.DB, schemas.SQL(), goose.WithExcludeNames(names), goose.WithDisableGlobalRegistry(true))
	require.NoError(t, err)
	_, err = p.UpTo(t.Context(), versionBefore)
	require.NoError(t, err)
	for _, q := range strings.Split(before, ";\n") {
		if strings.TrimSpace(q) != "" {
			_, err := db.Exec(q)
			require.NoError(t, err, q)
		}
	}
}
