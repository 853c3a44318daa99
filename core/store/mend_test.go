package store_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// refusedCreates parks a create for each of these people.
func refusedCreates(t *testing.T, o *store.Org, anchors ...string) (ids []string) {
	t.Helper()
	apply(t, o, creates("p1", "crm", anchors...))
	for _, op := range send(t, o, lease(t, o, len(anchors))) {
		finish(t, o, store.Finish{ID: op.ID, Fence: op.Fence, State: store.OpParked, Now: now,
			Err: &connector.Error{Code: connector.CodeAlreadyExists, Message: "there", Conflicting: &connector.Ref{Type: "user", ID: "x" + op.Anchor}}})
		ids = append(ids, op.ID)
	}
	return ids
}

func TestTwoPressesDoItOnce(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		o, other := storetest.Open(t, url), storetest.Open(t, url)
		ids := refusedCreates(t, o, "1", "2", "3", "4")
		var wg sync.WaitGroup
		got := make([]store.Mended, 2)
		for i, o := range []*store.Org{o, other} {
			wg.Go(func() {
				m, err := o.RetryOperations(t.Context(), append(ids, ids[0], "nobody"), store.Press{By: "bob", Why: "mended", Now: now})
				require.NoError(t, err)
				got[i] = m
			})
		}
		wg.Wait()
		require.Len(t, append(got[0].Done, got[1].Done...), len(ids), "each once")
		for _, m := range got {
			require.Len(t, m.Refused, len(ids)+2-len(m.Done), "and the answer says which not")
		}
		entries, err := o.Audit(t.Context(), store.AuditFilter{Action: "operation.retry"})
		require.NoError(t, err)
		require.Len(t, entries, len(ids))
		require.Contains(t, string(entries[0].Detail), `"why":"mended"`)
		_, err = o.RetryOperations(t.Context(), ids, store.Press{Now: now})
		require.ErrorContains(t, err, "needs the name of who does it")
	})
}

func TestHandingOverChangesNothingElse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		ids := refusedCreates(t, o, "1", "2")
		before, _, err := o.Operation(t.Context(), ids[0])
		require.NoError(t, err)
		m, err := o.HandOver(t.Context(), ids[:1], store.Press{By: "bob", Why: "look at the certificate", Now: now.Add(time.Hour)})
		require.NoError(t, err)
		require.Equal(t, ids[:1], m.Done)
		is, _, err := o.Operation(t.Context(), ids[0])
		require.NoError(t, err)
		require.Equal(t, &store.Handed{By: "bob", At: now.Add(time.Hour), Note: "look at the certificate"}, is.Handed)
		is.Handed = nil
		require.Equal(t, before, is)
		require.Equal(t, 1, must(o.Causes(t.Context(), store.CauseFilter{})).Causes[0].Handed)
		require.Equal(t, 1, must(o.Causes(t.Context(), store.CauseFilter{With: store.WithHelpdesk})).Causes[0].Count)
		m, err = o.TakeBack(t.Context(), ids, store.Press{By: "otto", Now: now})
		require.NoError(t, err)
		require.Equal(t, ids[:1], m.Done)
		require.Contains(t, m.Refused[0].Why, "is not handed over")
		is, _, err = o.Operation(t.Context(), ids[0])
		require.NoError(t, err)
		require.Equal(t, before, is)
	})
}

func TestACreateBecomesATakeOver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		ids := refusedCreates(t, o, "1")
		p := store.Press{By: "bob", Why: "made by hand", Now: now}
		require.NoError(t, o.AdoptOperation(t.Context(), ids[0], p))
		op := lease(t, o, 1)[0]
		require.Equal(t, []any{plan.Adopt, connector.Ref{Type: "user", ID: "x1"}, 1}, []any{op.Operation.Kind, op.Target, op.Edited})
		require.Contains(t, strings.Join(actions(t, o), "\n"), "bob operation.adopt crm/1")
		require.ErrorIs(t, o.AdoptOperation(t.Context(), ids[0], p), store.ErrState, "it is under way")
		require.ErrorIs(t, o.AdoptOperation(t.Context(), "nobody", p), store.ErrNotFound)
	})
}

func TestSomebodyElsesAccountIsNotTakenOver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		apply(t, o, creates("p0", "crm", "9"))
		f := done(send(t, o, lease(t, o, 1))[0])
		f.Account.Ref = connector.Ref{Type: "user", ID: "x1"}
		finish(t, o, f)
		ids := refusedCreates(t, o, "1")
		err := o.AdoptOperation(t.Context(), ids[0], store.Press{By: "bob", Why: "why", Now: now})
		require.ErrorIs(t, err, store.ErrState)
		require.ErrorContains(t, err, "belongs to 9")
		require.Equal(t, store.OpParked, state(t, o, ids[0]))
	})
}
