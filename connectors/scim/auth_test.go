package scim

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakescim"
)

func secrets(pairs ...string) map[string]connector.Secret {
	out := map[string]connector.Secret{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = connector.NewSecret(pairs[i+1])
	}
	return out
}

// QUIRKS SCIM-31: the ways to sign in.
func TestSigningIn(t *testing.T) {
	f := newFakeWith(t, "rfc7644", nil, nil, fakescim.Options{
		Basic: fakescim.Login{Name: "svc", Password: "basic-Qx7"}, Client: fakescim.Login{Name: "hub", Password: "client-Qx7"}})
	for name, c := range map[string]struct {
		auth    config
		good    map[string]connector.Secret
		wrong   map[string]connector.Secret
		missing string
	}{
		"bearer": {config{}, f.Secrets(), secrets("token", "wrong-Qx7"), "secret token is missing"},
		"basic":  {config{"kind": "basic", "user": "svc"}, secrets("password", "basic-Qx7"), secrets("password", "wrong-Qx7"), "secret password is missing"},
		"oauth2": {config{"kind": "oauth2", "token_url": f.TokenURL(), "client_id": "hub"}, secrets("client_secret", "client-Qx7"), secrets("client_secret", "wrong-Qx7"), "secret client_secret is missing"},
		"header": {config{"kind": "header", "header": "Authorization"}, secrets("header_value", "Bearer "+f.Token()), secrets("header_value", "Bearer wrong-Qx7"), "secret header_value is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			c.auth["kind"] = orElse(c.auth["kind"], any("bearer"))
			text := f.config(config{"auth": c.auth})
			good := openTarget(t, text, c.good)
			require.NoError(t, good.Check(context.Background()))
			wrong := openTarget(t, text, c.wrong)
			err := wrong.Check(context.Background())
			require.Equal(t, connector.CodeAuthentication, code(err), "%v", err)
			require.NotContains(t, err.Error(), "Qx7")
			_, err = Definition.Open(context.Background(), json.RawMessage(text), connector.Instance{})
			require.Equal(t, connector.CodeConfiguration, code(err))
			require.ErrorContains(t, err, c.missing)

			require.NoError(t, wrong.RotateSecrets(context.Background(), c.good))
			require.NoError(t, wrong.Check(context.Background()))
			require.Error(t, wrong.RotateSecrets(context.Background(), nil))
			require.NoError(t, wrong.Check(context.Background()), "secrets that cannot be used change nothing")
		})
	}
}

// QUIRKS SCIM-31: a token that ends in the middle costs no operation.
func TestTokenThatExpires(t *testing.T) {
	f := newFakeWith(t, "rfc7644", nil, nil, fakescim.Options{Client: fakescim.Login{Name: "hub", Password: "client-Qx7"}})
	target := openTarget(t, f.config(config{"auth": config{"kind": "oauth2", "token_url": f.TokenURL(), "client_id": "hub"}}), secrets("client_secret", "client-Qx7"))
	_, err := target.Schema(context.Background())
	require.NoError(t, err)
	f.Arm(fakescim.Fault{Name: fakescim.TokenExpired, Method: http.MethodPost, Times: 1})
	_, err = target.Create(context.Background(), newUser("jane"))
	require.NoError(t, err)
	require.Len(t, f.Users(), 1)
	require.Equal(t, 2, f.Counts().Logins)
}

// QUIRKS SCIM-33: the certificate is checked; a private authority is named.
func TestCertificateIsChecked(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	stranger := f.open(config{"tls_ca_file": emptyAuthority(t)})
	steps, _ := stranger.CheckSteps(context.Background())
	require.Equal(t, []string{"resolve pass", "connect pass", "tls fail", "login skipped", "discovery skipped", "filter skipped"}, names(steps))
	require.Contains(t, steps[2].Message, "tls_ca_file")
	_, err := stranger.Create(context.Background(), newUser("jane"))
	require.Equal(t, connector.CodeConfiguration, code(err))
	require.Empty(t, f.Users())

	listed := f.open(config{"tls_ca_file": emptyAuthority(t), "allow_insecure": []string{"127.0.0.1"}})
	steps, _ = listed.CheckSteps(context.Background())
	require.Equal(t, []string{"resolve pass", "connect pass", "tls warn", "login pass", "discovery pass", "filter pass"}, names(steps))
}

// emptyAuthority is a file with an authority that signed nothing.
func emptyAuthority(t *testing.T) string {
	path, _ := pair(t, "nobody's authority")
	return path
}

// pair makes a self-signed certificate and returns the paths of it and its key.
func pair(t *testing.T, name string) (cert, key string) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, DNSNames: []string{name}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	require.NoError(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	require.NoError(t, err)
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600))
	return cert, key
}

func TestClientCertificate(t *testing.T) {
	var shown string
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown = r.TLS.PeerCertificates[0].DNSNames[0]
		w.Header().Set("Content-Type", "application/scim+json")
		_, _ = w.Write([]byte(`{"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": 0, "Resources": []}`))
	}))
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.StartTLS()
	defer s.Close()
	cert, keyFile := pair(t, "hub")
	key, err := os.ReadFile(keyFile)
	require.NoError(t, err)
	text := `{"base_url": "` + s.URL + `", "auth": {"kind": "mtls"}, "certificate_file": "` + cert + `", "allow_insecure": ["127.0.0.1"]}`
	target := openTarget(t, text, secrets("client_key", string(key)))
	require.NoError(t, target.Check(context.Background()))
	require.Equal(t, "hub", shown)

	for _, wrong := range []map[string]connector.Secret{nil, secrets("client_key", "no key")} {
		_, err := Definition.Open(context.Background(), json.RawMessage(text), connector.Instance{Secrets: wrong})
		require.Equal(t, connector.CodeConfiguration, code(err))
		require.NotContains(t, err.Error(), "no key")
	}
}

func names(steps []connector.CheckStep) []string {
	var out []string
	for _, s := range steps {
		out = append(out, s.Name+" "+string(s.Status))
	}
	return out
}

func TestCheckTellsWhereItEnds(t *testing.T) {
	f := newFake(t, "rfc7644", nil, nil)
	steps, _ := f.target.CheckSteps(context.Background())
	require.Equal(t, []string{"resolve pass", "connect pass", "tls pass", "login pass", "discovery pass", "filter pass"}, names(steps))
	require.Contains(t, steps[2].Message, "TLS 1.3")
	require.Empty(t, f.Users(), "a check changes nothing")
	require.Zero(t, f.Count(http.MethodPost, ""))

	for _, c := range []struct {
		name   string
		target *Target
		want   []string
		says   string
	}{
		{"nothing listens", f.open(config{"base_url": strings.Replace(f.URL(), f.URL()[strings.LastIndex(f.URL(), ":"):], ":1/scim/v2", 1)}),
			[]string{"resolve pass", "connect fail", "tls skipped", "login skipped", "discovery skipped", "filter skipped"}, "nothing answers at 127.0.0.1:1"},
		{"no such host", f.open(config{"base_url": "https://no-such-host.invalid/scim"}),
			[]string{"resolve fail", "connect skipped", "tls skipped", "login skipped", "discovery skipped", "filter skipped"}, "no-such-host.invalid has no address"},
		{"wrong path", f.open(config{"base_url": strings.TrimSuffix(f.URL(), "/v2")}),
			[]string{"resolve pass", "connect pass", "tls pass", "login fail", "discovery skipped", "filter skipped"}, "404"},
		{"no filter on the anchor", newFake(t, "okta-style", nil, nil).target,
			[]string{"resolve pass", "connect pass", "tls pass", "login pass", "discovery pass", "filter warn"}, "cannot be looked up by externalId"},
	} {
		steps, _ := c.target.CheckSteps(context.Background())
		require.Equal(t, c.want, names(steps), c.name)
		said := ""
		for _, s := range steps {
			if s.Status != connector.CheckPass {
				said += s.Message
			}
		}
		require.Contains(t, said, c.says, c.name)
	}
}

// A service that does not look at filters finds everybody: nothing could be told apart.
func TestCheckFindsAServiceThatIgnoresFilters(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/scim+json")
		_, _ = w.Write([]byte(`{"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": 1, "Resources": [{"id": "1", "userName": "somebody"}]}`))
	}))
	defer s.Close()
	target := openTarget(t, `{"base_url": "`+s.URL+`", "allow_insecure": ["127.0.0.1"]}`, secrets("token", "t"))
	steps, _ := target.CheckSteps(context.Background())
	require.Equal(t, connector.CheckWarn, steps[2].Status, "the connection is not encrypted")
	_, err := target.Get(context.Background(), by("userName", "nobody"), nil)
	require.Equal(t, connector.CodeNotFound, code(err), "SCIM-7: a hit that does not match is none")
}
