package connectortest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/clients/rest"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/memory"
)

// The memory connector behind a network: each call of its target is a request to
// a gate, which carries it out in this process. It shows what the proxy's faults
// do to a sound connector, and to one with a defect in how it deals with them.

// gateTokens are accepted by the gate.
var gateTokens = []string{"gate-token-Qx7", "gate-fresh-Qx7"}

// gate is the server's side.
type gate struct {
	*httptest.Server
	mu    sync.Mutex
	next  int
	calls map[string]func()
}

func newGate(t *testing.T, secure bool) *gate {
	g := &gate{calls: map[string]func(){}}
	g.Server = httptest.NewUnstartedServer(http.HandlerFunc(g.serve))
	g.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	if secure {
		g.StartTLS()
	} else {
		g.Start()
	}
	t.Cleanup(g.Close)
	return g
}

// serve carries out the call that the path names.
func (g *gate) serve(w http.ResponseWriter, r *http.Request) {
	if !slices.Contains(gateTokens, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	g.mu.Lock()
	call := g.calls[strings.TrimPrefix(r.URL.Path, "/")]
	g.mu.Unlock()
	if call != nil {
		call()
	}
	_, _ = io.WriteString(w, `{"said": "`+strings.Repeat("yes ", 200)+`"}`)
}

// register names a call.
func (g *gate) register(call func()) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next++
	name := fmt.Sprint(g.next)
	g.calls[name] = call
	return name
}

// gated is the config of the connector.
type gated struct {
	Address string `json:"address" endpoint:"true" doc:"Where the gate is"`
	CAFile  string `json:"ca_file,omitempty" doc:"Whom to trust"`
}

// caller is the connector's side. Its hooks are what defects replace.
type caller struct {
	*partial
	gate  *gate
	hooks *hooks
	dial  func(token connector.Secret) (*rest.Client, error)

	mu     sync.Mutex
	api    *rest.Client
	before *rest.Client // that of the token before; nil: there was none
}

// RotateSecrets implements [connector.Rotator].
func (c *caller) RotateSecrets(_ context.Context, secrets map[string]connector.Secret) error {
	fresh, err := c.dial(secrets["token"])
	c.mu.Lock()
	defer c.mu.Unlock()
	c.before, c.api = c.api, fresh
	return err
}

// client returns what requests are made with.
func (c *caller) client(method string) *rest.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hooks.clings && c.before != nil && method == http.MethodGet {
		return c.before
	}
	return c.api
}

type hooks struct {
	// transport changes how connections are made.
	transport func(*http.Transport, *gated)
	// mend replaces the error of a request.
	mend func(ctx context.Context, method string, send func() error) error
	// whole: a listing that broke off is taken for the whole.
	whole bool
	// clings: reads go on with the token from before a rotation.
	clings bool
}

// call has the gate carry out f.
func (c *caller) call(ctx context.Context, method string, f func()) error {
	path := c.gate.register(f)
	var answer struct{ Said string }
	send := func() error {
		return c.client(method).Send(ctx, rest.Call{Method: method, Path: "/" + path, Into: &answer})
	}
	if c.hooks.mend != nil {
		return c.hooks.mend(ctx, method, send)
	}
	return send()
}

func (c *caller) CheckSteps(ctx context.Context) ([]connector.CheckStep, string) {
	if err := c.call(ctx, http.MethodGet, func() {}); err != nil {
		return []connector.CheckStep{{Name: "connect", Status: connector.CheckFail, Err: connector.AsError(err)}}, ""
	}
	return c.partial.Target.CheckSteps(ctx)
}

// behind makes the connector whose targets are behind g.
func behind(g *gate, h *hooks) *connector.Definition {
	store, _ := json.Marshal(memory.Config{Store: g.URL}) // of plain values
	return connector.Define(connector.Spec[gated]{
		Type: "gated", DisplayName: "Gated", Version: "1.0.0", MaxInFlight: 8, Idempotency: connector.IdempotencyNatural,
		Secrets: []connector.SecretSpec{{Name: "token", Description: "opens the gate", Required: true}},
		Open: func(ctx context.Context, config gated, in connector.Instance) (connector.Target, error) {
			shared, err := memory.Definition.Open(ctx, store, in)
			if err != nil {
				return nil, err
			}
			tr := &http.Transport{}
			if config.CAFile != "" {
				b, err := os.ReadFile(config.CAFile)
				if err != nil {
					return nil, err
				}
				roots := x509.NewCertPool()
				roots.AppendCertsFromPEM(b)
				tr.TLSClientConfig = &tls.Config{RootCAs: roots}
			}
			if h.transport != nil {
				h.transport(tr, &config)
			}
			c := &caller{partial: &partial{Target: shared.(*memory.Target)}, gate: g, hooks: h, dial: func(token connector.Secret) (*rest.Client, error) {
				return rest.New(config.Address, rest.Bearer(token), &http.Client{Transport: tr})
			}}
			c.api, err = c.dial(in.Secret("token"))
			c.wire()
			return c, err
		},
	})
}

// wire sends the calls of the partial target through the gate. What a call
// brings counts only when the gate has answered.
func (c *caller) wire() {
	t := c.partial.Target
	c.create = func(ctx context.Context, op connector.Create) (connector.Ref, error) {
		return fetch(ctx, c, http.MethodPost, func(ctx context.Context) (connector.Ref, error) { return t.Create(ctx, op) })
	}
	c.update = func(ctx context.Context, op connector.Update) error {
		_, err := fetch(ctx, c, http.MethodPatch, func(ctx context.Context) (any, error) { return nil, t.Update(ctx, op) })
		return err
	}
	c.remove = func(ctx context.Context, op connector.Delete) error {
		_, err := fetch(ctx, c, http.MethodDelete, func(ctx context.Context) (any, error) { return nil, t.Delete(ctx, op) })
		return err
	}
	c.get = func(ctx context.Context, ref connector.Ref, as []string) (connector.Object, error) {
		return fetch(ctx, c, http.MethodGet, func(ctx context.Context) (connector.Object, error) { return t.Get(ctx, ref, as) })
	}
	c.list = func(ctx context.Context, q connector.ListQuery, yield func(connector.Object) error) (connector.ListEnd, error) {
		broken := false
		end, err := t.List(ctx, q, func(o connector.Object) error {
			if broken {
				return nil
			}
			err := c.call(ctx, http.MethodGet, func() {})
			if err != nil && c.hooks.whole {
				broken = true
				return nil
			}
			if err != nil {
				return err
			}
			return yield(o)
		})
		return end, err
	}
}

// fetch has the gate carry out do.
func fetch[T any](ctx context.Context, c *caller, method string, do func(context.Context) (T, error)) (T, error) {
	type reply struct {
		value T
		err   error
	}
	replies := make(chan reply, 1)
	// The gate does not notice that the caller has gone.
	err := c.call(ctx, method, func() {
		v, err := do(context.WithoutCancel(ctx))
		replies <- reply{v, err}
	})
	if err != nil {
		var none T
		return none, err
	}
	r := <-replies
	return r.value, r.err
}

// gatedTarget describes the connector behind a new gate.
func gatedTarget(t *testing.T, h *hooks, secure bool) Target {
	g := newGate(t, secure)
	config := gated{Address: g.URL}
	if secure {
		config.CAFile = filepath.Join(t.TempDir(), "ca.pem")
		block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: g.Certificate().Raw})
		require.NoError(t, os.WriteFile(config.CAFile, block, 0o600))
	}
	raw, err := json.Marshal(config)
	require.NoError(t, err)
	token := func(s string) map[string]connector.Secret {
		return map[string]connector.Secret{"token": connector.NewSecret(s)}
	}
	return Target{Definition: behind(g, h), Config: raw, Types: []string{"user"},
		Secrets: token(gateTokens[0]), NewSecrets: token(gateTokens[1]), WrongSecrets: token("nobody-knows-this")}
}

// networkChecks are those that a connector's dealings with the network decide.
var networkChecks = []string{"C3", "C4", "C5", "C6", "E1", "F3", "F5", "G1", "G2", "G4", "G5", "G6", "H1", "H3"}

var plainAndSecure = map[string]bool{"plain": false, "TLS": true}

func TestTheProxyFailsNoSoundConnector(t *testing.T) {
	for name, secure := range plainAndSecure {
		t.Run(name, func(t *testing.T) {
			report, err := Suite(t.Context(), gatedTarget(t, &hooks{}, secure), Options{Quick: true, Only: networkChecks})
			require.NoError(t, err)
			skipped := map[string]string{}
			for _, o := range report.Outcomes {
				assert.NotEqual(t, Failed, o.Status, o.explain())
				if o.Status == Skipped {
					skipped[o.ID] = o.Reason
				}
				if o.ID == "G2" {
					assert.Empty(t, o.NotTried, "a reply was lost after the create took effect")
				}
			}
			var want []string
			if secure {
				want = []string{"G4"}
				assert.Contains(t, skipped["G4"], "only of HTTP in clear")
			}
			assert.ElementsMatch(t, want, slices.Collect(keys(skipped)))
		})
	}
}

func keys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// networkDefects are what connectors get wrong about networks. Exactly the
// checks that begin the name must fail.
var networkDefects = []struct {
	name   string
	secure bool
	hooks  hooks
}{
	{name: "C3: reads go on with the old token", hooks: hooks{clings: true}},
	{name: "C4: a login that was refused is tried again", hooks: hooks{mend: func(_ context.Context, _ string, send func() error) error {
		err := send()
		for i := 0; i < 3 && rest.IsStatus(err, http.StatusUnauthorized); i++ {
			err = send()
		}
		return err
	}}},
	{name: "C5: every certificate is good enough", secure: true, hooks: hooks{transport: func(tr *http.Transport, _ *gated) {
		tr.TLSClientConfig.InsecureSkipVerify = true // the defect
	}}},
	{name: "C5: without a good certificate it goes on in clear", secure: true, hooks: hooks{transport: func(tr *http.Transport, _ *gated) {
		trust := tr.TLSClientConfig
		tr.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := (&tls.Dialer{Config: trust}).DialContext(ctx, network, address)
			if errors.As(err, new(*tls.CertificateVerificationError)) {
				return (&net.Dialer{}).DialContext(ctx, network, address) // the defect
			}
			return c, err
		}
	}}},
	{name: "C5: what cannot be reached is a defect of the connector", hooks: hooks{mend: func(_ context.Context, _ string, send func() error) error {
		err := send()
		if connector.IsCode(err, connector.CodeUnavailable) && !errors.As(err, new(*connector.Answer)) && strings.Contains(err.Error(), "resolve") {
			return connector.Errorf(connector.CodeInternal, "boom")
		}
		return err
	}}},
	{name: "G1: what never left is in doubt", hooks: hooks{mend: func(_ context.Context, method string, send func() error) error {
		err := send()
		if method != http.MethodGet && err != nil && strings.Contains(err.Error(), "cannot connect") {
			return connector.Unknown(err)
		}
		return err
	}}},
	{name: "G2: a lost reply is told as a failure", hooks: hooks{mend: func(_ context.Context, _ string, send func() error) error {
		err := send()
		var a *connector.Answer
		if errors.As(err, &a) && a.Result.Err.Code == connector.CodeUnavailable {
			return a.Result.Err
		}
		return err
	}}},
	{name: "G4: a target that is busy is asked again and again", hooks: hooks{mend: func(ctx context.Context, _ string, send func() error) error {
		err := send()
		for range 10 {
			if !rest.IsStatus(err, http.StatusTooManyRequests) {
				break
			}
			time.Sleep(300 * time.Millisecond)
			err = send()
		}
		return err
	}}},
	{name: "H3: a listing that broke off is the whole", hooks: hooks{whole: true}},
}

func TestTheProxyFindsDefects(t *testing.T) {
	for _, d := range networkDefects {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			id, _, _ := strings.Cut(d.name, ":")
			o := Options{Quick: true, Only: networkChecks}
			if testing.Short() {
				o.Only = []string{id}
			}
			report, err := Suite(t.Context(), gatedTarget(t, &d.hooks, d.secure), o)
			require.NoError(t, err)
			assert.Equal(t, []string{id}, failedIn(t, report))
		})
	}
}
