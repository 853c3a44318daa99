package store_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

func TestServingAndWorkingExcludeEachOther(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		a, b := storetest.Open(t, url), storetest.Open(t, url)
		role, err := a.Serve(t.Context(), "provhub serve")
		require.NoError(t, err)
		_, err = b.Work(t.Context(), "provhub sync")
		require.ErrorIs(t, err, store.ErrBusy)
		require.ErrorContains(t, err, fmt.Sprintf("another provhub works on this state: provhub serve, process %d on ", os.Getpid()))
		role.Release()
		release, err := b.Work(t.Context(), "provhub sync")
		require.NoError(t, err)
		_, err = a.Serve(t.Context(), "provhub serve")
		require.ErrorIs(t, err, store.ErrBusy)
		require.ErrorContains(t, err, "provhub sync, process")
		release()
	})
}

func TestSeveralServeOnPostgresAndOneOnSQLite(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		a, b := storetest.Open(t, url), storetest.Open(t, url)
		first, err := a.Serve(t.Context(), "provhub serve")
		require.NoError(t, err)
		defer first.Release()
		second, err := b.Serve(t.Context(), "provhub serve")
		if first.Alone() {
			require.ErrorIs(t, err, store.ErrBusy)
			return
		}
		require.NoError(t, err)
		second.Release()
		_, err = b.Work(t.Context(), "provhub sync")
		require.ErrorIs(t, err, store.ErrBusy, "one of them is still there")
	})
}

func TestANamedLockIsHeldByOne(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		a := storetest.Open(t, url)
		role, err := a.Serve(t.Context(), "provhub serve")
		require.NoError(t, err)
		defer role.Release()
		lock, err := role.Lock(t.Context(), "connector/crm")
		require.NoError(t, err)
		_, err = role.Lock(t.Context(), "connector/crm")
		require.ErrorIs(t, err, store.ErrBusy, "not even the same process twice")
		other, err := role.Lock(t.Context(), "connector/chat")
		require.NoError(t, err)
		defer other.Release()
		if !role.Alone() {
			second, err := storetest.Open(t, url).Serve(t.Context(), "provhub serve")
			require.NoError(t, err)
			defer second.Release()
			_, err = second.Lock(t.Context(), "connector/crm")
			require.ErrorIs(t, err, store.ErrBusy)
			free, err := second.Free(t.Context(), []string{"connector/wiki", "connector/crm", "connector/chat"})
			require.NoError(t, err)
			require.Equal(t, []string{"connector/wiki"}, free)
			lock.Release()
			lock.Release() // twice is fine
			theirs, err := second.Lock(t.Context(), "connector/crm")
			require.NoError(t, err)
			_, err = role.Lock(t.Context(), "connector/crm")
			require.ErrorIs(t, err, store.ErrBusy)
			theirs.Release()
		}
		lock.Release()
		again, err := role.Lock(t.Context(), "connector/crm")
		require.NoError(t, err)
		again.Release()
	})
}

func TestOneConnectorsLeasesAreTakenBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		ctx := t.Context()
		apply(t, o, creates("p1", "crm", "1", "2", "3"))
		apply(t, o, creates("p2", "chat", "1"))
		sent := send(t, o, lease(t, o, 1))
		leased := lease(t, o, 1)
		theirs, err := o.Take(ctx, "chat", "w1", 1, now, time.Minute)
		require.NoError(t, err)

		settle := now.Add(8 * time.Second)
		unknown, ready, err := o.RecoverConnector(ctx, "crm", "w2", settle, now)
		require.NoError(t, err)
		require.Equal(t, []int{1, 1}, []int{unknown, ready})
		fenced, err := o.Finish(ctx, []store.Finish{
			{ID: sent[0].ID, Fence: sent[0].Fence, State: store.OpDone, Now: now},
			{ID: leased[0].ID, Fence: leased[0].Fence, State: store.OpReady, Now: now},
			{ID: theirs[0].ID, Fence: theirs[0].Fence, State: store.OpDone, Now: now},
		})
		require.NoError(t, err)
		require.ElementsMatch(t, []string{sent[0].ID, leased[0].ID}, fenced, "another connector's leases hold")

		take := func(now time.Time) (ids []string) {
			doubtful, err := o.Unknown(ctx, "crm", "w2", 10, now, time.Minute)
			require.NoError(t, err)
			for _, op := range doubtful {
				require.True(t, op.MaybeApplied)
				ids = append(ids, op.ID)
			}
			return ids
		}
		require.Empty(t, take(settle.Add(-time.Millisecond)), "whoever was cut off may still be ending its calls")
		require.Len(t, lease(t, o, 10), 2, "what was not sent goes on at once")
		require.Equal(t, []string{sent[0].ID}, take(settle))

		// Who looked it up is gone, too.
		unknown, ready, err = o.RecoverConnector(ctx, "crm", "w3", settle.Add(time.Minute), settle)
		require.NoError(t, err)
		require.Equal(t, []int{0, 2}, []int{unknown, ready})
		require.Empty(t, take(settle.Add(time.Second)))
		require.Equal(t, []string{sent[0].ID}, take(settle.Add(time.Minute)))
	})
}

func TestDueConnectors(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		ctx := t.Context()
		names := []string{"chat", "crm", "wiki"}
		due := func(now time.Time) []string {
			t.Helper()
			got, err := o.DueConnectors(ctx, names, now)
			require.NoError(t, err)
			return got
		}
		require.Empty(t, due(now))
		apply(t, o, creates("p1", "crm", "1"))
		apply(t, o, creates("p2", "chat", "1"))
		apply(t, o, creates("p3", "elsewhere", "1"))
		require.ElementsMatch(t, []string{"chat", "crm"}, due(now))
		op := send(t, o, lease(t, o, 1))[0]
		require.Equal(t, []string{"chat"}, due(now))
		finish(t, o, store.Finish{ID: op.ID, Fence: op.Fence, State: store.OpRetry, NextAttemptAt: now.Add(time.Minute),
			Err: connector.Errorf(connector.CodeUnavailable, "down"), Now: now})
		require.Equal(t, []string{"chat"}, due(now))
		require.ElementsMatch(t, []string{"chat", "crm"}, due(now.Add(time.Minute)))
		s, err := o.ConnectorState(ctx, "chat")
		require.NoError(t, err)
		s.PausedBy = "alice: vendor"
		require.NoError(t, o.SetConnectorState(ctx, s, "alice", now))
		require.Equal(t, []string{"crm"}, due(now.Add(time.Minute)))
	})
}

func TestNodes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		ctx := t.Context()
		require.NoError(t, o.Seen(ctx, store.Node{Name: "b/2", Version: "1.0", Address: "127.0.0.1:1", StartedAt: now, Connectors: []string{"crm"}}))
		require.NoError(t, o.Seen(ctx, store.Node{Name: "a/1", StartedAt: now}))
		require.NoError(t, o.Seen(ctx, store.Node{Name: "b/2", Version: "1.0", Address: "127.0.0.1:1", StartedAt: now, Connectors: []string{"crm", "chat"}}))
		nodes, err := o.Nodes(ctx)
		require.NoError(t, err)
		require.Len(t, nodes, 2)
		require.Equal(t, "a/1", nodes[0].Name)
		require.Equal(t, []string{"crm", "chat"}, nodes[1].Connectors)
		require.Equal(t, now, nodes[1].StartedAt)
		require.WithinDuration(t, time.Now(), nodes[1].SeenAt, time.Minute)
		require.False(t, nodes[1].Gone())
		require.NoError(t, o.Forget(ctx, "a/1"))
		nodes, err = o.Nodes(ctx)
		require.NoError(t, err)
		require.Len(t, nodes, 1)
	})
}

// However many ask for locks at the same time, and give up waiting, the role stays.
func TestLocksAreTakenBesideEachOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		role, err := o.Serve(t.Context(), "provhub serve")
		require.NoError(t, err)
		defer role.Release()
		end := time.Now().Add(3500 * time.Millisecond) // the session is confirmed every second
		var all sync.WaitGroup
		defer all.Wait()
		for i := range 6 {
			all.Go(func() {
				for time.Now().Before(end) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Millisecond)
					if lock, err := role.Lock(ctx, fmt.Sprint(i%3)); err == nil {
						lock.Release()
					}
					cancel()
					if _, err := role.Free(t.Context(), []string{"1"}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		select {
		case <-role.Lost():
			t.Errorf("the role is lost: %v", role.Why())
		case <-time.After(time.Until(end)):
		}
	})
}
