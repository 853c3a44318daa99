package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// read makes one reading of the source "hr": these people are new or changed,
// those vanished.
func read(t testing.TB, o *store.Org, changed []identity.Identity, vanished ...string) int64 {
	t.Helper()
	r, err := o.BeginReading(t.Context(), "hr")
	require.NoError(t, err)
	require.NoError(t, r.Stage(t.Context(), changed))
	end := store.ReadingEnd{Snapshot: "s1", Dated: now, Now: now}
	for _, a := range vanished {
		end.Vanished = append(end.Vanished, hr(a))
	}
	g, err := r.Commit(t.Context(), end)
	require.NoError(t, err)
	return g
}

func hr(anchor string) identity.Key {
	return identity.Key{Source: "hr", Kind: identity.Person, Anchor: anchor}
}

// people are records with nothing but a name.
func people(anchors ...string) []identity.Identity {
	var out []identity.Identity
	for _, a := range anchors {
		out = append(out, identity.Identity{Key: hr(a), State: identity.Active, Attributes: identity.Attributes{"name": "n" + a},
			Hash: identity.Hash([]byte("0123456789abcdef")), Position: "hr.csv:" + a})
	}
	return out
}

// anchors collects what an iteration over identities yields.
func anchors(t testing.TB, each func(yield func(identity.Identity) error) error) []string {
	t.Helper()
	out := []string{}
	require.NoError(t, each(func(i identity.Identity) error {
		out = append(out, i.Anchor)
		return nil
	}))
	return out
}

func pending(t testing.TB, o *store.Org) []string {
	t.Helper()
	return anchors(t, func(y func(identity.Identity) error) error { return o.Pending(t.Context(), "hr", y) })
}

// emptyPlan is what a cycle makes that finds nothing to do.
func emptyPlan(hash string, generation int64) *plan.Plan {
	return &plan.Plan{Hash: hash, Inputs: plan.Inputs{Source: "hr", Generation: generation}}
}

func lease(t testing.TB, o *store.Org, n int) []store.OpRow {
	t.Helper()
	ops, err := o.Lease(t.Context(), "crm", "w1", n, now, time.Minute)
	require.NoError(t, err)
	return ops
}

func send(t testing.TB, o *store.Org, ops []store.OpRow) []store.OpRow {
	t.Helper()
	kept, err := o.MarkSent(t.Context(), ops, now)
	require.NoError(t, err)
	return kept
}

func finish(t testing.TB, o *store.Org, fs ...store.Finish) (fenced []string) {
	t.Helper()
	fenced, err := o.Finish(t.Context(), fs)
	require.NoError(t, err)
	return fenced
}

// carryOut leases, sends and finishes all that is ready.
func carryOut(t testing.TB, o *store.Org) {
	t.Helper()
	for ops := send(t, o, lease(t, o, 50)); len(ops) > 0; ops = send(t, o, lease(t, o, 50)) {
		for _, op := range ops {
			require.Empty(t, finish(t, o, done(op)))
		}
	}
}

// state returns where the operation stands.
func state(t testing.TB, o *store.Org, id string) store.OpState {
	t.Helper()
	op, _, err := o.Operation(t.Context(), id)
	require.NoError(t, err)
	return op.State
}

// actions lists the audit trail.
func actions(t testing.TB, o *store.Org) []string {
	t.Helper()
	entries, err := o.Audit(t.Context(), store.AuditFilter{Limit: 1000})
	require.NoError(t, err)
	var out []string
	for _, e := range entries {
		out = append(out, e.Actor+" "+e.Action+" "+e.Object)
	}
	return out
}

// errPower is what a commit hook answers that stands for a power cut.
var errPower = errors.New("power cut")
