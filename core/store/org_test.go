package store_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// tables lists all tables of the state that hold rows of orgs.
var tables = []string{"org_state", "source_state", "identity", "evaluation_fault", "replan", "account", "grant_edge", "name_reservation",
	"name_attribute", "plan", "operation", "attempt", "connector_state", "audit", "audit_head"}

// Two orgs with the same sources, connectors, anchors, plans and operation ids:
// whatever one does, not a row of the other changes, and nothing of it is seen.
func TestOrgsNeverMeet(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s, err := store.Open(t.Context(), url)
		require.NoError(t, err)
		defer s.Close()
		a, b := s.Org("a"), s.Org("b")
		require.Empty(t, seen(t, b))
		live(t, a)
		require.Empty(t, seen(t, b), "b sees nothing of a")
		db := behind(t, url)
		before := dump(t, db, "a")
		for _, table := range tables {
			require.NotEmpty(t, before[table], "the test writes into every table; %s is empty", table)
		}
		live(t, b)
		require.Equal(t, before, dump(t, db, "a"), "b changed nothing of a")
		require.Equal(t, seen(t, a), seen(t, b), "the same life leaves the same traces")
	})
}

// dump returns all rows of an org.
func dump(t *testing.T, db *sqlx.DB, org string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, table := range tables {
		rows, err := db.Queryx(db.Rebind(`SELECT * FROM `+table+` WHERE org_id = ?`), org)
		require.NoError(t, err)
		for rows.Next() {
			row, err := rows.SliceScan()
			require.NoError(t, err)
			out[table] = append(out[table], fmt.Sprint(row...))
		}
		require.NoError(t, rows.Err())
	}
	return out
}

// live does everything that writes.
func live(t *testing.T, o *store.Org) {
	t.Helper()
	ctx := t.Context()
	staff := people("1", "2", "3", "4")
	staff[1].Reference, staff[2].DueAt = "1", now
	p := withRevs(creates("p1", "crm", "1", "2", "3", "4"))
	p.Inputs.Generation = read(t, o, staff)
	p.Names = []plan.NameReservation{name("1", "u1")}
	p.Rules = map[string]string{"crm": "r"}
	p.Faults = []plan.Note{{AccountKey: crm("3"), Code: "x"}}
	save(t, o, p, store.PlanHeld)
	require.NoError(t, o.ApprovePlan(ctx, "p1", store.Approval{By: "bob", At: now, Until: now.Add(time.Hour)}))
	_, err := o.ApplyPlan(ctx, "p1", "alice", now)
	require.NoError(t, err)
	ops := send(t, o, lease(t, o, 3))
	finish(t, o, done(ops[0]),
		store.Finish{ID: ops[1].ID, Fence: ops[1].Fence, State: store.OpParked, Replan: true, Now: now, Err: connector.Errorf(connector.CodePolicy, "no")},
		store.Finish{ID: ops[2].ID, Fence: ops[2].Fence, State: store.OpRetry, NextAttemptAt: now.Add(time.Hour), Now: now,
			Err: connector.Errorf(connector.CodeDependencyMissing, "later")})
	require.NoError(t, o.EditOperation(ctx, ops[1].ID, "bob", nil, now))
	_, err = o.WakeDependents(ctx, "crm", nil, now)
	require.NoError(t, err)
	send(t, o, lease(t, o, 1))
	_, _, err = o.Recover(ctx, "w2", now.Add(time.Hour))
	require.NoError(t, err)
	_, err = o.Unknown(ctx, "crm", "w2", 5, now.Add(time.Hour), time.Minute)
	require.NoError(t, err)
	require.NoError(t, o.SkipOperation(ctx, ops[2].ID, "bob", "", now))
	require.NoError(t, o.Observe(ctx, []identity.Account{{AccountKey: crm("9")}}, now))
	state := must(o.ConnectorState(ctx, "crm"))
	state.PausedBy = "bob"
	require.NoError(t, o.SetConnectorState(ctx, state, "bob", now))
	require.NoError(t, o.SetStates(ctx, []identity.Identity{{Key: hr("3"), State: identity.Leaver, Rev: 1}}, now))
	read(t, o, nil, "4")
	p2 := creates("p2", "crm", "1")
	p2.Operations[0].Kind, p2.Operations[0].Cause = plan.Disable, plan.CauseLeave
	save(t, o, p2, store.PlanHeld)
	require.NoError(t, o.RejectPlan(ctx, "p2", "bob", "", now))
	require.NoError(t, o.AuditRecord(ctx, store.AuditEntry{At: now, Actor: "bob", Action: "kill", Object: "crm"}))
}

// seen returns all that an org can read, as JSON by method.
func seen(t *testing.T, o *store.Org) map[string]string {
	t.Helper()
	ctx, out := t.Context(), map[string]string{}
	all := []string{"1", "2", "3", "4", "9"}
	add := func(name string, v any) {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		if s := string(b); s != "null" && s != "{}" && s != "[]" && s != "0" && s != "false" {
			out[name] = s
		}
	}
	each := func(name string, walk func(func(identity.Identity) error) error) { add(name, anchors(t, walk)) }
	each("pending", func(y func(identity.Identity) error) error { return o.Pending(ctx, "hr", y) })
	each("all", func(y func(identity.Identity) error) error { return o.All(ctx, "hr", y) })
	each("due", func(y func(identity.Identity) error) error { return o.Due(ctx, "hr", now, y) })
	add("identities", must(o.Identities(ctx, "hr", identity.Person, all)))
	add("find", must(o.FindIdentities(ctx, "n", 10)))
	add("generation", must(o.Generation(ctx)))
	accounts := must(o.Accounts(ctx, "hr", identity.Person, all))
	for k, a := range accounts {
		add("account "+k.Anchor, a)
	}
	open := must(o.OpenOperations(ctx, keysOf("hr", all...)))
	for k, op := range open {
		add("open "+k.Anchor, op)
	}
	add("population", must(o.Population(ctx, "crm", "hr", now)).Accounts)
	add("name", must(o.NameTaken(ctx, "crm", "userName", "u1", "hr", "2")))
	add("plans", must(o.Plans(ctx, 0)))
	ops := must(o.Operations(ctx, store.OpFilter{States: append(store.OpenStates, store.OpDone, store.OpSkipped)}))
	add("operations", ops)
	add("counts", must(o.OperationCounts(ctx)))
	_, n, err := o.NextDue(ctx, "crm")
	require.NoError(t, err)
	add("open count", n)
	add("rules", must(o.Rules(ctx, "hr"))["crm"] != "")
	var refs []string
	require.NoError(t, o.Holdings(ctx, "crm", func(a identity.Account) error {
		refs = append(refs, a.Anchor)
		return nil
	}))
	add("refs", refs)
	_, err = o.Plan(ctx, "p1")
	add("plan", err == nil)
	_, _, err = o.Operation(ctx, "p1-crm-1")
	add("operation", err == nil)
	_, err = o.SourceState(ctx, "hr")
	add("source", err == nil)
	entries := must(o.Audit(ctx, store.AuditFilter{}))
	for i := range entries {
		entries[i].Hash = "" // covers the org's name
	}
	add("audit", entries)
	add("verified", must(o.AuditVerify(ctx)))
	return out
}
