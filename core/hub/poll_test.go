package hub_test

import (
	"context"
	"fmt"
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

// followed is a hub that follows its sources.
type followed struct {
	*testing.T
	plans chan string
	syncs chan struct{}
}

// follow has h follow its sources until the test is over.
func follow(t *testing.T, h *hub.Hub) *followed {
	ctx, cancel := context.WithCancel(context.Background())
	f := &followed{t, make(chan string, 64), make(chan struct{}, 1000)}
	ended := make(chan error, 1)
	go func() {
		ended <- h.Follow(ctx, hub.PlanOptions{}, hub.DrainOptions{Wait: 10 * time.Second}, time.Hour, func(r hub.SyncResult, err error) {
			if err != nil && ctx.Err() == nil {
				t.Error(err)
			}
			f.syncs <- struct{}{}
			if what := planned(r); what != "" {
				f.plans <- what
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return f
}

func (f *followed) next(want string) {
	f.Helper()
	select {
	case got := <-f.plans:
		require.Equal(f, want, got)
	case <-time.After(30 * time.Second):
		f.Fatalf("%q is not planned", want)
	}
}

// quiet fails when the hub syncs though nothing changed.
func (f *followed) quiet() {
	f.Helper()
	for range len(f.syncs) {
		<-f.syncs
	}
	select {
	case <-f.syncs:
		f.Fatal("the hub syncs though nothing changed")
	case <-time.After(time.Second):
	}
}

// polled has the source of a config be asked often, in the given way.
func polled(way string) func(string) string {
	return func(config string) string {
		config = strings.Replace(config, "      directory: ", "      incremental: "+way+"\n      directory: ", 1)
		return strings.Replace(config, "    type: ldap\n", "    type: ldap\n    poll: 100ms\n", 1)
	}
}

// A directory that tells changes by timestamps alone is asked for them.
func TestTimestampsAreFollowed(t *testing.T) {
	d := newDirectoryAt(t, polled("timestamp"))
	d.add("ann", "1")
	f := follow(t, d.hub)
	f.next("create 1")
	d.retitle("ann", "Chief")
	f.next("update 1")
	d.add("bo", "2")
	f.next("create 2")
	time.Sleep(500 * time.Millisecond) // what stands in the overlap is told, and has been planned
	f.quiet()
}

// The same at a domain controller, by either of its ways; who is deleted there is told.
func TestADomainIsFollowed(t *testing.T) {
	for _, way := range []string{"usn", "dirsync"} {
		t.Run(way, func(t *testing.T) {
			d := newDomain(t, polled(way))
			d.person("ann", "1")
			f := follow(t, d.hub)
			f.next("create 1")
			d.person("bo", "2")
			f.next("create 2")
			require.NoError(t, d.client.Modify(t.Context(), d.dn("ann"), []ldap.Mod{{Op: ldap.OpReplace, Name: "title", Values: []string{"Chief"}}}))
			f.next("update 1")
			require.NoError(t, d.client.Delete(t.Context(), d.dn("bo")))
			f.next("disable 2")
			f.quiet()
			require.NoError(t, d.client.Add(t.Context(), d.dn("pc"), []ldap.Attribute{{Name: "objectClass", Values: []string{"contact"}}}))
			require.NoError(t, d.client.Delete(t.Context(), d.dn("pc")))
			f.quiet() // what is no part of the source
		})
	}
}

// domain is a simulated domain, and a hub that reads its people.
type domain struct {
	*testing.T
	server *fakeldap.Server
	client *ldap.Client
	hub    *hub.Hub
}

const domainConfig = `
state: {url: "sqlite:state.db"}
log: {level: error}
plugins: {dev: {memory: %[1]q}, data: data}
secrets: [{name: ldap, env: PROVHUB_FAKE_DOMAIN_PASSWORD}]
sources:
  - name: domain
    type: ldap
    secrets: {password: ldap}
    ldap:
      urls: [%[2]q]
      tls_ca_file: %[3]q
      bind_dn: %[4]q
      directory: ad
      people: {base: %[5]q, anchor: employeeID, filter: "(&(objectClass=user)(employeeID=*))", attributes: [{name: login, from: sAMAccountName}, {name: title}]}
connectors:
  - name: chat
    plugin: memory
    config: {journal: chat.journal}
    attributes: [{to: userName, from: person.login}, {to: title, from: person.title}]
    guards: {disable: {max: 1000}}
`

func newDomain(t *testing.T, edit func(string) string) *domain {
	s, err := fakeldap.New(fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	dir := t.TempDir()
	ca, err := s.CAFile(dir)
	require.NoError(t, err)
	t.Setenv("PROVHUB_FAKE_DOMAIN_PASSWORD", s.AdminPassword())
	c, err := ldap.New(ldap.Options{URLs: []string{s.URL()}, CAFile: ca, BindDN: s.AdminDN(), Password: connector.NewSecret(s.AdminPassword())})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	path := filepath.Join(dir, "provhub.yaml")
	text := fmt.Sprintf(domainConfig, filepath.Join(pluginsDir, "provhub-connector-memory"), s.URL(), ca, s.AdminDN(), s.In(fakeldap.People))
	require.NoError(t, os.WriteFile(path, []byte(edit(text)), 0o600))
	cfg, err := config.Load(path, config.Settings{})
	require.NoError(t, err)
	t.Chdir(dir)
	h, err := hub.Open(t.Context(), cfg, hub.Options{Actor: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	return &domain{t, s, c, h}
}

func (d *domain) dn(name string) ldap.DN {
	base, err := ldap.ParseDN(d.server.In(fakeldap.People))
	require.NoError(d, err)
	return base.Child(ldap.NewRDN("CN", name))
}

func (d *domain) person(name, id string) {
	require.NoError(d, d.client.Add(context.Background(), d.dn(name), []ldap.Attribute{{Name: "objectClass", Values: []string{"user"}}, {Name: "sAMAccountName", Values: []string{name}},
		{Name: "userAccountControl", Values: []string{"514"}}, {Name: "employeeID", Values: []string{id}}}))
}
