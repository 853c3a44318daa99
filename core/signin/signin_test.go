package signin

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

const password = "correct horse battery"

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// lab is a desk with the user alice, and a clock that tests move.
type lab struct {
	*Desk
	t   *testing.T
	org *store.Org
	now time.Time
}

func newLab(t *testing.T) *lab {
	l := &lab{t: t, org: storetest.New(t), now: noon}
	l.Desk = New(l.org, Options{Now: func() time.Time { return l.now }})
	require.NoError(t, l.org.AddUser(t.Context(), store.User{Name: "alice", Role: "helpdesk", Password: HashPassword(password)}, "root", noon))
	return l
}

// in lets alice in, for whom a provider vouches, and returns the token.
func (l *lab) in(former string) string {
	l.t.Helper()
	token, err := l.Admit(l.t.Context(), Who{Actor: "alice", Role: Helpdesk}, former)
	require.NoError(l.t, err)
	return token
}

// who returns who holds token, "" when nobody does.
func (l *lab) who(token string) string {
	l.t.Helper()
	w, err := l.Who(l.t.Context(), token, false)
	if err != nil {
		require.ErrorIs(l.t, err, ErrNoSession)
	}
	return w.Actor
}

func TestAPasswordIsKeptAsAHashThatOnlyItFits(t *testing.T) {
	phc := HashPassword(password)
	require.Regexp(t, `^\$argon2id\$v=19\$m=65536,t=3,p=4\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`, phc)
	require.NotEqual(t, phc, HashPassword(password), "a salt of its own")
	for given, want := range map[string]bool{password: true, "Correct horse battery": false, password + " ": false, "": false} {
		right, err := verify(phc, given)
		require.NoError(t, err)
		assert.Equal(t, want, right, given)
	}
	right, err := verify(HashPassword("cafe\u0301 au lait, please"), "caf\u00e9 au lait, please")
	require.NoError(t, err)
	assert.True(t, right, "however the keyboard writes é")
}

// The example of the reference implementation's README (P-H-C/phc-winner-argon2):
// other parameters than ours go on to work.
func TestAHashOfOtherParametersIsVerified(t *testing.T) {
	right, err := verify("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password")
	require.NoError(t, err)
	assert.True(t, right)
}

func TestAStoredHashThatIsNoneIsAnError(t *testing.T) {
	for _, phc := range []string{
		"", "secret", "$2b$12$abc", "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$", "$argon2i$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=99999999,t=3,p=4$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=65536,t=0,p=4$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=16$m=65536,t=3,p=4$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=65536,t=3,p=4$%%%$AAAAAAAAAAAAAAAAAAAAAA",
	} {
		right, err := verify(phc, "secret")
		assert.Error(t, err, phc)
		assert.False(t, right, phc)
	}
}

func TestWhatIsWrongWithANewPassword(t *testing.T) {
	for given, want := range map[string]string{
		password: "", "elevenchars": "at least 12", strings.Repeat("x", 1025): "longer than 1024",
		"I am ALICE and nobody else": "the user's name", "\xff\xfe valid it is not": "UTF-8", "äöüäöüäöüäöü": "",
	} {
		err := CheckPassword("alice", given)
		if want == "" {
			assert.NoError(t, err, given)
		} else {
			assert.ErrorContains(t, err, want)
		}
	}
}

func TestASessionBelongsToWhoHoldsTheToken(t *testing.T) {
	l := newLab(t)
	token := l.in("")
	require.Len(t, token, 43, "256 bits")
	require.Equal(t, "alice", l.who(token))
	for _, wrong := range []string{"", "x", digest(token), token + "A", strings.ToLower(token)} {
		require.Empty(t, l.who(wrong), "%q", wrong)
	}
	again := l.in(token)
	require.NotEqual(t, token, again, "rotated at sign-in")
	require.Empty(t, l.who(token), "the one before is over")
	require.NoError(t, l.End(t.Context(), again))
	require.Empty(t, l.who(again))
}

func TestASessionEndsWhenNobodyUsesItAndAfterADayInAnyCase(t *testing.T) {
	l := newLab(t)
	idle := l.in("")
	l.now = noon.Add(DefaultIdle)
	require.Empty(t, l.who(idle))

	l.now = noon
	used := l.in("")
	for l.now = noon; l.now.Sub(noon) < DefaultAbsolute; l.now = l.now.Add(DefaultIdle - time.Second) {
		require.Equal(t, "alice", l.who(used), l.now)
	}
	l.now = noon.Add(DefaultAbsolute)
	require.Empty(t, l.who(used), "however busy")
}

func TestAPageThatIsLeftOpenKeepsNoSessionAlive(t *testing.T) {
	l := newLab(t)
	token := l.in("")
	for range 10 {
		l.now = l.now.Add(DefaultIdle / 10)
		_, err := l.Who(t.Context(), token, true)
		require.Equal(t, l.now.Sub(noon) >= DefaultIdle, err != nil, l.now)
	}
	require.Empty(t, l.who(token))
}

func TestWhoIsRefusedIsNotToldWhy(t *testing.T) {
	l := newLab(t)
	require.NoError(t, l.org.AddUser(t.Context(), store.User{Name: "bob", Role: "admin", Password: HashPassword(password)}, "root", noon))
	require.NoError(t, l.org.ChangeUser(t.Context(), "bob", "root", noon, func(u *store.User) { u.Disabled = true }))
	for _, c := range []struct{ name, password string }{
		{"alice", "wrong horse battery"}, {"nobody", password}, {"bob", password}, {"", ""}, {"alice", strings.Repeat("x", 1<<20)},
	} {
		_, err := l.Password(t.Context(), c.name, c.password, "192.0.2.1", "")
		require.Equal(t, ErrRefused, err, c.name)
	}
	_, err := l.Password(t.Context(), " Alice ", password, "192.0.2.1", "")
	require.NoError(t, err, "names are not case-sensitive")
}

func TestASignInTakesThePlaceOfTheOneBefore(t *testing.T) {
	l := newLab(t)
	first, err := l.Password(t.Context(), "alice", password, "192.0.2.1", "")
	require.NoError(t, err)
	require.Equal(t, "alice", l.who(first))
	second, err := l.Password(t.Context(), "alice", password, "192.0.2.1", first)
	require.NoError(t, err)
	require.Empty(t, l.who(first))
	require.Equal(t, "alice", l.who(second))
}

func TestManyTriesHaveToWait(t *testing.T) {
	l := newLab(t)
	try := func(name, pass, address string) time.Duration {
		_, err := l.Password(t.Context(), name, pass, address, "")
		var w *WaitError
		if assert.Error(t, err); assert.ErrorAs(t, err, &w) {
			return w.Wait
		}
		return 0
	}
	for range freeTriesAccount {
		_, err := l.Password(t.Context(), "alice", "wrong horse battery", "192.0.2.1", "")
		require.Equal(t, ErrRefused, err)
	}
	require.Equal(t, firstWait, try("alice", password, "198.51.100.7"), "the right password, from elsewhere, waits too")
	l.now = l.now.Add(firstWait)
	for range freeTriesAccount + 1 { // and then gets in, and all is forgotten
		_, err := l.Password(t.Context(), "alice", password, "192.0.2.1", "")
		require.NoError(t, err)
	}
}

func TestHowLongTriesWait(t *testing.T) {
	for failures, want := range map[int]time.Duration{
		0: 0, 4: 0, 5: 2 * time.Second, 6: 4 * time.Second, 10: 64 * time.Second, 13: 5 * time.Minute, 1 << 30: 5 * time.Minute,
	} {
		assert.Equal(t, want, waitAfter(store.Tries{Failures: failures, LastAt: noon}, freeTriesAccount, noon), failures)
	}
	many := store.Tries{Failures: 100, LastAt: noon}
	assert.Equal(t, time.Minute, waitAfter(many, 5, noon.Add(4*time.Minute)))
	assert.Zero(t, waitAfter(many, 5, noon.Add(5*time.Minute)))
}

func TestOneCustomerIsOneAddress(t *testing.T) {
	for a, b := range map[string]string{"2001:db8::1": "2001:db8::ffff:1", "::ffff:192.0.2.1": "192.0.2.1"} {
		assert.Equal(t, network(a), network(b))
	}
	assert.NotEqual(t, network("2001:db8::1"), network("2001:db8:0:1::1"))
	assert.NotEqual(t, network("192.0.2.1"), network("192.0.2.2"))
}

func TestWhoSeesAndWhoActs(t *testing.T) {
	for _, right := range []Right{See, People, Mend, MendMany, Steer, Decide} {
		stronger := false
		for _, r := range []Role{Viewer, Helpdesk, Operator, Admin} {
			assert.True(t, !stronger || r.May(right), "%s may not %s, and a weaker role may", r, right)
			stronger = stronger || r.May(right)
		}
	}
	for _, right := range []Right{Mend, MendMany, Steer, Decide} {
		assert.False(t, Auditor.May(right), right)
		assert.False(t, Viewer.May(right), right)
	}
	assert.False(t, Role("root").May(See))
	assert.False(t, Role("").Known())
}
