package store_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// benchEach runs a benchmark on both databases.
func benchEach(b *testing.B, bench func(b *testing.B, o *store.Org)) {
	b.Run("sqlite", func(b *testing.B) { bench(b, storetest.New(b)) })
	b.Run("postgres", func(b *testing.B) { bench(b, storetest.Open(b, storetest.PostgresURL(b))) })
}

// rows is how many identities the benchmarks of readings use:
// PROVHUB_BENCH_ROWS=1000000 gives the figures of the design.
func rows() int {
	if n, err := strconv.Atoi(os.Getenv("PROVHUB_BENCH_ROWS")); err == nil {
		return n
	}
	return 20_000
}

// person is a record such as an HR file has.
func person(n int) identity.Identity {
	i := identity.Identity{
		Key: identity.Key{Source: "hr", Kind: identity.Person, Anchor: fmt.Sprintf("%08d", n)}, State: identity.Active,
		Position: "hr.csv:" + strconv.Itoa(n), Reference: fmt.Sprintf("%08d", n/10),
		Attributes: identity.Attributes{
			"first_name": "Jane", "last_name": "Müller" + strconv.Itoa(n), "department": "Research & Development", "title": "Engineer",
			"site": "Zürich", "start_date": "2024-04-01", "cost_center": int64(n % 997), "manager": fmt.Sprintf("%08d", n/10),
		},
	}
	copy(i.Hash[:], fmt.Sprintf("%016d", n))
	return i
}

func stageAll(b testing.TB, o *store.Org, n int) {
	r, err := o.BeginReading(b.Context(), "hr")
	require.NoError(b, err)
	chunk := make([]identity.Identity, 0, 1000)
	for i := range n {
		if chunk = append(chunk, person(i)); len(chunk) == cap(chunk) || i == n-1 {
			require.NoError(b, r.Stage(b.Context(), chunk))
			chunk = chunk[:0]
		}
	}
	start := time.Now()
	_, err = r.Commit(b.Context(), store.ReadingEnd{Snapshot: "s", Now: now})
	require.NoError(b, err)
	b.Logf("commit took %s", time.Since(start).Round(time.Millisecond))
}

func BenchmarkFirstReading(b *testing.B) {
	benchEach(b, func(b *testing.B, o *store.Org) {
		for b.Loop() {
			stageAll(b, o, rows())
		}
		b.ReportMetric(float64(rows()*b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

func BenchmarkIndex(b *testing.B) {
	benchEach(b, func(b *testing.B, o *store.Org) {
		stageAll(b, o, rows())
		for b.Loop() {
			n := 0
			err := o.Index(b.Context(), "hr", func(identity.Kind, []byte, identity.Hash) error { n++; return nil })
			require.NoError(b, err)
			require.Equal(b, rows(), n)
		}
		b.ReportMetric(float64(rows()*b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

func BenchmarkPendingEveryone(b *testing.B) {
	benchEach(b, func(b *testing.B, o *store.Org) {
		stageAll(b, o, rows())
		for b.Loop() {
			n := 0
			err := o.Pending(b.Context(), "hr", func(identity.Identity) error { n++; return nil })
			require.NoError(b, err)
			require.Equal(b, rows(), n)
		}
		b.ReportMetric(float64(rows()*b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

func BenchmarkReadingWithoutChange(b *testing.B) {
	benchEach(b, func(b *testing.B, o *store.Org) {
		stageAll(b, o, rows())
		for b.Loop() {
			r, err := o.BeginReading(b.Context(), "hr")
			require.NoError(b, err)
			_, err = r.Commit(b.Context(), store.ReadingEnd{Snapshot: "s", Now: now})
			require.NoError(b, err)
		}
	})
}

// BenchmarkQueue leases, sends and finishes operations in batches of 64, three
// commits a batch; one op of the benchmark is one operation of the queue.
func BenchmarkQueue(b *testing.B) {
	benchEach(b, func(b *testing.B, o *store.Org) {
		for i := 0; i < b.N; i += 5000 {
			p := &plan.Plan{Hash: fmt.Sprintf("p%d", i), Inputs: plan.Inputs{Source: "hr"}}
			for n := range min(5000, b.N-i) {
				p.Operations = append(p.Operations, operation(p.Hash, "crm", strconv.Itoa(i+n)))
			}
			apply(b, o, p)
		}
		b.ResetTimer()
		for {
			ops, err := o.Lease(b.Context(), "crm", "w1", 64, now, time.Minute)
			require.NoError(b, err)
			if len(ops) == 0 {
				break
			}
			ops, err = o.MarkSent(b.Context(), ops, now)
			require.NoError(b, err)
			fs := make([]store.Finish, len(ops))
			for i, op := range ops {
				fs[i] = done(op)
			}
			_, err = o.Finish(b.Context(), fs)
			require.NoError(b, err)
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
	})
}

// done is the outcome of a create that worked.
func done(op store.OpRow) store.Finish {
	return store.Finish{
		ID: op.ID, Fence: op.Fence, State: store.OpDone, StepsDone: 1, CountAttempt: true, Now: now,
		Attempt: &store.Attempt{StartedAt: now, Took: time.Second, Outcome: connector.OutcomeApplied},
		Account: &identity.Account{
			Ref: connector.Ref{Type: "user", ID: "id-" + op.Anchor}, Ownership: identity.Created, Enabled: connector.IsEnabled,
			Applied: connector.Attributes{{Name: "userName", Values: connector.Values{"u" + op.Anchor}}}, LastSuccessAt: op.UpdatedAt,
			Grants: []identity.Grant{{Entitlement: "staff"}},
		},
	}
}
