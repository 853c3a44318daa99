package ldap

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// server is a part of the real directory that belongs to the test alone.
type server struct {
	t     testing.TB
	c     *ldap.Client // the service account's
	base  ldap.DN      // the test's own OU
	words *strings.Replacer
}

func env(t testing.TB, name string) string {
	v := os.Getenv(name)
	if v == "" {
		t.Skip("needs " + name + ": run make test")
	}
	return v
}

func token() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func dn(t testing.TB, text string) ldap.DN {
	d, err := ldap.ParseDN(text)
	require.NoError(t, err)
	return d
}

func options(t testing.TB, user string) ldap.Options {
	return ldap.Options{URLs: []string{env(t, "PROVHUB_TEST_LDAPS_URL")}, CAFile: env(t, "PROVHUB_TEST_CA_FILE"), BindDN: user,
		Password: connector.NewSecret(env(t, "PROVHUB_TEST_LDAP_PASSWORD"))}
}

func client(t testing.TB, o ldap.Options) *ldap.Client {
	c, err := ldap.New(o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// newServer makes an OU with people, groups, disabled and other below it.
func newServer(t testing.TB) *server {
	s := &server{t: t, c: client(t, options(t, env(t, "PROVHUB_TEST_LDAP_BIND_DN")))}
	s.base = dn(t, env(t, "PROVHUB_TEST_LDAP_PEOPLE_DN")).Child(ldap.NewRDN("ou", "conn-"+token()))
	for _, name := range []string{"", "people", "groups", "disabled", "other"} {
		at := s.base
		if name != "" {
			at = s.ou(name)
		}
		s.add(at, "objectClass", "organizationalUnit")
	}
	t.Cleanup(s.remove)
	s.words = strings.NewReplacer("{url}", env(t, "PROVHUB_TEST_LDAPS_URL"), "{ca}", env(t, "PROVHUB_TEST_CA_FILE"), "{bind}", env(t, "PROVHUB_TEST_LDAP_BIND_DN"),
		"{base}", s.base.String())
	return s
}

func (s *server) ou(name string) ldap.DN { return s.base.Child(ldap.NewRDN("ou", name)) }

func (s *server) remove() {
	var dns []ldap.DN
	_, _ = s.c.List(context.Background(), ldap.Search{Base: s.base, Attributes: []string{"1.1"}}, func(e ldap.Entry) error { dns = append(dns, e.DN); return nil })
	for len(dns) > 0 { // leaves first
		left := len(dns)
		var mu sync.Mutex
		var rest []ldap.DN
		g := errgroup.Group{}
		g.SetLimit(64)
		for _, d := range dns {
			g.Go(func() error {
				if s.c.Delete(context.Background(), d) != nil {
					mu.Lock()
					defer mu.Unlock()
					rest = append(rest, d)
				}
				return nil
			})
		}
		_ = g.Wait()
		if dns = rest; len(dns) == left {
			s.t.Errorf("%d entries cannot be removed", left)
			return
		}
	}
}

// add makes an entry past the connector.
func (s *server) add(at ldap.DN, pairs ...string) {
	s.t.Helper()
	var as []ldap.Attribute
	for i := 0; i < len(pairs); i += 2 {
		as = append(as, ldap.Attribute{Name: pairs[i], Values: []string{pairs[i+1]}})
	}
	require.NoError(s.t, s.c.Add(context.Background(), at, as))
}

// person makes an account past the connector.
func (s *server) person(at ldap.DN, pairs ...string) {
	s.t.Helper()
	s.add(at, append([]string{"objectClass", "inetOrgPerson", "cn", "x", "sn", "x"}, pairs...)...)
}

// read reads an entry past the connector, operational attributes too.
func (s *server) read(at ldap.DN) ldap.Entry {
	s.t.Helper()
	e, err := s.c.Read(context.Background(), at, "*", "+")
	require.NoError(s.t, err)
	return e
}

func (s *server) gone(at ldap.DN) bool {
	_, err := s.c.Read(context.Background(), at, "1.1")
	return connector.IsCode(err, connector.CodeNotFound)
}

func (s *server) modify(at ldap.DN, op ldap.Op, name string, values ...string) {
	s.t.Helper()
	require.NoError(s.t, s.c.Modify(context.Background(), at, []ldap.Mod{{Op: op, Name: name, Values: values}}))
}

// usual is the config that most tests use; more are further keys of it.
const usual = `{
	"urls": ["{url}"], "tls_ca_file": "{ca}", "bind_dn": "{bind}", "directory": "openldap-overlays",
	"users": {"base": "ou=people,{base}", "anchor": "employeeNumber", "attributes": [
		{"name": "userName", "attribute": "uid"}, {"name": "displayName"}, {"name": "commonName", "attribute": "cn"}, {"name": "surname", "attribute": "sn"},
		{"name": "mail", "multi": true}, {"name": "employeeNumber"}, {"name": "photo", "attribute": "jpegPhoto"}, {"name": "manager", "type": "reference"}]},
	"groups": [{"type": "group", "kind": "group", "base": "ou=groups,{base}", "attributes": [{"name": "name", "attribute": "cn"}, {"name": "description"}]}]
}`

func (s *server) config(text string, changes ...string) json.RawMessage {
	for i := 0; i < len(changes); i += 2 {
		require.Contains(s.t, text, changes[i])
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	return json.RawMessage(s.words.Replace(text))
}

func secrets(t testing.TB) map[string]connector.Secret {
	return map[string]connector.Secret{secretPassword: connector.NewSecret(env(t, "PROVHUB_TEST_LDAP_PASSWORD"))}
}

func (s *server) target(config json.RawMessage) *Target {
	s.t.Helper()
	target, err := Definition.Open(context.Background(), config, connector.Instance{Secrets: secrets(s.t)})
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = target.(*Target).Close(context.Background()) })
	return target.(*Target)
}

func attrs(pairs ...any) connector.Attributes {
	var out connector.Attributes
	for i := 0; i < len(pairs); i += 2 {
		vs, ok := pairs[i+1].(connector.Values)
		if !ok {
			vs = connector.Values{pairs[i+1]}
		}
		out = append(out, connector.Attribute{Name: pairs[i].(string), Values: vs})
	}
	return out
}

// create is a create of an account with its anchor.
func create(login, anchor string, more ...any) connector.Create {
	return connector.Create{Call: connector.Call{ID: login, Key: login}, Type: "user", Enabled: connector.IsEnabled,
		Attributes: attrs(append([]any{"userName", login, "commonName", login, "surname", login, "employeeNumber", anchor}, more...)...),
		Correlate:  connector.Correlation{Attribute: "employeeNumber", Value: anchor}}
}

func mustCreate(t testing.TB, target *Target, c connector.Create) connector.Ref {
	t.Helper()
	ref, err := target.Create(context.Background(), c)
	require.NoError(t, err)
	require.NotEmpty(t, ref.ID)
	return connector.Ref{Type: c.Type, ID: ref.ID}
}

func group(name string) connector.Create {
	return connector.Create{Type: "group", Attributes: attrs("name", name), Correlate: connector.Correlation{Attribute: "name", Value: name}}
}

func replace(name string, values ...any) connector.Change {
	return connector.Change{Name: name, Replace: connector.Values(values)}
}

// outcome is what the hub would take an answer for.
func outcome(err error) connector.Outcome {
	return connector.ResultOf("", connector.Ref{}, err).Outcome
}

func get(t testing.TB, target *Target, ref connector.Ref) connector.Object {
	t.Helper()
	o, err := target.Get(context.Background(), ref, nil)
	require.NoError(t, err)
	return o
}
