package store_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// Pages of findings are the findings that are asked for, each once and in order.
func TestFindingPages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		ctx, noon := t.Context(), time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
		situations, reactions := []string{"orphan", "drifted", "missing"}, []string{"report", "fix"}
		var all []store.FindingRow
		for i := range 120 {
			all = append(all, store.FindingRow{Connector: fmt.Sprintf("app%d", i%8), Kind: []identity.Kind{identity.Person, identity.Group}[i%2], TargetID: fmt.Sprintf("a/%03d", i),
				Situation: situations[i/8%3], Reaction: reactions[i/24%2], Object: "jo", Text: "what", Body: json.RawMessage(`{}`)})
		}
		require.NoError(t, o.SaveFindings(ctx, all, noon))
		over := map[string]bool{}
		for i, f := range all {
			if i%5 == 0 {
				require.NoError(t, o.ResolveFindings(ctx, f.Connector, f.Kind, []string{f.TargetID}, noon))
				over[f.Key()] = true
			}
		}
		for _, f := range []store.FindingFilter{
			{}, {Connector: "app1"}, {Situation: "orphan"}, {Reaction: "fix"}, {Connector: "app2", Situation: "drifted"}, {Situation: "missing", Reaction: "report"},
			{Over: true}, {Over: true, Connector: "app0"}, {Over: true, Situation: "orphan", Reaction: "fix"}, {Connector: "none"}, {Situation: "none"},
		} {
			for _, size := range []int{1, 7, 1000} {
				f.After, f.Limit = "", size
				var want, got []string
				for _, r := range all {
					if over[r.Key()] == f.Over && fits(f.Connector, r.Connector) && fits(f.Situation, r.Situation) && fits(f.Reaction, r.Reaction) {
						want = append(want, r.Key())
					}
				}
				var shown []store.FindingRow
				for {
					p, err := o.FindingPage(ctx, f)
					require.NoError(t, err)
					require.LessOrEqual(t, len(p.Findings), size)
					shown = append(shown, p.Findings...)
					if f.After = p.Next; f.After == "" {
						break
					}
				}
				for _, r := range shown {
					got = append(got, r.Key())
				}
				require.ElementsMatch(t, want, got, "%+v", f)
				require.True(t, slices.IsSortedFunc(shown, func(a, b store.FindingRow) int { return cmp.Compare(a.Connector, b.Connector) }), "%+v", f)
			}
		}

		counts, err := o.FindingCountsTo(ctx, 10)
		require.NoError(t, err)
		require.NotEmpty(t, counts)
		exact, err := o.FindingCounts(ctx)
		require.NoError(t, err)
		for _, c := range counts {
			require.Equal(t, min(exact[c.Connector][c.Situation], 10), c.N, "%+v", c)
		}
		n, err := o.FindingTotal(ctx, 1000)
		require.NoError(t, err)
		require.Equal(t, len(all)-len(over), n)

		one, err := o.Finding(ctx, "app1", all[1].Kind, all[1].TargetID)
		require.NoError(t, err)
		require.Equal(t, all[1].Situation, one.Situation)
		_, err = o.Finding(ctx, "app1", identity.Person, "no")
		require.ErrorIs(t, err, store.ErrNotFound)
	})
}

func fits(want, is string) bool { return want == "" || want == is }
