// Package redact takes known secrets out of text before it is logged, stored
// or sent on. The SDK uses it inside a plugin; whoever reads what a plugin
// wrote can use it again, since not every plugin is built with the SDK.
package redact

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/provhub/provhub/connectors/connector"
)

// Mark stands where a secret was.
const Mark = "***"

// MinLength is the length in bytes below which a secret is not searched for:
// replacing "abc" everywhere would hide more than the secret.
const MinLength = 6

// Redactor knows secrets and takes them out of text, whichever way they are
// written: as they are, in base64 (also inside a longer value, such as a Basic
// authorization header), URL-encoded, or as a JSON string. It is safe for use
// by many goroutines.
type Redactor struct {
	mu       sync.Mutex
	known    []string
	held     map[string]int    // values of operations under way, counted
	replacer *strings.Replacer // nil: to be built
}

// New returns a redactor that knows the given secrets.
func New(secrets map[string]connector.Secret) *Redactor {
	r := &Redactor{held: map[string]int{}}
	r.Know(secrets)
	return r
}

// Know adds secrets for good. Those known before stay known: an old password
// may still turn up in a late log line.
func (r *Redactor) Know(secrets map[string]connector.Secret) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range secrets {
		if v := s.Reveal(); len(v) >= MinLength && !slices.Contains(r.known, v) {
			r.known, r.replacer = append(r.known, v), nil
		}
	}
}

// Hold makes secrets known until Release is called with the same ones.
func (r *Redactor) Hold(secrets ...connector.Secret) { r.count(secrets, 1) }

// Release undoes one Hold.
func (r *Redactor) Release(secrets ...connector.Secret) { r.count(secrets, -1) }

func (r *Redactor) count(secrets []connector.Secret, by int) {
	if len(secrets) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range secrets {
		v := s.Reveal()
		if len(v) < MinLength {
			continue
		}
		if r.held[v] += by; r.held[v] <= 0 {
			delete(r.held, v)
		}
		r.replacer = nil
	}
}

// Text returns s without the secrets.
func (r *Redactor) Text(s string) string {
	if s == "" {
		return s
	}
	return r.current().Replace(s)
}

// Error returns e without the secrets; nil stays nil. e itself, which a
// connector may share between calls, is left as it is.
func (r *Redactor) Error(e *connector.Error) *connector.Error {
	if e == nil {
		return nil
	}
	c := *e
	c.Message, c.Detail, c.NativeCode = r.Text(e.Message), r.Text(e.Detail), r.Text(e.NativeCode)
	return &c
}

// Writer returns a writer that redacts each write before it goes to w. Whoever
// writes must write whole lines, as log handlers do.
func (r *Redactor) Writer(w io.Writer) io.Writer { return writer{r, w} }

type writer struct {
	r *Redactor
	w io.Writer
}

// Write implements [io.Writer]. It reports the length of p even when the
// redacted text has another one.
func (w writer) Write(p []byte) (int, error) {
	if _, err := w.r.current().WriteString(w.w, string(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (r *Redactor) current() *strings.Replacer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.replacer == nil {
		r.replacer = r.build()
	}
	return r.replacer
}

func (r *Redactor) build() *strings.Replacer {
	var forms []string
	for _, v := range r.known {
		forms = append(forms, formsOf(v)...)
	}
	for v := range r.held {
		forms = append(forms, formsOf(v)...)
	}
	// The longest first, so that a secret inside another leaves no rest.
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(forms))
	for _, f := range slices.Compact(forms) {
		pairs = append(pairs, f, Mark)
	}
	return strings.NewReplacer(pairs...)
}

func formsOf(secret string) []string {
	quoted, _ := json.Marshal(secret) // a string cannot fail
	forms := []string{
		secret,
		string(quoted[1 : len(quoted)-1]),
		url.QueryEscape(secret),
		url.PathEscape(secret),
		base64.StdEncoding.EncodeToString([]byte(secret)),
		base64.URLEncoding.EncodeToString([]byte(secret)),
	}
	for shift := range 3 {
		forms = append(forms, inside(base64.RawStdEncoding, secret, shift), inside(base64.RawURLEncoding, secret, shift))
	}
	return slices.DeleteFunc(forms, func(f string) bool { return len(f) < MinLength })
}

// inside returns the characters that encode secret alone when it begins shift
// bytes into a group of three; the characters it shares with its neighbours
// are left out.
func inside(enc *base64.Encoding, secret string, shift int) string {
	all := enc.EncodeToString(append(make([]byte, shift), secret...))
	return all[(shift*8+5)/6 : (shift+len(secret))*8/6]
}
