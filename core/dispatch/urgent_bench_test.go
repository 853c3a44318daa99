package dispatch_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/dispatch"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// leaving notes when an account is disabled, and takes as long for each call as a
// quick service.
type leaving struct {
	dispatch.Target
	mu   sync.Mutex
	seen map[string]time.Time
}

func (l *leaving) Apply(ctx context.Context, ops []connector.Operation) []connector.Result {
	time.Sleep(20 * time.Millisecond)
	if s, ok := ops[0].(connector.SetEnabled); ok {
		l.mu.Lock()
		l.seen[s.Target.ID] = time.Now()
		l.mu.Unlock()
		return []connector.Result{{ID: s.ID, Outcome: connector.OutcomeApplied}}
	}
	return l.Target.Apply(ctx, ops)
}

func (l *leaving) at(id string) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen[id]
}

// BenchmarkALeaverBehindABulkLoad says how long it takes from the moment in which a
// leaver stands in the queue until the target has disabled the account, while
// 100,000 creates are ready in front; nobody wakes the dispatcher.
//
//	go test ./core/dispatch -run '^$' -bench Leaver -benchtime 20x
func BenchmarkALeaverBehindABulkLoad(b *testing.B) {
	for _, db := range []struct {
		name string
		url  func(testing.TB) string
	}{{"sqlite", storetest.SQLiteURL}, {"postgres", storetest.PostgresURL}} {
		b.Run(db.name, func(b *testing.B) {
			o := storetest.Open(b, db.url(b))
			target := &leaving{Target: inProcess(b), seen: map[string]time.Time{}}
			enqueue(b, o, 100_000)
			ctx, cancel := context.WithCancel(b.Context())
			d := dispatch.New(dispatch.Options{Connector: "crm", Queue: o, Target: target, Owner: "bench", Log: slog.New(slog.DiscardHandler)})
			ended := make(chan error)
			go func() { ended <- d.Run(ctx) }()
			time.Sleep(2 * time.Second)
			var took []time.Duration
			b.ResetTimer()
			for i := range b.N {
				leave(b, o, i)
				at, id := time.Now(), fmt.Sprint("gone", i)
				for target.at(id).IsZero() {
					time.Sleep(time.Millisecond)
				}
				took = append(took, target.at(id).Sub(at))
				time.Sleep(50 * time.Millisecond)
			}
			b.StopTimer()
			cancel()
			if err := <-ended; err != nil {
				b.Fatal(err)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "ms-median")
			b.ReportMetric(float64(took[len(took)-1].Milliseconds()), "ms-max")
		})
	}
}

// leave puts the disable of one person into the queue.
func leave(b *testing.B, o *store.Org, i int) {
	b.Helper()
	p := &plan.Plan{Inputs: plan.Inputs{Source: "hr", Snapshot: fmt.Sprint("leaver", i), Partial: true}, Operations: []plan.Operation{{
		AccountKey: identity.AccountKey{Connector: "crm", Kind: identity.Person, Anchor: fmt.Sprint("leaver", i)}, Kind: plan.Adopt, Lane: plan.LaneUrgent,
		Target: connector.Ref{Type: "user", ID: fmt.Sprint("gone", i)}, Enabled: connector.IsDisabled, Reason: "left",
	}}}
	plan.Seal(p)
	if _, err := o.SavePlan(b.Context(), p, store.PlanProposed, "bench", time.Now()); err != nil {
		b.Fatal(err)
	}
	if _, err := o.ApplyPlan(b.Context(), p.Hash, "bench", time.Now()); err != nil {
		b.Fatal(err)
	}
}
