package hub_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
)

// directory is a part of a real directory, and a hub that reads it.
type directory struct {
	*testing.T
	client *ldap.Client
	base   ldap.DN
	hub    *hub.Hub
}

const directoryConfig = `
state: {url: "sqlite:state.db"}
log: {level: error}
plugins: {dev: {memory: %[1]q}, data: data}
secrets: [{name: ldap, env: PROVHUB_TEST_LDAP_PASSWORD}]
sources:
  - name: directory
    type: ldap
    secrets: {password: ldap}
    ldap:
      urls: [%[2]q]
      tls_ca_file: %[3]q
      bind_dn: %[4]q
      directory: openldap
      people: {base: %[5]q, anchor: employeeNumber, attributes: [{name: login, from: uid, required: true}, {name: title}]}
      groups: {base: %[5]q, nested: true, attributes: [{name: name, from: cn}]}
connectors:
  - name: chat
    plugin: memory
    config: {journal: chat.journal}
    attributes:
      - {to: userName, from: person.login}
      - {to: title, from: person.title}
    grants: [{from: person.groups}]
    groups: {attributes: [{to: displayName, from: group.name}], match: {by: [displayName], then: adopt}}
    guards: {disable: {max: 1000}}
`

func newDirectory(t *testing.T) *directory {
	return newDirectoryAt(t, func(config string) string { return config })
}

// newDirectoryAt lets edit the config's text.
func newDirectoryAt(t *testing.T, edit func(string) string) *directory {
	env := func(name string) string {
		v := os.Getenv(name)
		if v == "" {
			t.Skip("needs " + name + ": run make test")
		}
		return v
	}
	c, err := ldap.New(ldap.Options{URLs: []string{env("PROVHUB_TEST_LDAPS_URL")}, CAFile: env("PROVHUB_TEST_CA_FILE"),
		BindDN: env("PROVHUB_TEST_LDAP_BIND_DN"), Password: connector.NewSecret(env("PROVHUB_TEST_LDAP_PASSWORD"))})
	require.NoError(t, err)
	above, err := ldap.ParseDN(env("PROVHUB_TEST_LDAP_PEOPLE_DN"))
	require.NoError(t, err)
	var b [4]byte
	_, _ = rand.Read(b[:])
	d := &directory{T: t, client: c, base: above.Child(ldap.NewRDN("ou", "hub-"+hex.EncodeToString(b[:])))}
	require.NoError(t, c.Add(t.Context(), d.base, []ldap.Attribute{{Name: "objectClass", Values: []string{"organizationalUnit"}}}))
	t.Cleanup(d.clean)
	dir := t.TempDir()
	path := filepath.Join(dir, "provhub.yaml")
	text := fmt.Sprintf(directoryConfig, filepath.Join(pluginsDir, "provhub-connector-memory"), env("PROVHUB_TEST_LDAPS_URL"), env("PROVHUB_TEST_CA_FILE"),
		env("PROVHUB_TEST_LDAP_BIND_DN"), d.base.String())
	require.NoError(t, os.WriteFile(path, []byte(edit(text)), 0o600))
	cfg, err := config.Load(path, config.Settings{})
	require.NoError(t, err)
	t.Chdir(dir)
	d.hub, err = hub.Open(t.Context(), cfg, hub.Options{Actor: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.hub.Close() })
	return d
}

func (d *directory) clean() {
	ctx := context.Background()
	var dns []ldap.DN
	_, _ = d.client.List(ctx, ldap.Search{Base: d.base, Attributes: []string{"1.1"}}, func(e ldap.Entry) error { dns = append(dns, e.DN); return nil })
	for _, dn := range slices.Backward(dns) {
		_ = d.client.Delete(ctx, dn)
	}
	d.client.Close()
}

func (d *directory) dn(uid string) ldap.DN { return d.base.Child(ldap.NewRDN("uid", uid)) }

func (d *directory) add(uid, number string) {
	require.NoError(d, d.client.Add(context.Background(), d.dn(uid), []ldap.Attribute{{Name: "objectClass", Values: []string{"inetOrgPerson"}},
		{Name: "uid", Values: []string{uid}}, {Name: "cn", Values: []string{uid}}, {Name: "sn", Values: []string{uid}}, {Name: "employeeNumber", Values: []string{number}}}))
}

func (d *directory) group(name string, members ...ldap.DN) ldap.DN {
	dn := d.base.Child(ldap.NewRDN("cn", name))
	var texts []string
	for _, m := range members {
		texts = append(texts, m.String())
	}
	require.NoError(d, d.client.Add(context.Background(), dn, []ldap.Attribute{{Name: "objectClass", Values: []string{"groupOfNames"}}, {Name: "member", Values: texts}}))
	return dn
}

func (d *directory) retitle(uid, title string) {
	require.NoError(d, d.client.Modify(context.Background(), d.dn(uid), []ldap.Mod{{Op: ldap.OpReplace, Name: "title", Values: []string{title}}}))
}

// sync syncs and says what was planned, in short.
func (d *directory) sync() (string, hub.SyncResult) {
	r, err := d.hub.Sync(context.Background(), hub.PlanOptions{}, hub.DrainOptions{Wait: 10 * time.Second})
	require.NoError(d, err)
	return planned(r), r
}

func planned(r hub.SyncResult) string {
	var out []string
	for _, p := range r.Plans {
		for _, o := range p.Plan.Operations {
			out = append(out, fmt.Sprintf("%s %s", o.Kind, o.Anchor))
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// A directory as source: cut off, changed meanwhile, followed again: nothing is
// missed and nothing done twice (QUIRKS LDAP-31).
func TestDirectoryAsSource(t *testing.T) {
	d := newDirectory(t)
	for i := range 30 {
		d.add(fmt.Sprintf("u%d", i), fmt.Sprint(1000+i))
	}
	_, r := d.sync()
	require.Len(t, r.Plans[0].Plan.Operations, 30)
	require.False(t, r.Plans[0].Report.Source.Delta)

	what, r := d.sync()
	require.Empty(t, what)
	require.True(t, r.Plans[0].Report.Source.Delta)
	require.Zero(t, r.Plans[0].Report.Source.Rows)

	d.retitle("u3", "Chief")
	require.NoError(t, d.client.Delete(t.Context(), d.dn("u7")))
	d.add("new", "2000")
	require.NoError(t, d.client.Move(t.Context(), d.dn("u9"), ldap.NewRDN("uid", "renamed"), nil))
	what, r = d.sync()
	require.Equal(t, "create 2000, disable 1007, update 1003, update 1009", what, "a deletion is told by an id that is not the anchor")
	require.True(t, r.Plans[0].Report.Source.Delta)
	what, _ = d.sync()
	require.Empty(t, what)

	// One person read again, besides the schedule.
	d.retitle("u4", "Clerk")
	r, err := d.hub.Push(t.Context(), hub.PushRequest{Anchor: "1004"}, hub.DrainOptions{Wait: 10 * time.Second})
	require.NoError(t, err)
	require.Equal(t, "update 1004", planned(r))
	what, _ = d.sync()
	require.Empty(t, what, "what the push did is not done again")
}

// A change is planned within two seconds in persist mode, and what happens while
// the connection is cut is not missed.
func TestDirectoryIsFollowed(t *testing.T) {
	d := newDirectory(t)
	d.add("ann", "1")
	ctx, cancel := context.WithCancel(t.Context())
	results, ended := make(chan string, 64), make(chan error, 1)
	go func() {
		ended <- d.hub.Follow(ctx, hub.PlanOptions{}, hub.DrainOptions{Wait: 10 * time.Second}, time.Hour, func(r hub.SyncResult, err error) {
			if err != nil && ctx.Err() == nil {
				t.Error(err)
			}
			if what := planned(r); what != "" {
				results <- what
			}
		})
	}()
	next := func(want string, within time.Duration) time.Duration {
		t.Helper()
		began := time.Now()
		select {
		case got := <-results:
			require.Equal(t, want, got)
		case <-time.After(within):
			t.Fatalf("%q is not planned within %v", want, within)
		}
		return time.Since(began)
	}
	next("create 1", 30*time.Second)
	time.Sleep(300 * time.Millisecond) // until the watch stands
	d.retitle("ann", "Chief")
	took := next("update 1", 30*time.Second)
	t.Logf("from the change to the account at the target: %v", took)
	require.NoError(t, d.client.Delete(t.Context(), d.dn("ann")))
	took = next("disable 1", 30*time.Second)
	t.Logf("from the deletion to the account disabled: %v", took)
	cancel()
	require.NoError(t, <-ended)
}

// Groups of the directory become groups of the target, and their members get them.
func TestGroupsOfADirectory(t *testing.T) {
	d := newDirectory(t)
	d.add("ann", "1")
	d.add("bo", "2")
	sales := d.group("sales", d.dn("ann"))
	d.group("everybody", sales, d.dn("bo"))
	grants := func() string {
		_, r := d.sync()
		var out []string
		for _, p := range r.Plans {
			for _, o := range p.Plan.Operations {
				text := string(o.Kind) + " " + string(o.AccountKey.Kind)
				if o.AccountKey.Kind == "person" {
					text += " " + o.Anchor
				}
				for _, g := range o.Grants {
					text += map[bool]string{true: " -", false: " +"}[g.Remove] + g.Entitlement
				}
				out = append(out, text)
			}
		}
		slices.Sort(out)
		return strings.Join(out, "; ")
	}
	require.Equal(t, "create group; create group; create person 1 +everybody +sales; create person 2 +everybody", grants())
	require.Empty(t, grants())

	require.NoError(t, d.client.Modify(t.Context(), sales, []ldap.Mod{{Op: ldap.OpAdd, Name: "member", Values: []string{d.dn("bo").String()}},
		{Op: ldap.OpDelete, Name: "member", Values: []string{d.dn("ann").String()}}}))
	require.Equal(t, "update person 1 -everybody -sales; update person 2 +sales", grants())

	// What the server itself changes in the group it does not tell.
	require.NoError(t, d.client.Move(t.Context(), d.dn("bo"), ldap.NewRDN("uid", "bob"), nil))
	require.Equal(t, "update person 2", grants(), "QUIRKS LDAP-4: who is renamed stays in their groups")
	require.NoError(t, d.client.Move(t.Context(), sales, ldap.NewRDN("cn", "sellers"), nil))
	require.Equal(t, "update group; update person 2 -sales +sellers", grants(), "and so does a group that is renamed")
	sales = d.base.Child(ldap.NewRDN("cn", "sellers"))
	require.Empty(t, grants(), "the grant that waited for the group's new name is done")
	require.NoError(t, d.client.Delete(t.Context(), sales))
	require.Equal(t, "update person 2 -sellers", grants(), "the group that is gone is kept in the target")
	require.Empty(t, grants())
}
