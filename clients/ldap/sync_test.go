package ldap

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// QUIRKS LDAP-31, on a real server with syncprov.
func TestSyncTellsWhatChanged(t *testing.T) {
	c := open(t, options(t))
	base := unit(t, c)
	s := Search{Base: base, Filter: Equal("objectClass", "inetOrgPerson"), Attributes: []string{"uid", "mail"}}
	add := func(uid string) DN {
		dn := base.Child(NewRDN("uid", uid))
		require.NoError(t, c.Add(t.Context(), dn, person(uid)))
		return dn
	}
	follow := func(cookie []byte) (told []string, next []byte) {
		next, err := c.Sync(t.Context(), s, cookie, func(x Synced) error {
			told = append(told, fmt.Sprintf("%s %s deleted=%t id=%t", x.Entry.First("uid"), x.Entry.First("mail"), x.Deleted, len(x.ID) == 36))
			return nil
		})
		require.NoError(t, err)
		slices.Sort(told)
		return told, next
	}
	a, b := add("a"), add("b")
	told, cookie := follow(nil)
	require.Equal(t, []string{"a  deleted=false id=true", "b  deleted=false id=true"}, told)

	told, cookie = follow(cookie)
	require.Empty(t, told)

	require.NoError(t, c.Modify(t.Context(), a, []Mod{{Op: OpReplace, Name: "mail", Values: []string{"a@x.test"}}}))
	require.NoError(t, c.Delete(t.Context(), b))
	add("c")
	told, cookie = follow(cookie)
	require.Equal(t, []string{"  deleted=true id=true", "a a@x.test deleted=false id=true", "c  deleted=false id=true"}, told)
	told, _ = follow(cookie)
	require.Empty(t, told)
}

func TestSyncWatchRings(t *testing.T) {
	c := open(t, options(t))
	base := unit(t, c)
	s := Search{Base: base, Filter: Equal("objectClass", "inetOrgPerson"), Attributes: []string{"uid"}}
	cookie, err := c.Sync(t.Context(), s, nil, func(Synced) error { return nil })
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	rung, ended := make(chan struct{}, 16), make(chan error, 1)
	go func() { ended <- c.SyncWatch(ctx, s, cookie, func() { rung <- struct{}{} }) }()
	select {
	case <-rung:
		t.Fatal("it rings though nothing changed")
	case <-time.After(300 * time.Millisecond):
	}
	dn := base.Child(NewRDN("uid", "w"))
	require.NoError(t, c.Add(t.Context(), dn, person("w")))
	for _, what := range []string{"an add", "a deletion"} {
		select {
		case <-rung:
		case <-time.After(30 * time.Second):
			t.Fatalf("%s does not ring", what)
		}
		if what == "an add" {
			require.NoError(t, c.Delete(t.Context(), dn))
		}
	}
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}

func TestSyncOfAForeignCookieAsksForARefresh(t *testing.T) {
	c := open(t, options(t))
	base := unit(t, c)
	s := Search{Base: base, Filter: Equal("objectClass", "inetOrgPerson")}
	for what, cookie := range map[string]string{
		"too old":                 "rid=000,csn=20010101000000.000000Z#000000#000#000000",
		"newer than the server's": "rid=000,csn=29991231000000.000000Z#000000#000#000000", // QUIRKS LDAP-33: it was restored
	} {
		_, err := c.Sync(t.Context(), s, []byte(cookie), func(Synced) error { return nil })
		require.ErrorIs(t, err, ErrRefreshRequired, what)
	}
}
