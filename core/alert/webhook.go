package alert

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// sendWithin bounds one try.
const sendWithin = 15 * time.Second

// webhook posts messages, signed as standardwebhooks.com has it.
type webhook struct {
	url    connector.Secret
	key    connector.Secret // zero: they are not signed
	client *http.Client
}

func newWebhook(address, key connector.Secret, roots *tls.Config) *webhook {
	return &webhook{url: address, key: key, client: &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: roots, ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute, MaxIdleConns: 2},
		// Another address than the config's gets nothing.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// send posts one message. Anything but a 2xx is an error, which does not tell the URL.
func (w *webhook) send(ctx context.Context, m *Message, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url.Reveal(), bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL is not valid")
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "provhub")
	r.Header.Set("Webhook-Id", m.ID)
	r.Header.Set("Webhook-Timestamp", at)
	if !w.key.IsZero() {
		r.Header.Set("Webhook-Signature", "v1,"+sign(w.key, m.ID, at, body))
	}
	resp, err := w.client.Do(r)
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // without the URL, which may be a secret
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 4096) // so that the connection can be used again
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("it answered %s", resp.Status)
	}
	return nil
}

func (w *webhook) close() { w.client.CloseIdleConnections() }

// sign is the signature of a body: HMAC-SHA256 over id, time and body, in base64. A key
// that begins with whsec_ is in base64 itself.
func sign(key connector.Secret, id, at string, body []byte) string {
	raw := []byte(key.Reveal())
	if coded, ok := strings.CutPrefix(key.Reveal(), "whsec_"); ok {
		if b, err := base64.StdEncoding.DecodeString(coded); err == nil {
			raw = b
		}
	}
	h := hmac.New(sha256.New, raw)
	fmt.Fprintf(h, "%s.%s.", id, at)
	h.Write(body)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}
