package hub_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakeldap"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
)

// restartable is a simulated directory that starts again at the same address from a
// copy of its content, as from a backup.
type restartable struct {
	*directory
	server *fakeldap.Server
	addr   string
}

// people is the content of the simulated directory: the ids are those of the
// entries, as a backup keeps them.
func people(titles ...string) string {
	ldif := "dn: ou=staff,dc=example,dc=org\nobjectClass: organizationalUnit\nou: staff\nentryUUID: 597ae2f6-16a6-1027-98f4-d28b5365dc00\n"
	for i, title := range titles {
		if title == "" {
			continue
		}
		ldif += fmt.Sprintf("\ndn: uid=u%d,ou=staff,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: u%[1]d\ncn: u%[1]d\nsn: u%[1]d\nemployeeNumber: %d\ntitle: %s\nentryUUID: 597ae2f6-16a6-1027-98f4-d28b5365dc%02x\n",
			i, 1000+i, title, i+1)
	}
	return ldif
}

func newRestartable(t *testing.T, ldif string) *restartable {
	r := &restartable{directory: &directory{T: t}, addr: "127.0.0.1:0"}
	r.start(ldif)
	t.Cleanup(func() { _ = r.server.Close() })
	u, err := url.Parse(r.server.PlainURL())
	require.NoError(t, err)
	r.addr = u.Host
	t.Setenv("PROVHUB_TEST_LDAP_PASSWORD", r.server.AdminPassword())
	r.client, err = ldap.New(ldap.Options{URLs: []string{r.server.PlainURL()}, AllowPlaintext: []string{"127.0.0.1"}, BindDN: r.server.AdminDN(),
		Password: connector.NewSecret(r.server.AdminPassword())})
	require.NoError(t, err)
	t.Cleanup(r.client.Close)
	r.base, err = ldap.ParseDN("ou=staff,dc=example,dc=org")
	require.NoError(t, err)
	dir := t.TempDir()
	text := fmt.Sprintf(directoryConfig, filepath.Join(pluginsDir, "provhub-connector-memory"), r.server.PlainURL(), "", r.server.AdminDN(), r.base.String())
	text = strings.Replace(text, `tls_ca_file: ""`, "allow_plaintext: [127.0.0.1]", 1)
	path := filepath.Join(dir, "provhub.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	cfg, err := config.Load(path, config.Settings{})
	require.NoError(t, err)
	t.Chdir(dir)
	r.hub, err = hub.Open(t.Context(), cfg, hub.Options{Actor: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.hub.Close() })
	return r
}

func (r *restartable) start(ldif string) {
	var err error
	r.server, err = fakeldap.New(fakeldap.Options{Addr: r.addr, LDIF: ldif})
	require.NoError(r, err)
}

func (r *restartable) again(ldif string) {
	require.NoError(r, r.server.Close())
	r.start(ldif)
}

// A directory that was restored from an older copy does not know its own cookies:
// the source is read whole, and what it says now counts (QUIRKS LDAP-31).
func TestRestoredDirectoryIsReadWhole(t *testing.T) {
	backup := people("Clerk", "Clerk", "Clerk")
	d := newRestartable(t, backup)
	d.sync()
	for i := range 5 {
		d.retitle("u0", fmt.Sprintf("Chief %d", i))
	}
	what, r := d.sync()
	require.Equal(t, "update 1000", what)
	require.True(t, r.Plans[0].Report.Source.Delta)

	d.again(backup)
	what, r = d.sync()
	require.Equal(t, "update 1000", what, "as it was before")
	require.False(t, r.Plans[0].Report.Source.Delta)
	require.Contains(t, strings.Join(r.Plans[0].Report.Warnings, "\n"), "it was read whole")

	d.retitle("u1", "Chief")
	what, r = d.sync()
	require.Equal(t, "update 1001", what)
	require.True(t, r.Plans[0].Report.Source.Delta, "there is a token again")
}

// A directory that is started again while it is followed: the watch is begun again,
// and what changed before that is found.
func TestDirectoryIsFollowedThroughARestart(t *testing.T) {
	d := newRestartable(t, people("Clerk", "Clerk", "Clerk"))
	ctx, cancel := context.WithCancel(t.Context())
	var told done
	ended := make(chan error, 1)
	go func() {
		ended <- d.hub.Follow(ctx, hub.PlanOptions{}, hub.DrainOptions{Wait: 10 * time.Second}, time.Hour, told.take)
	}()
	require.Eventually(t, func() bool { return len(told.all()) == 3 }, 30*time.Second, 20*time.Millisecond)
	time.Sleep(300 * time.Millisecond) // until the watch stands
	d.again(people("Clerk", "Clerk", "Clerk"))
	d.retitle("u0", "Chief")
	d.add("u3", "1003")
	want := []string{"create 1000", "create 1001", "create 1002", "update 1000", "create 1003"}
	require.Eventually(t, func() bool { return len(told.all()) >= len(want) }, 30*time.Second, 20*time.Millisecond)
	require.ElementsMatch(t, want, told.all())
	time.Sleep(300 * time.Millisecond)
	d.retitle("u2", "Chief")
	want = append(want, "update 1002")
	require.Eventually(t, func() bool { return len(told.all()) >= len(want) }, 30*time.Second, 20*time.Millisecond)
	require.ElementsMatch(t, want, told.all())
	cancel()
	require.NoError(t, <-ended)
}
