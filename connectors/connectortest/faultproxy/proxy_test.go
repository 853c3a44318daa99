package faultproxy

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a server that counts the lines it gets and sends each one back.
type echo struct {
	lines atomic.Int32
	addr  string
}

func newEcho(t *testing.T) *echo {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	e := &echo{addr: l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for r := bufio.NewScanner(c); r.Scan(); {
					e.lines.Add(1)
					fmt.Fprintln(c, r.Text())
				}
			}()
		}
	}()
	return e
}

// through returns a proxy before target and its address.
func through(t *testing.T, target string) (*Proxy, string) {
	p := New()
	t.Cleanup(p.Close)
	address, err := p.Front(target)
	require.NoError(t, err)
	return p, address
}

type client struct {
	net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, address string) *client {
	c, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return &client{c, bufio.NewReader(c)}
}

// ask sends a line and returns the answer.
func (c *client) ask(line string) (string, error) {
	if _, err := fmt.Fprintln(c, line); err != nil {
		return "", err
	}
	_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
	s, err := c.r.ReadString('\n')
	return strings.TrimSpace(s), err
}

// breaks returns how a connection breaks before anything has come through it:
// when it is made, or at the first read.
func breaks(address string) error {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Read(make([]byte, 1))
	return err
}

func TestWithoutAFaultEverythingPasses(t *testing.T) {
	e := newEcho(t)
	p, address := through(t, e.addr)
	p.Watch("s3cret")
	c := dial(t, address)
	for _, line := range []string{"one", "a s3cret", strings.Repeat("x", 100_000)[:60_000]} {
		got, err := c.ask(line)
		require.NoError(t, err)
		assert.Equal(t, line, got)
	}
	s := p.Stats()
	assert.Equal(t, 1, s.Connections)
	assert.EqualValues(t, 4+9+60_001, s.Up)
	assert.Equal(t, s.Up, s.Down)
	assert.Equal(t, 1, s.Sighted)
	assert.False(t, s.TLS || s.SSH || s.HTTP)
}

func TestRefusedConnectionsAreTakenAgainOnceHealed(t *testing.T) {
	p, address := through(t, newEcho(t).addr)
	c := dial(t, address)
	_, err := c.ask("before")
	require.NoError(t, err)
	require.NoError(t, p.Arm(Fault{Kind: Refuse}))
	_, err = c.ask("during")
	require.Error(t, err, "what was open is broken")
	_, err = net.Dial("tcp", address)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.NoError(t, p.Heal())
	_, err = dial(t, address).ask("after")
	require.NoError(t, err)
}

func TestResetStrikesAsOftenAsTold(t *testing.T) {
	e := newEcho(t)
	p, address := through(t, e.addr)
	require.NoError(t, p.Arm(Fault{Kind: Reset, Times: 1}))
	require.Error(t, breaks(address))
	_, err := dial(t, address).ask("two")
	require.NoError(t, err)
	assert.EqualValues(t, 1, e.lines.Load(), "the first never arrived")
	assert.Equal(t, 1, p.Stats().Struck)
}

func TestDelayIsAtLeastAsLongAsTold(t *testing.T) {
	p, address := through(t, newEcho(t).addr)
	require.NoError(t, p.Arm(Fault{Kind: Delay, Wait: 50 * time.Millisecond}))
	c, began := dial(t, address), time.Now()
	_, err := c.ask("x")
	require.NoError(t, err)
	assert.GreaterOrEqual(t, time.Since(began), 50*time.Millisecond)
}

func TestWhatHangsNeverArrives(t *testing.T) {
	e := newEcho(t)
	p, address := through(t, e.addr)
	require.NoError(t, p.Arm(Fault{Kind: Hang}))
	c := dial(t, address)
	_, err := fmt.Fprintln(c, "x")
	require.NoError(t, err)
	_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	_, err = c.Read(make([]byte, 1))
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	assert.True(t, timeout.Timeout(), "it waits: %v", err)
	require.NoError(t, p.Heal())
	_, err = c.ask("y")
	require.Error(t, err, "a connection with a hole in it is of no use")
	assert.Zero(t, e.lines.Load())
}

func TestTheNthReplyIsLostAndWhatWasAskedIsDone(t *testing.T) {
	for nth := 1; nth <= 3; nth++ {
		e := newEcho(t)
		p, address := through(t, e.addr)
		require.NoError(t, p.Arm(Fault{Kind: LoseReply, Nth: nth}))
		c := dial(t, address)
		for i := 1; i < nth; i++ {
			_, err := c.ask("answered")
			require.NoError(t, err)
		}
		_, err := c.ask("lost")
		require.ErrorIs(t, err, syscall.ECONNRESET)
		assert.EqualValues(t, nth, e.lines.Load())
		assert.Equal(t, 1, p.Stats().Struck)
		_, err = dial(t, address).ask("again")
		require.NoError(t, err, "only one is lost")
	}
}

func TestAReplyIsCutAtAByte(t *testing.T) {
	p, address := through(t, newEcho(t).addr)
	require.NoError(t, p.Arm(Fault{Kind: CutReply, After: 5}))
	c := dial(t, address)
	_, err := fmt.Fprintln(c, "0123456789")
	require.NoError(t, err)
	got, err := io.ReadAll(c)
	require.NoError(t, err, "the end looks like one")
	assert.Equal(t, "01234", string(got))
}

func TestHTTPIsAnsweredWithAStatus(t *testing.T) {
	served := 0
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ }))
	defer s.Close()
	p, address := through(t, s.Listener.Addr().String())
	hc := &http.Client{Transport: &http.Transport{}}
	defer hc.CloseIdleConnections()
	post := func() *http.Response {
		r, err := hc.Post("http://"+address, "text/plain", strings.NewReader(strings.Repeat("x", 100_000)))
		require.NoError(t, err)
		require.NoError(t, r.Body.Close())
		return r
	}
	post()
	require.NoError(t, p.Arm(Fault{Kind: Status, Status: 429, RetryAfter: 7 * time.Second}))
	r := post() // on the connection that is open
	assert.Equal(t, 429, r.StatusCode)
	assert.Equal(t, "7", r.Header.Get("Retry-After"))
	require.NoError(t, p.Heal())
	post()
	assert.Equal(t, 2, served)
	assert.True(t, p.Stats().HTTP)
}

func TestABadCertificateIsSeenThrough(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	p, address := through(t, s.Listener.Addr().String())
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	get := func(c *tls.Config) error {
		hc := &http.Client{Transport: &http.Transport{TLSClientConfig: c}}
		defer hc.CloseIdleConnections()
		r, err := hc.Get("https://" + address)
		if err == nil {
			err = r.Body.Close()
		}
		return err
	}
	require.NoError(t, get(&tls.Config{RootCAs: roots}), "TLS passes through untouched")
	assert.True(t, p.Stats().TLS)

	require.NoError(t, p.Arm(Fault{Kind: BadCertificate}))
	var verify *tls.CertificateVerificationError
	require.ErrorAs(t, get(&tls.Config{RootCAs: roots}), &verify)
	p.Close() // so that all handshakes are over
	assert.Zero(t, p.Stats().Trusted)
}

func TestWhoeverTrustsEverythingIsFoundOut(t *testing.T) {
	e := newEcho(t)
	p, address := through(t, e.addr)
	require.NoError(t, p.Arm(Fault{Kind: BadCertificate}))

	// As with STARTTLS: the handshake comes after a word in clear.
	c := dial(t, address)
	_, err := c.ask("STARTTLS")
	require.NoError(t, err)
	secure := tls.Client(c.Conn, &tls.Config{InsecureSkipVerify: true}) // the mistake that is to be found
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	_, err = secure.Write([]byte("password"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return p.Stats().Trusted == 1 }, 30*time.Second, time.Millisecond)

	config := &ssh.ClientConfig{User: "x", Auth: []ssh.AuthMethod{ssh.Password("p")}, HostKeyCallback: ssh.InsecureIgnoreHostKey()}
	_, err = ssh.Dial("tcp", address, config)
	require.Error(t, err)
	require.Eventually(t, func() bool { return p.Stats().Trusted == 2 }, 30*time.Second, time.Millisecond)
	config.HostKeyCallback = func(string, net.Addr, ssh.PublicKey) error { return errors.New("not the key I know") }
	_, err = ssh.Dial("tcp", address, config)
	require.ErrorContains(t, err, "not the key I know")
	p.Close()
	assert.Equal(t, 2, p.Stats().Trusted)
}

func TestATargetThatIsAwayLooksLikeThat(t *testing.T) {
	p, address := through(t, "127.0.0.1:1")
	require.Error(t, breaks(address))
	assert.Equal(t, 1, p.Stats().Connections)
}
