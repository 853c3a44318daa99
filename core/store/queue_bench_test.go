package store_test

import (
	"context"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// queueRows is how many operations the benchmarks of lists have:
// PROVHUB_BENCH_QUEUE=1000000 gives the figures of the design.
func queueRows() storetest.Queue {
	q := storetest.LargeQueue
	q.Operations = 20_000
	if n, err := strconv.Atoi(os.Getenv("PROVHUB_BENCH_QUEUE")); err == nil {
		q.Operations = n
	}
	return q
}

// BenchmarkLists reads every list that people look at.
func BenchmarkLists(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": storetest.SQLiteURL, "postgres": storetest.PostgresURL} {
		b.Run(name, func(b *testing.B) {
			u := url(b)
			o := storetest.Open(b, u)
			start := time.Now()
			require.NoError(b, storetest.FillQueue(b.Context(), u, queueRows()))
			b.Logf("filled in %s", time.Since(start).Round(time.Millisecond))
			for _, l := range lists(queueRows()) {
				b.Run(l.name, func(b *testing.B) {
					for b.Loop() {
						require.NoError(b, l.read(b.Context(), o))
					}
				})
			}
		})
	}
}

// aList is one thing that people look at.
type aList struct {
	name string
	read func(context.Context, *store.Org) error
}

func lists(q storetest.Queue) []aList {
	page := func(f store.OpFilter) func(context.Context, *store.Org) error {
		return func(ctx context.Context, o *store.Org) error {
			_, err := o.OperationPage(ctx, f)
			return err
		}
	}
	deep := int64(q.Operations * 9 / 10)
	parked, everything := []store.OpState{store.OpParked}, append(slices.Clone(store.OpenStates), store.OpDone, store.OpSkipped, store.OpSuperseded)
	at := time.UnixMicro(1798761600000000 + deep*1_000_000)
	return []aList{
		{"open", page(store.OpFilter{})},
		{"open deep", page(store.OpFilter{After: deep})},
		{"open newest", page(store.OpFilter{Newest: true})},
		{"all newest", page(store.OpFilter{States: everything, Newest: true})},
		{"all deep, back", page(store.OpFilter{States: everything, Before: deep})},
		{"parked deep", page(store.OpFilter{States: parked, After: deep})},
		{"ready", page(store.OpFilter{States: []store.OpState{store.OpReady}})},
		{"skipped", page(store.OpFilter{States: []store.OpState{store.OpSkipped}})},
		{"connector", page(store.OpFilter{Connector: "app07"})},
		{"connector all deep", page(store.OpFilter{Connector: "app07", States: everything, After: deep})},
		{"connector parked newest", page(store.OpFilter{Connector: "app07", States: parked, Newest: true})},
		{"person", page(store.OpFilter{Anchor: "p1003", States: everything})},
		{"code", page(store.OpFilter{Code: "TIMEOUT", States: parked})},
		{"code deep", page(store.OpFilter{Code: "TIMEOUT", States: parked, After: deep})},
		{"code, none", page(store.OpFilter{Code: "QUOTA", States: parked})},
		{"open with code", page(store.OpFilter{Code: "TIMEOUT"})},
		{"cause", page(store.OpFilter{Cause: "000000000005", States: parked})},
		{"leavers parked", page(store.OpFilter{Lanes: []plan.Lane{plan.LaneUrgent, plan.LaneLeaver}, States: parked})},
		{"kind parked", page(store.OpFilter{Kinds: []plan.Kind{plan.Disable}, States: parked})},
		{"kind among all", page(store.OpFilter{Kinds: []plan.Kind{plan.Delete}, States: everything})},
		{"plan", page(store.OpFilter{Plan: "plan500", States: everything})},
		{"plan parked", page(store.OpFilter{Plan: "plan500", States: parked})},
		{"with ops", page(store.OpFilter{With: store.WithOps, States: parked})},
		{"since", page(store.OpFilter{From: at, States: everything, Newest: true})},
		{"older", page(store.OpFilter{Until: at, States: parked, Newest: true})},
		{"older all", page(store.OpFilter{Until: at, States: everything, Newest: true})},
		{"causes", func(ctx context.Context, o *store.Org) error {
			_, err := o.Causes(ctx, store.CauseFilter{})
			return err
		}},
		{"causes of a connector", func(ctx context.Context, o *store.Org) error {
			_, err := o.Causes(ctx, store.CauseFilter{Connector: "app07"})
			return err
		}},
		{"counts", func(ctx context.Context, o *store.Org) error { _, err := o.OpenCounts(ctx, 1000); return err }},
		{"counts of all", func(ctx context.Context, o *store.Org) error { _, err := o.OperationCounts(ctx); return err }},
		{"waits", func(ctx context.Context, o *store.Org) error { _, err := o.Waits(ctx); return err }},
	}
}
