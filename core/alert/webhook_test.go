package alert

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/connectors/connector"
)

// The key, id, time, body and signature of the example of the Standard Webhooks
// specification's reference implementations.
func TestTheSignatureOfTheSpecification(t *testing.T) {
	key := connector.NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	require.Equal(t, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`)))
}

func TestAWebhookIsSigned(t *testing.T) {
	var got *http.Request
	var body []byte
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	w := newWebhook(connector.NewSecret(server.URL+"/hook"), connector.NewSecret("s3cret"), &tls.Config{RootCAs: roots})
	defer w.close()
	m := &Message{ID: "m1", Summary: "It stands still."}
	sent, err := json.Marshal(m)
	require.NoError(t, err)
	require.NoError(t, w.send(t.Context(), m, sent))
	require.Equal(t, sent, body)
	require.Equal(t, "m1", got.Header.Get("Webhook-Id"))

	h := hmac.New(sha256.New, []byte("s3cret"))
	h.Write([]byte("m1." + got.Header.Get("Webhook-Timestamp") + "." + string(body)))
	require.Equal(t, "v1,"+base64.StdEncoding.EncodeToString(h.Sum(nil)), got.Header.Get("Webhook-Signature"))

	strange := newWebhook(connector.NewSecret(server.URL+"/hook"), connector.Secret{}, &tls.Config{})
	defer strange.close()
	require.ErrorContains(t, strange.send(t.Context(), m, sent), "certificate")
}

func TestAWebhookThatIsNotTaken(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"it answered 500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"it answered 404": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) },
		"it answered 302": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls++
				answer(w, r)
			}))
			defer server.Close()
			w := newWebhook(connector.NewSecret(server.URL), connector.Secret{}, &tls.Config{})
			defer w.close()
			require.ErrorContains(t, w.send(t.Context(), &Message{}, nil), name)
			require.Equal(t, 1, calls, "one try, and nobody else is asked")
		})
	}
	w := newWebhook(connector.NewSecret("http://127.0.0.1:1/services/T0K3N"), connector.Secret{}, &tls.Config{})
	err := w.send(t.Context(), &Message{}, nil)
	require.ErrorContains(t, err, "connection refused")
	require.NotContains(t, err.Error(), "T0K3N", "a URL may be a secret")
}
