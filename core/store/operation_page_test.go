package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// smallQueue has some of everything.
var smallQueue = storetest.Queue{Operations: 2_500, Connectors: 3, Causes: 7, ParkedEvery: 10, RetryEvery: 50, ReadyEvery: 40, SkippedEvery: 100, LeaverEvery: 9}

var everyState = append(slices.Clone(store.OpenStates), store.OpDone, store.OpSkipped, store.OpSuperseded)

// planned is when the plan of operation number n was made, for the first of a plan.
func planned(n int64) time.Time { return time.UnixMicro(1798761600000000 + n*1_000_000) }

func TestPagesShowWhatMatchesOnceInBothDirections(t *testing.T) {
	filters := map[string]store.OpFilter{
		"what is open":             {},
		"everything":               {States: everyState},
		"a connector":              {Connector: "app02"},
		"a connector's done":       {Connector: "app02", States: []store.OpState{store.OpDone, store.OpSkipped}},
		"a connector's everything": {Connector: "app02", States: everyState},
		"parked of a connector":    {Connector: "app01", States: []store.OpState{store.OpParked}},
		"somebody":                 {Anchor: "p1003", States: everyState},
		"a code":                   {Code: "TIMEOUT"},
		"a code, whatever state":   {Code: "TIMEOUT", States: everyState},
		"a cause":                  {Cause: "000000000003", States: []store.OpState{store.OpParked}},
		"leavers":                  {Lanes: []plan.Lane{plan.LaneUrgent, plan.LaneLeaver}},
		"revokes of a connector":   {Lanes: []plan.Lane{plan.LaneRevoke}, Connector: "app03", States: everyState},
		"kinds":                    {Kinds: []plan.Kind{plan.Disable, plan.Create}, States: everyState},
		"a plan":                   {Plan: "plan1", States: everyState},
		"parked of a plan":         {Plan: "plan2", States: []store.OpState{store.OpParked}},
		"no such plan":             {Plan: "plan77", States: everyState},
		"since":                    {From: planned(2000), States: everyState},
		"since, between two plans": {From: planned(500), States: everyState},
		"older":                    {Until: planned(1000)},
		"between":                  {From: planned(1000), Until: planned(1500), States: []store.OpState{store.OpDone}},
		"before the first":         {Until: planned(0)},
		"after the last":           {From: planned(5000), States: everyState},
		"with ops":                 {With: store.WithOps},
		"with helpdesk":            {With: store.WithHelpdesk, States: []store.OpState{store.OpParked, store.OpDone}},
		"nothing":                  {Code: "QUOTA"},
	}
	storetest.EachURL(t, func(t *testing.T, url string) {
		o := storetest.Open(t, url)
		require.NoError(t, storetest.FillQueue(t.Context(), url, smallQueue))
		all, err := o.Operations(t.Context(), store.OpFilter{States: everyState, Limit: 10_000})
		require.NoError(t, err)
		require.Len(t, all, smallQueue.Operations)
		_, err = o.HandOver(t.Context(), []string{all[3].ID, all[13].ID}, store.Press{By: "bob", Why: "look", Now: now})
		require.NoError(t, err)
		all, err = o.Operations(t.Context(), store.OpFilter{States: everyState, Limit: 10_000})
		require.NoError(t, err)
		for name, f := range filters {
			want := seqs(slices.DeleteFunc(slices.Clone(all), func(op store.OpRow) bool { return !matches(f, op) }))
			for _, limit := range []int{7, 100, 5_000} {
				f.Limit = limit
				require.Equal(t, want, walk(t, o, f), "%s, %d at a time", name, limit)
				f.Newest = true
				back := slices.Clone(want)
				slices.Reverse(back)
				require.Equal(t, back, walk(t, o, f), "%s, the newest first, %d at a time", name, limit)
				f.Newest = false
			}
		}
	})
}

// matches is what a filter means, in a few lines.
func matches(f store.OpFilter, op store.OpRow) bool {
	states := f.States
	if states == nil {
		states = store.OpenStates
	}
	code := ""
	if op.LastError != nil {
		code = op.LastError.Code.String()
	}
	return slices.Contains(states, op.State) && (f.Connector == "" || f.Connector == op.Connector) && (f.Anchor == "" || f.Anchor == op.Anchor) &&
		(f.Plan == "" || f.Plan == op.Plan) && (f.Code == "" || f.Code == code) && (f.Cause == "" || f.Cause == op.FailsFor) &&
		(len(f.Lanes) == 0 || slices.Contains(f.Lanes, op.Lane)) && (len(f.Kinds) == 0 || slices.Contains(f.Kinds, op.Operation.Kind)) &&
		(f.With == "" || (f.With == store.WithOps) == (op.Handed != nil)) &&
		!op.CreatedAt.Before(f.From) && (f.Until.IsZero() || op.CreatedAt.Before(f.Until))
}

func seqs(ops []store.OpRow) []int64 {
	out := []int64{}
	for _, op := range ops {
		out = append(out, op.Seq)
	}
	return out
}

// walk goes through all pages, and back again, which must show the same.
func walk(t *testing.T, o *store.Org, f store.OpFilter) []int64 {
	t.Helper()
	there, back := []int64{}, []int64{}
	var last int64
	for {
		p, err := o.OperationPage(t.Context(), f)
		require.NoError(t, err)
		require.LessOrEqual(t, len(p.Operations), f.Limit)
		there = append(there, seqs(p.Operations)...)
		if len(p.Operations) > 0 {
			last = p.Operations[len(p.Operations)-1].Seq
		}
		if p.Next == 0 {
			break
		}
		f.After = p.Next
	}
	if last == 0 {
		return there
	}
	for f.After, f.Before = 0, last; f.Before != 0; {
		p, err := o.OperationPage(t.Context(), f)
		require.NoError(t, err)
		back = append(seqs(p.Operations), back...)
		f.Before = p.Prev
	}
	require.Equal(t, there[:len(there)-1], back, "the way back")
	return there
}

func TestASearchEndsAndGoesOn(t *testing.T) {
	q := smallQueue
	q.Operations, q.ParkedEvery, q.RetryEvery = 12_000, 10_000, 10_000
	u := storetest.SQLiteURL(t)
	o := storetest.Open(t, u)
	require.NoError(t, storetest.FillQueue(t.Context(), u, q))
	f := store.OpFilter{Kinds: []plan.Kind{plan.Adopt}, States: []store.OpState{store.OpDone}}
	pages := 0
	for {
		p, err := o.OperationPage(t.Context(), f)
		require.NoError(t, err)
		require.Empty(t, p.Operations)
		pages++
		if p.Next == 0 {
			break
		}
		require.Greater(t, p.Next, f.After)
		f.After = p.Next
	}
	require.Equal(t, 3, pages, "of 5000 each")
	ops, err := o.Operations(t.Context(), f)
	require.NoError(t, err)
	require.Empty(t, ops)
}

func TestCountsEndAtTheirBound(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		o := storetest.Open(t, url)
		empty, err := o.OpenCounts(t.Context(), 10)
		require.NoError(t, err)
		require.Empty(t, empty)
		require.NoError(t, storetest.FillQueue(t.Context(), url, smallQueue))
		exact, err := o.OpenCounts(t.Context(), 0)
		require.NoError(t, err)
		parked := 0
		for _, states := range exact {
			parked += states[store.OpParked].N
			require.NotContains(t, states, store.OpDone)
		}
		require.Equal(t, smallQueue.Operations/smallQueue.ParkedEvery, parked)
		bounded, err := o.OpenCounts(t.Context(), 30)
		require.NoError(t, err)
		require.Equal(t, "30+", bounded["app01"][store.OpParked].String())
		require.Equal(t, exact["app03"][store.OpReady].String(), bounded["app03"][store.OpReady].Add(store.Count{}).String())
	})
}
