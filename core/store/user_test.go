package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// withAlice makes the user alice, an operator.
func withAlice(t *testing.T, o *store.Org) {
	t.Helper()
	require.NoError(t, o.AddUser(t.Context(), store.User{Name: "alice", Role: "operator", Password: "phc-1"}, "root", now))
}

// session is alice's in a browser called id.
func session(id string) store.Session {
	return store.Session{ID: id, User: "alice", Actor: "alice", Role: "operator", CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
}

func TestUsers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		withAlice(t, o)
		require.ErrorIs(t, o.AddUser(t.Context(), store.User{Name: "alice", Role: "admin", Password: "x"}, "root", now), store.ErrExists)
		require.ErrorIs(t, o.ChangeUser(t.Context(), "bob", "root", now, func(*store.User) {}), store.ErrNotFound)

		later := now.Add(time.Minute)
		require.NoError(t, o.ChangeUser(t.Context(), "alice", "root", later, func(u *store.User) { u.Password = "phc-2" }))
		require.NoError(t, o.ChangeUser(t.Context(), "alice", "root", later, func(u *store.User) { u.Role, u.Disabled = "viewer", true }))
		require.Equal(t, []store.User{{Name: "alice", Role: "viewer", Password: "phc-2", Disabled: true, CreatedAt: now, ChangedAt: later}}, must(o.Users(t.Context())))
		require.Equal(t, []string{"root user.add alice", "root user.password alice", "root user.role alice", "root user.disable alice"}, actions(t, o))
		for _, e := range must(o.Audit(t.Context(), store.AuditFilter{})) {
			require.NotContains(t, string(e.Detail), "phc", "a password's hash does not belong into the trail")
		}
	})
}

func TestWhatChangesAUserSignsThemOutEverywhere(t *testing.T) {
	changes := map[string]func(*store.User){
		"password": func(u *store.User) { u.Password = "phc-2" },
		"role":     func(u *store.User) { u.Role = "viewer" },
		"disabled": func(u *store.User) { u.Disabled = true },
	}
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		withAlice(t, o)
		for name, change := range changes {
			u := must(o.User(t.Context(), "alice"))
			s := session("browser-" + name)
			s.Role = u.Role
			require.NoError(t, o.BeginSession(t.Context(), s, u.Password, ""))
			require.NoError(t, o.ChangeUser(t.Context(), "alice", "root", now, change))
			_, err := o.Session(t.Context(), s.ID, now)
			require.ErrorIs(t, err, store.ErrNotFound, name)
			s.ID += " again"
			require.ErrorIs(t, o.BeginSession(t.Context(), s, u.Password, ""), store.ErrState, "%s: what was checked is not so any more", name)
			require.NoError(t, o.ChangeUser(t.Context(), "alice", "root", now, func(had *store.User) { *had = u }))
		}
	})
}

func TestASessionEnds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		withAlice(t, o)
		begin := func(id, former string) { require.NoError(t, o.BeginSession(t.Context(), session(id), "phc-1", former)) }
		there := func(id string, at time.Time) bool {
			_, err := o.Session(t.Context(), id, at)
			if err != nil {
				require.ErrorIs(t, err, store.ErrNotFound)
			}
			return err == nil
		}
		begin("a", "")
		require.True(t, there("a", now.Add(time.Hour-time.Microsecond)))
		require.False(t, there("a", now.Add(time.Hour)), "its time is over")

		begin("b", "a")
		require.False(t, there("a", now), "signing in again takes the place of the session before")
		require.NoError(t, o.EndSession(t.Context(), "b", now))
		require.NoError(t, o.EndSession(t.Context(), "b", now), "twice is no error")
		require.False(t, there("b", now))

		begin("c", "")
		begin("d", "")
		require.Equal(t, 2, must(o.EndSessions(t.Context(), "alice", "root", now)))
		require.False(t, there("c", now) || there("d", now))
		require.Contains(t, actions(t, o), "root session.revoke alice")
	})
}

func TestASessionRemembersWhenItWasUsed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		withAlice(t, o)
		require.NoError(t, o.BeginSession(t.Context(), session("a"), "phc-1", ""))
		require.NoError(t, o.TouchSession(t.Context(), "a", now.Add(time.Minute)))
		want := session("a")
		want.SeenAt = now.Add(time.Minute)
		require.Equal(t, want, must(o.Session(t.Context(), "a", now)))
		require.Equal(t, now, must(o.User(t.Context(), "alice")).SignedInAt)
	})
}

func TestTriesAreCountedBeforeTheyAreJudged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, o *store.Org) {
		afterTwo := func(_ string, had store.Tries) time.Duration {
			if had.Failures < 2 {
				return 0
			}
			return time.Minute - now.Sub(had.LastAt)
		}
		try := func(account, address string) time.Duration {
			return must(o.CountTry(t.Context(), account, address, now, afterTwo))
		}
		require.Zero(t, try("alice", "192.0.2.1"))
		require.Zero(t, try("alice", "192.0.2.1"))
		require.Equal(t, time.Minute, try("alice", "192.0.2.3"), "the account has to wait")
		require.Equal(t, time.Minute, try("bob", "192.0.2.1"), "the address has to wait")
		require.Zero(t, try("bob", "192.0.2.3"), "what was refused was not counted")

		require.NoError(t, o.TrySucceeded(t.Context(), "alice", "192.0.2.1"))
		require.Zero(t, try("alice", "192.0.2.4"), "forgotten")
		require.Zero(t, try("carol", "192.0.2.1"), "one is taken back")
		require.Equal(t, time.Minute, try("dave", "192.0.2.1"), "and only one")
	})
}
