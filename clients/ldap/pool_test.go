package ldap

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakeldap"
)

// fake starts a directory and returns the options to reach it.
func fake(t *testing.T, o fakeldap.Options) (*fakeldap.Server, Options) {
	s, err := fakeldap.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	ca, err := s.CAFile(t.TempDir())
	require.NoError(t, err)
	return s, Options{URLs: []string{s.URL()}, CAFile: ca, BindDN: s.AdminDN(), Password: connector.NewSecret(s.AdminPassword())}
}

func inject(t *testing.T, s *fakeldap.Server, f fakeldap.Fault) (clear func()) {
	clear, err := s.Inject(f)
	require.NoError(t, err)
	t.Cleanup(clear)
	return clear
}

func people(t *testing.T, s *fakeldap.Server) DN { return mustDN(t, s.In(fakeldap.People)) }

// QUIRKS LDAP-51, Q-11: a refused bind is tried once, however many callers there
// are, and again when a person asks.
func TestARefusedBindIsNotTriedAgain(t *testing.T) {
	s, o := fake(t, fakeldap.Options{Flavor: fakeldap.ActiveDirectory})
	o.Password = connector.NewSecret("wrong-Qx7vM2")
	c := open(t, o)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			_, err := c.WhoAmI(context.Background())
			e := connector.AsError(err)
			if e == nil || e.Code != connector.CodeAuthentication || e.Scope != connector.ScopeInstance || !strings.Contains(e.NativeCode, "data 52e") {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	_, err := c.List(context.Background(), Search{Base: people(t, s)}, nil)
	require.True(t, connector.IsCode(err, connector.CodeAuthentication))
	require.Equal(t, 1, s.Stats().Binds)
	c.Forgive()
	_, err = c.WhoAmI(context.Background())
	require.True(t, connector.IsCode(err, connector.CodeAuthentication))
	require.Equal(t, 2, s.Stats().Binds)
}

// QUIRKS LDAP-11, LDAP-13: what may have taken effect is unknown, and what has
// not left is not.
func TestOutcomesOfBrokenConnections(t *testing.T) {
	for _, tt := range []struct {
		name    string
		fault   fakeldap.Fault
		outcome connector.Outcome
		code    connector.Code
		made    bool
	}{
		{"the answer is lost", fakeldap.Fault{Kind: fakeldap.DropAfterWrite}, connector.OutcomeUnknown, connector.CodeUnavailable, true},
		{"nobody answers", fakeldap.Fault{Kind: fakeldap.Hang}, connector.OutcomeUnknown, connector.CodeTimeout, false},
		{"it takes effect late", fakeldap.Fault{Kind: fakeldap.LateSuccess, Delay: 600 * time.Millisecond}, connector.OutcomeUnknown, connector.CodeTimeout, true},
		{"the server says goodbye", fakeldap.Fault{Kind: fakeldap.Disconnect}, connector.OutcomeUnknown, connector.CodeUnavailable, false},
		{"busy", fakeldap.Fault{Kind: fakeldap.Busy}, connector.OutcomeFailed, connector.CodeBusy, false},
		{"unavailable", fakeldap.Fault{Kind: fakeldap.Unavailable}, connector.OutcomeFailed, connector.CodeUnavailable, false},
		{"a read-only copy", fakeldap.Fault{Kind: fakeldap.ReadOnly, URL: "ldap://writes.example.org/dc=x"}, connector.OutcomeFailed, connector.CodeConfiguration, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, o := fake(t, fakeldap.Options{})
			o.Timeout = 300 * time.Millisecond
			c := open(t, o)
			dn := people(t, s).Child(NewRDN("uid", "jane"))
			_, err := c.WhoAmI(context.Background())
			require.NoError(t, err)
			tt.fault.Times = 1
			tt.fault.Ops = []fakeldap.Op{fakeldap.OpAdd}
			clear := inject(t, s, tt.fault)
			r := connector.ResultOf("1", connector.Ref{}, c.Add(context.Background(), dn, person("jane")))
			require.Equal(t, tt.outcome, r.Outcome, "%v", r.Err)
			require.Equal(t, tt.code, r.Err.Code, "%v", r.Err)
			clear()
			require.Eventually(t, func() bool { _, ok := s.Entry(dn.String()); return ok == tt.made }, 30*time.Second, 10*time.Millisecond)
			_, err = c.Find(context.Background(), Search{Base: people(t, s)})
			require.NoError(t, err, "work goes on, on another connection")
		})
	}
}

// QUIRKS LDAP-16: connections that died while nobody used them cost nothing.
func TestDeadConnectionsAreReplacedBeforeAnythingIsSent(t *testing.T) {
	s, o := fake(t, fakeldap.Options{})
	c := open(t, o)
	_, err := c.WhoAmI(context.Background())
	require.NoError(t, err)
	s.CutAll()
	require.Eventually(t, func() bool { return s.Stats().Open == 0 }, 30*time.Second, time.Millisecond)
	require.Eventually(t, func() bool { // the client's reader has seen it too
		c.pool.mu.Lock()
		defer c.pool.mu.Unlock()
		return !slices.ContainsFunc(c.pool.conns, func(x *conn) bool { return !x.ldap.IsClosing() })
	}, 30*time.Second, time.Millisecond)
	require.NoError(t, c.Add(context.Background(), people(t, s).Child(NewRDN("uid", "jane")), person("jane")))
}

// QUIRKS LDAP-16: the next server takes over, all connections lead to one server,
// and the first is used again when it is back.
func TestFailOver(t *testing.T) {
	s, o := fake(t, fakeldap.Options{})
	ctx := context.Background()
	gate := newGate(t, s.URL())
	o.URLs, o.SwitchBack = []string{"ldaps://" + gate.address, s.URL()}, 100*time.Millisecond
	c := open(t, o)
	_, err := c.WhoAmI(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, gate.count(), "the first server is the best")
	gate.shut()
	require.Eventually(t, func() bool { _, err := c.WhoAmI(ctx); return err == nil }, 30*time.Second, 10*time.Millisecond)
	require.Equal(t, strings.TrimPrefix(s.URL(), "ldaps://"), c.pool.server().Address())
	gate.reopen()
	require.Eventually(t, func() bool {
		_, err := c.WhoAmI(ctx)
		return err == nil && c.pool.server().Address() == gate.address
	}, 30*time.Second, 20*time.Millisecond, "the first server is used again")
}

// gate is an address in front of a server that can be closed and opened.
type gate struct {
	t       *testing.T
	address string
	to      string

	mu       sync.Mutex
	listener net.Listener
	conns    []net.Conn
	opened   int
}

func newGate(t *testing.T, url string) *gate {
	g := &gate{t: t, to: strings.TrimPrefix(url, "ldaps://"), address: "127.0.0.1:0"}
	g.reopen()
	t.Cleanup(g.shut)
	return g
}

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.opened
}

func (g *gate) reopen() {
	l, err := net.Listen("tcp", g.address)
	require.NoError(g.t, err)
	g.mu.Lock()
	g.listener, g.address = l, l.Addr().String()
	g.mu.Unlock()
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", g.to)
			if err != nil {
				_ = in.Close()
				continue
			}
			g.mu.Lock()
			g.opened++
			g.conns = append(g.conns, in, out)
			g.mu.Unlock()
			go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
			go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
		}
	}()
}

// shut refuses connections and cuts those there are.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	_ = g.listener.Close()
	for _, c := range g.conns {
		_ = c.Close()
	}
}

// QUIRKS LDAP-19: a bind by the client's certificate.
func TestBindByCertificate(t *testing.T) {
	s, o := fake(t, fakeldap.Options{})
	certificate, key, err := s.ClientCert(s.AdminDN())
	require.NoError(t, err)
	o.CertFile = filepath.Join(t.TempDir(), "client.pem")
	require.NoError(t, os.WriteFile(o.CertFile, certificate, 0o600))
	o.External, o.BindDN, o.Password, o.ClientKey = true, "", connector.Secret{}, connector.NewSecret(string(key))
	who, err := open(t, o).WhoAmI(context.Background())
	require.NoError(t, err)
	require.Contains(t, strings.ToLower(who), strings.ToLower(s.AdminDN()))
}

// QUIRKS LDAP-14: requests do not wait for one another, on one connection even.
func TestRequestsShareAConnection(t *testing.T) {
	s, o := fake(t, fakeldap.Options{})
	o.Connections = 1
	c := open(t, o)
	_, err := c.WhoAmI(context.Background())
	require.NoError(t, err)
	inject(t, s, fakeldap.Fault{Kind: fakeldap.Slow, Delay: 200 * time.Millisecond})
	began := time.Now()
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if _, err := c.Read(context.Background(), people(t, s), "ou"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Less(t, time.Since(began), 32*200*time.Millisecond, "one after the other")
	require.Equal(t, 1, s.Stats().Connections)
}

// QUIRKS LDAP-6: a listing that was cut says so, and why.
func TestListingsThatAreCut(t *testing.T) {
	for kind, says := range map[fakeldap.FaultKind]string{
		fakeldap.SizeLimit: "size limit", fakeldap.TimeLimit: "time limit", fakeldap.AdminLimit: "administrative limit", fakeldap.References: "other.example.org",
	} {
		s, o := fake(t, fakeldap.Options{})
		c := open(t, o)
		for _, uid := range []string{"a", "b", "c", "d", "e"} {
			require.NoError(t, c.Add(context.Background(), people(t, s).Child(NewRDN("uid", uid)), person(uid)))
		}
		inject(t, s, fakeldap.Fault{Kind: kind, Count: 3, URL: "ldap://other.example.org/dc=x"})
		n := 0
		end, err := c.List(context.Background(), Search{Base: people(t, s), Filter: Present("uid"), PageSize: 2}, func(Entry) error { n++; return nil })
		require.NoError(t, err, kind)
		require.False(t, end.Complete, kind)
		require.Contains(t, end.Reason, says)
		require.GreaterOrEqual(t, n, 3, "what came is handed on")
	}
	for kind, code := range map[fakeldap.FaultKind]connector.Code{fakeldap.Truncated: connector.CodeUnavailable, fakeldap.CookieRefused: connector.CodePolicy} {
		s, o := fake(t, fakeldap.Options{})
		c := open(t, o)
		for _, uid := range []string{"a", "b", "c", "d", "e"} {
			require.NoError(t, c.Add(context.Background(), people(t, s).Child(NewRDN("uid", uid)), person(uid)))
		}
		inject(t, s, fakeldap.Fault{Kind: kind, Count: 3})
		_, err := c.List(context.Background(), Search{Base: people(t, s), Filter: Present("uid"), PageSize: 2}, func(Entry) error { return nil })
		require.True(t, connector.IsCode(err, code), "%s: %v", kind, err)
	}
}

// QUIRKS LDAP-7
func TestManyValuesAreReadInRanges(t *testing.T) {
	s, o := fake(t, fakeldap.Options{Flavor: fakeldap.ActiveDirectory, MaxValRange: 7})
	c := open(t, o)
	ctx := context.Background()
	group := mustDN(t, s.In(fakeldap.Groups)).Child(NewRDN("cn", "all"))
	require.NoError(t, c.Add(ctx, group, []Attribute{{Name: "objectClass", Values: []string{"group"}}, {Name: "sAMAccountName", Values: []string{"all"}}}))
	var members []string
	for i := range 50 {
		name := "m" + strings.Repeat("x", i)
		dn := people(t, s).Child(NewRDN("cn", name))
		require.NoError(t, c.Add(ctx, dn, []Attribute{{Name: "objectClass", Values: []string{"user"}}, {Name: "sAMAccountName", Values: []string{"m" + string(rune('A'+i/26)) + string(rune('A'+i%26))}}}))
		members = append(members, dn.String())
	}
	require.NoError(t, c.Modify(ctx, group, []Mod{{OpAdd, "member", members}}))
	e, err := c.Read(ctx, group, "member")
	require.NoError(t, err)
	require.Len(t, e.Get("member"), 50)
	var listed []string
	_, err = c.List(ctx, Search{Base: group, Filter: Equal("objectClass", "group"), Attributes: []string{"member"}}, func(e Entry) error { listed = e.Get("member"); return nil })
	require.NoError(t, err)
	require.Len(t, listed, 50)
}

// QUIRKS LDAP-12: a server that accepts and never speaks holds nobody up.
func TestNothingWaitsForEver(t *testing.T) {
	s, o := fake(t, fakeldap.Options{})
	o.Timeout, o.ConnectTimeout = 200*time.Millisecond, 200*time.Millisecond
	inject(t, s, fakeldap.Fault{Kind: fakeldap.Slow, Delay: 10 * time.Second})
	c := open(t, o)
	began := time.Now()
	_, err := c.WhoAmI(context.Background())
	require.True(t, connector.IsCode(err, connector.CodeTimeout) || connector.IsCode(err, connector.CodeUnavailable), "%v", err)
	require.Less(t, time.Since(began), 10*time.Second)
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
