package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

func TestRequests(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		ctx, noon := t.Context(), time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
		ask := func(id string, at time.Time) store.Request {
			r := store.Request{ID: id, Kind: "cycle", Subject: "hr", Options: json.RawMessage(`{"accept":"s"}`), Actor: "jo", AskedAt: at}
			require.NoError(t, o.Ask(ctx, r))
			return r
		}
		a, b := ask("a", noon), ask("b", noon.Add(time.Second))
		open, err := o.Requests(ctx)
		require.NoError(t, err)
		require.Equal(t, []store.Request{a, b}, stripped(open))

		a.EndedAt, a.Failure, a.FailureCode, a.Answer = noon.Add(time.Minute), "no", "usage", json.RawMessage(`{"n":1}`)
		require.NoError(t, o.Answer(ctx, a))
		require.ErrorIs(t, o.Answer(ctx, a), store.ErrNotFound, "it was answered")
		got, err := o.Request(ctx, "a")
		require.NoError(t, err)
		a.Options = json.RawMessage{}
		require.Equal(t, a, got)

		require.NoError(t, o.Unask(ctx, "b"))
		_, err = o.Request(ctx, "b")
		require.ErrorIs(t, err, store.ErrNotFound)
		ask("c", noon.Add(25*time.Hour))
		_, err = o.Request(ctx, "a")
		require.ErrorIs(t, err, store.ErrNotFound, "a day later nobody waits for the answer")
	})
}

// stripped are requests whose answer is nothing at all.
func stripped(rs []store.Request) []store.Request {
	for i := range rs {
		if len(rs[i].Answer) == 0 {
			rs[i].Answer = nil
		}
	}
	return rs
}
