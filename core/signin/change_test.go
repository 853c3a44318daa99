package signin

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store"
)

const newPassword = "a staple of batteries"

func TestAPasswordIsChangedByWhoKnowsTheCurrentOne(t *testing.T) {
	l := newLab(t)
	signIn := func() string {
		token, err := l.Password(t.Context(), "alice", password, "192.0.2.1", "")
		require.NoError(t, err)
		return token
	}
	here, elsewhere := signIn(), signIn()
	_, err := l.ChangePassword(t.Context(), "alice", "wrong horse battery", newPassword, "192.0.2.1", here)
	require.ErrorIs(t, err, ErrRefused)
	require.Equal(t, "alice", l.who(elsewhere), "nothing has happened")

	token, err := l.ChangePassword(t.Context(), "alice", password, newPassword, "192.0.2.1", here)
	require.NoError(t, err)
	require.Equal(t, "alice", l.who(token))
	require.Empty(t, l.who(here), "the browser has another session")
	require.Empty(t, l.who(elsewhere))
	_, err = l.Password(t.Context(), "alice", password, "192.0.2.1", "")
	require.ErrorIs(t, err, ErrRefused)
	_, err = l.Password(t.Context(), "alice", newPassword, "192.0.2.1", "")
	require.NoError(t, err)
	entries, err := l.org.AuditNewest(t.Context(), store.AuditFilter{Action: "user.password"}, 0)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, "alice", entries[0].Actor)
}

// Who finds a browser open cannot guess faster than somebody at the sign-in.
func TestTriesToChangeAPasswordAreThoseOfASignIn(t *testing.T) {
	l := newLab(t)
	for range freeTriesAccount {
		_, err := l.ChangePassword(t.Context(), "alice", "wrong horse battery", newPassword, "192.0.2.1", "")
		require.ErrorIs(t, err, ErrRefused)
	}
	var wait *WaitError
	_, err := l.ChangePassword(t.Context(), "alice", password, newPassword, "192.0.2.1", "")
	require.ErrorAs(t, err, &wait)
	_, err = l.Password(t.Context(), "alice", password, "192.0.2.1", "")
	require.ErrorAs(t, err, &wait)
	l.now = l.now.Add(firstWait)
	_, err = l.ChangePassword(t.Context(), "alice", password, newPassword, "192.0.2.1", "")
	require.NoError(t, err)
	_, err = l.Password(t.Context(), "alice", newPassword, "192.0.2.1", "")
	require.NoError(t, err)
}

func TestWhoIsDisabledOrUnknownChangesNoPassword(t *testing.T) {
	l := newLab(t)
	require.NoError(t, l.org.ChangeUser(t.Context(), "alice", "root", noon, func(u *store.User) { u.Disabled = true }))
	for _, name := range []string{"alice", "oidc:alice"} {
		_, err := l.ChangePassword(t.Context(), name, password, newPassword, "192.0.2.1", "")
		require.ErrorIs(t, err, ErrRefused, name)
	}
}
