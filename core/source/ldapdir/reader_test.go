package ldapdir

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

func env(t testing.TB, name string) string {
	v := os.Getenv(name)
	if v == "" {
		t.Skip("needs " + name + ": run make test")
	}
	return v
}

// lab is a part of the real directory of the test's own.
type lab struct {
	testing.TB
	client *ldap.Client
	base   ldap.DN
	config Config
}

func newLab(t testing.TB) *lab {
	o := ldap.Options{URLs: []string{env(t, "PROVHUB_TEST_LDAPS_URL")}, CAFile: env(t, "PROVHUB_TEST_CA_FILE"),
		BindDN: env(t, "PROVHUB_TEST_LDAP_BIND_DN"), Password: connector.NewSecret(env(t, "PROVHUB_TEST_LDAP_PASSWORD"))}
	c, err := ldap.New(o)
	require.NoError(t, err)
	above, err := ldap.ParseDN(env(t, "PROVHUB_TEST_LDAP_PEOPLE_DN"))
	require.NoError(t, err)
	var b [4]byte
	_, _ = rand.Read(b[:])
	l := &lab{TB: t, client: c, base: above.Child(ldap.NewRDN("ou", "source-"+hex.EncodeToString(b[:])))}
	require.NoError(t, c.Add(t.Context(), l.base, []ldap.Attribute{{Name: "objectClass", Values: []string{"organizationalUnit"}}}))
	t.Cleanup(l.clean)
	l.config = Config{Client: o, Directory: "openldap", People: Kind{Base: l.base.String(), Attributes: source.Attributes{
		{Name: "login", From: "uid", Required: true}, {Name: "mail"}, {Name: "phones", From: "telephoneNumber", Type: "list"}, {Name: "no", From: "employeeNumber"},
	}}}
	return l
}

func (l *lab) clean() {
	ctx := context.Background()
	var dns []ldap.DN
	_, _ = l.client.List(ctx, ldap.Search{Base: l.base, Attributes: []string{"1.1"}}, func(e ldap.Entry) error { dns = append(dns, e.DN); return nil })
	for _, dn := range slices.Backward(dns) {
		_ = l.client.Delete(ctx, dn)
	}
	l.client.Close()
}

func (l *lab) open() *Reader {
	r, err := New(l.config)
	require.NoError(l, err)
	l.Cleanup(r.Close)
	return r
}

// person adds an entry: "mail=a@x.test telephoneNumber=1".
func (l *lab) person(uid, attributes string) ldap.DN {
	dn := l.base.Child(ldap.NewRDN("uid", uid))
	as := []ldap.Attribute{{Name: "objectClass", Values: []string{"inetOrgPerson"}}, {Name: "uid", Values: []string{uid}}, {Name: "cn", Values: []string{uid}}, {Name: "sn", Values: []string{uid}}}
	for _, pair := range strings.Fields(attributes) {
		k, v, _ := strings.Cut(pair, "=")
		as = append(as, ldap.Attribute{Name: k, Values: strings.Split(v, ",")})
	}
	require.NoError(l, l.client.Add(context.Background(), dn, as))
	return dn
}

func (l *lab) set(dn ldap.DN, name string, values ...string) {
	require.NoError(l, l.client.Modify(context.Background(), dn, []ldap.Mod{{Op: ldap.OpReplace, Name: name, Values: values}}))
}

// seen collects records by login: their attributes, or what is wrong.
type seen map[string]string

func (s seen) take(rec *source.Record) error {
	key := rec.Anchor
	switch {
	case rec.Fault != nil:
		s[key] = rec.Fault.Reason
	case rec.Deleted:
		s["deleted "+fmt.Sprint(len(rec.ID))] = rec.Anchor
	default:
		a := rec.Attributes()
		if rec.Kind == identity.Person {
			key = a.Text("login")
		}
		s[key] = fmt.Sprintf("%v", map[string]any(a))
		if rec.Members != nil {
			s[key] += fmt.Sprintf(" %d members", len(rec.Members()))
		}
	}
	return nil
}

func (l *lab) read(r *Reader) (seen, source.Report) {
	l.Helper()
	out := seen{}
	report, err := r.Read(context.Background(), out.take)
	require.NoError(l, err)
	return out, report
}

func (l *lab) changes(r *Reader, token []byte) (seen, []byte) {
	l.Helper()
	out := seen{}
	report, err := r.Changes(context.Background(), token, out.take)
	require.NoError(l, err)
	require.True(l, report.Delta)
	return out, report.Token
}

func TestPeopleAreReadWhole(t *testing.T) {
	for _, way := range []string{Syncrepl, Never} {
		t.Run(way, func(t *testing.T) {
			l := newLab(t)
			l.config.Incremental = way
			l.person("ann", "mail=ann@x.test telephoneNumber=2,1 employeeNumber=17")
			l.person("bo", "")
			r := l.open()
			got, report := l.read(r)
			require.Equal(t, seen{"ann": "map[login:ann mail:ann@x.test no:17 phones:[1 2]]", "bo": "map[login:bo]"}, got)
			require.True(t, report.Complete)
			require.Equal(t, 2, report.Rows)
			require.Equal(t, way == Syncrepl, report.Token != nil)
			_, again := l.read(r)
			require.Equal(t, report.Snapshot, again.Snapshot)
			l.person("cy", "")
			_, again = l.read(r)
			require.NotEqual(t, report.Snapshot, again.Snapshot)
		})
	}
}

// QUIRKS LDAP-31: changes, deletions and moves out of the base, and nothing twice.
func TestChangesFollowTheToken(t *testing.T) {
	l := newLab(t)
	ann, bo := l.person("ann", ""), l.person("bo", "")
	r := l.open()
	_, report := l.read(r)
	got, token := l.changes(r, report.Token)
	require.Empty(t, got)

	l.set(ann, "mail", "ann@x.test")
	require.NoError(t, l.client.Delete(t.Context(), bo))
	l.person("cy", "")
	got, token = l.changes(r, token)
	require.Len(t, got, 3)
	require.Equal(t, "map[login:ann mail:ann@x.test]", got["ann"])
	require.Equal(t, "map[login:cy]", got["cy"])
	require.Len(t, got["deleted 36"], 36, "where the anchor is the directory's own id, a deletion names it")
	got, _ = l.changes(r, token)
	require.Empty(t, got)

	// Another process goes on from the same token.
	l.set(ann, "mail", "ann2@x.test")
	got, _ = l.changes(l.open(), token)
	require.Equal(t, seen{"ann": "map[login:ann mail:ann2@x.test]"}, got)
}

// QUIRKS LDAP-30: seconds overlap, and deletions are not told.
func TestTimestampsOverlap(t *testing.T) {
	l := newLab(t)
	l.config.Incremental = Timestamp
	ann := l.person("ann", "")
	r := l.open()
	_, report := l.read(r)
	l.set(ann, "mail", "ann@x.test") // perhaps in the same second
	got, token := l.changes(r, report.Token)
	require.Equal(t, "map[login:ann mail:ann@x.test]", got["ann"])
	require.NoError(t, l.client.Delete(t.Context(), ann))
	got, _ = l.changes(r, token)
	require.NotContains(t, got, "deleted 36")
}

// QUIRKS LDAP-33: another database, or another way, means a whole reading.
func TestForeignTokenExpires(t *testing.T) {
	l := newLab(t)
	l.person("ann", "")
	r := l.open()
	_, report := l.read(r)
	other := newLab(t).open()
	_, err := other.Changes(t.Context(), report.Token, nil)
	require.ErrorIs(t, err, source.ErrTokenExpired)
	l.config.Incremental = Timestamp
	_, err = l.open().Changes(t.Context(), report.Token, nil)
	require.ErrorIs(t, err, source.ErrTokenExpired)
	_, err = r.Changes(t.Context(), []byte("nonsense"), nil)
	require.ErrorIs(t, err, source.ErrTokenExpired)
}

func TestConfiguredAnchor(t *testing.T) {
	l := newLab(t)
	l.config.People.Anchor = "employeeNumber"
	l.person("ann", "employeeNumber=17")
	l.person("svc", "")
	r := l.open()
	got, report := l.read(r)
	require.Equal(t, seen{"ann": "map[login:ann no:17]"}, got)
	require.False(t, report.Complete, "nobody knows whose the other one is")
	require.Nil(t, report.Token)
	require.Contains(t, report.Incomplete[0], "(employeeNumber=*)")
	require.Equal(t, 1, report.FaultCount)

	l.config.People.Filter = "(&(objectClass=inetOrgPerson)(employeeNumber=*))"
	r = l.open()
	_, report = l.read(r)
	require.True(t, report.Complete)
	require.NoError(t, r.ReadOne(t.Context(), identity.Person, "17", func(rec *source.Record) error {
		require.Equal(t, "17", rec.Anchor)
		require.Len(t, rec.ID, 36)
		return nil
	}))
	gone := false
	require.NoError(t, r.ReadOne(t.Context(), identity.Person, "18)(uid=*", func(rec *source.Record) error { gone = rec.Deleted; return nil }))
	require.True(t, gone)
}

func TestGroupsHaveMembers(t *testing.T) {
	l := newLab(t)
	ann := l.person("ann", "")
	l.config.Groups = &Kind{Base: l.base.String(), Anchor: "cn", Attributes: source.Attributes{{Name: "name", From: "cn"}}}
	group := l.base.Child(ldap.NewRDN("cn", "sales"))
	require.NoError(t, l.client.Add(t.Context(), group, []ldap.Attribute{{Name: "objectClass", Values: []string{"groupOfNames"}},
		{Name: "member", Values: []string{strings.ToUpper(ann.String())}}}))
	r := l.open()
	var name string
	got := seen{}
	report, err := r.Read(t.Context(), func(rec *source.Record) error {
		if rec.Kind == identity.Person {
			name = rec.Name
		} else {
			require.Equal(t, []string{name}, rec.Members(), "a member is named as the person is, whatever the spelling")
		}
		return got.take(rec)
	})
	require.NoError(t, err)
	require.Equal(t, "map[name:sales] 1 members", got["sales"])
	bo := l.person("bo", "")
	require.NoError(t, l.client.Modify(t.Context(), group, []ldap.Mod{{Op: ldap.OpAdd, Name: "member", Values: []string{bo.String()}}}))
	got, _ = l.changes(r, report.Token)
	require.Equal(t, "map[name:sales] 2 members", got["sales"])
}

func TestBadEntriesAreFaults(t *testing.T) {
	l := newLab(t)
	l.config.People.Attributes = source.Attributes{{Name: "login", From: "uid"}, {Name: "level", From: "employeeNumber", Type: "integer"}, {Name: "mail", Required: true}, {Name: "photo", From: "jpegPhoto"}}
	l.person("ann", "employeeNumber=12 mail=a@x.test")
	l.person("bo", "employeeNumber=twelve mail=b@x.test")
	l.person("cy", "employeeNumber=12")
	l.person("di", "mail=d@x.test jpegPhoto=\xff\xd8")
	got, report := l.read(l.open())
	require.Equal(t, "map[level:12 login:ann mail:a@x.test]", got["ann"])
	require.Equal(t, 3, report.FaultCount)
	require.True(t, report.Complete, "whose they are is known")
	var reasons []string
	for _, f := range report.Faults {
		require.Contains(t, f.Position, "uid=")
		require.NotContains(t, f.Reason, "twelve")
		reasons = append(reasons, f.Reason)
	}
	slices.Sort(reasons)
	require.Equal(t, []string{"employeeNumber: the value is no whole number", "it has no mail, which is required", "jpegPhoto: the value is not text"}, reasons)
}

// QUIRKS LDAP-46: a point in time is a day where people work.
func TestDates(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Tokyo")
	require.NoError(t, err)
	r := &Reader{zone: zone}
	for _, c := range []struct {
		rule, text string
		want       any
		err        string
	}{
		{"", "20260331200000Z", "2026-04-01", ""},
		{"", "2026-03-31", "2026-03-31", ""},
		{"", "2026-13-31", nil, "no date"},
		{"filetime", "9223372036854775807", nil, ""},
		{"filetime", "0", nil, ""},
		{"filetime", ldap.FormatFileTime(time.Date(2026, 3, 31, 20, 0, 0, 0, time.UTC)), "2026-04-01", ""},
		{"", "soon", nil, "generalizedTime"},
	} {
		got, err := r.value("date", ldap.AttributeRule{Type: c.rule}, []string{c.text})
		if c.err != "" {
			require.ErrorContains(t, err, c.err)
			continue
		}
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, got, c.text)
	}
}

// A change is told at once in persist mode.
func TestWatch(t *testing.T) {
	l := newLab(t)
	r := l.open()
	l.person("ann", "")
	_, report := l.read(r)
	ctx, cancel := context.WithCancel(t.Context())
	rung, ended := make(chan bool, 16), make(chan error, 1)
	go func() { ended <- r.Watch(ctx, report.Token, func() { rung <- true }) }()
	time.Sleep(100 * time.Millisecond)
	l.person("bo", "")
	select {
	case <-rung:
	case <-time.After(30 * time.Second):
		t.Fatal("nothing rings")
	}
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}

func TestFaultsOfTheConfigAreToldAtOnce(t *testing.T) {
	_, err := New(Config{Client: ldap.Options{URLs: []string{"http://x"}}, Incremental: "often", People: Kind{Base: "nonsense", Filter: "(uid=",
		Attributes: source.Attributes{{Name: "a"}, {Name: "a", Type: "colour"}}}})
	for _, want := range []string{`incremental is "often"`, `base "nonsense" is not the DN`, "people: filter: ", `"a" is there twice`, `attribute a: type "colour" is not known`} {
		require.ErrorContains(t, err, want)
	}
}

// A base that is not there, or an outage, concludes nothing.
func TestErrorsSayWhere(t *testing.T) {
	l := newLab(t)
	l.config.People.Base = "ou=nowhere," + l.config.People.Base
	_, err := l.open().Read(t.Context(), nil)
	require.ErrorContains(t, err, "ou=nowhere,")
	l.config.Client.URLs = []string{"ldaps://127.0.0.1:1"}
	_, err = l.open().Read(t.Context(), nil)
	require.True(t, connector.IsCode(err, connector.CodeUnavailable), "%v", err)
}
