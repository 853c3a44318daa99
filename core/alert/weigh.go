package alert

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/store"
)

// clearAfter is how long something must be over before people are told so: what comes
// and goes would be told again and again.
const clearAfter = time.Minute

// Event says why people are told.
type Event string

// The events.
const (
	Raised    Event = "raised"
	Repeated  Event = "repeated"
	Recovered Event = "recovered"
	Tested    Event = "test" // somebody tries the way
)

// Message is what people are told, and the body of a webhook.
type Message struct {
	// ID is the same however often the same message comes; Alert is the same from the
	// first message about something to the last.
	ID    string `json:"id"`
	Alert string `json:"alert"`
	Event Event  `json:"event"`
	Org   string `json:"org"`

	Condition Condition `json:"condition"`
	Subject   string    `json:"subject"`
	// Node is the one that alone sees it; left out: all do.
	Node     string   `json:"node,omitempty"`
	Severity Severity `json:"severity"`
	Summary  string   `json:"summary"`
	Do       string   `json:"what_to_do"`
	// URL is the page that shows more; left out where there are no pages.
	URL   string    `json:"url,omitempty"`
	Since time.Time `json:"since"`
	At    time.Time `json:"at"`
}

// scale weighs what is wrong now against what people were told.
type scale struct {
	org, scope string
	url        string // of the pages; "": there are none
	repeat     time.Duration
	routes     []config.Route
	now        time.Time
}

// weighed is what is to be written.
type weighed struct {
	save, over []store.Alert
	notices    []store.Notice
}

// weigh decides what is new, what is still so, and what is over. had are the alerts of
// the scope.
func (s *scale) weigh(had []store.Alert, found []Finding) (w weighed) {
	known := map[[2]string]*store.Alert{}
	for i := range had {
		known[[2]string{had[i].Condition, had[i].Subject}] = &had[i]
	}
	for _, f := range found {
		key := [2]string{string(f.Condition), f.Subject}
		s.found(&w, known[key], f)
		delete(known, key)
	}
	for i := range had {
		if a := &had[i]; known[[2]string{a.Condition, a.Subject}] != nil {
			s.missed(&w, a)
		}
	}
	return w
}

// found is told of what is wrong now; before is nil when it was not.
func (s *scale) found(w *weighed, before *store.Alert, f Finding) {
	a := store.Alert{Scope: s.scope, Condition: string(f.Condition), Subject: f.Subject, SeenAt: s.now, Since: f.Since}
	if before != nil {
		a = *before
	}
	if a.Since.IsZero() {
		a.Since = s.now
	}
	a.Severity, a.Summary, a.Do, a.Page, a.ClearedAt = string(f.Severity), f.Summary, f.Do, f.Page, time.Time{}
	switch {
	case a.ToldAt.IsZero() && s.now.Sub(a.SeenAt) >= f.Wait:
		a.ToldAt = s.now
		w.notices = append(w.notices, s.tell(&a, Raised)...)
	case !a.ToldAt.IsZero() && s.now.Sub(a.ToldAt) >= s.repeat:
		a.ToldAt = s.now
		w.notices = append(w.notices, s.tell(&a, Repeated)...)
	}
	if before == nil || a != *before {
		w.save = append(w.save, a)
	}
}

// missed is told of what was wrong and is not any more.
func (s *scale) missed(w *weighed, a *store.Alert) {
	switch {
	case a.ToldAt.IsZero(): // nobody knows of it
		w.over = append(w.over, *a)
	case a.ClearedAt.IsZero():
		cleared := *a
		cleared.ClearedAt = s.now
		w.save = append(w.save, cleared)
	case s.now.Sub(a.ClearedAt) >= clearAfter:
		w.over = append(w.over, *a)
		w.notices = append(w.notices, s.tell(a, Recovered)...)
	}
}

// tell makes a notice for each way.
func (s *scale) tell(a *store.Alert, e Event) (out []store.Notice) {
	m := s.message(a, e)
	body, err := json.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("alert: a message has no JSON: %v", err)) // plain fields
	}
	for _, r := range s.routes {
		if r.Critical && m.Severity != Critical {
			continue
		}
		out = append(out, store.Notice{ID: m.ID, Route: r.Name, Body: string(body), CreatedAt: s.now, NextAt: s.now})
	}
	return out
}

func (s *scale) message(a *store.Alert, e Event) Message {
	m := Message{Event: e, Org: s.org, Condition: Condition(a.Condition), Subject: a.Subject, Node: a.Scope, Severity: Severity(a.Severity),
		Summary: a.Summary, Do: a.Do, Since: a.Since, At: s.now}
	m.Alert = digest(s.org, a.Scope, a.Condition, a.Subject, a.SeenAt.UTC().Format(time.RFC3339Nano))
	m.ID = digest(m.Alert, string(e), a.ToldAt.UTC().Format(time.RFC3339Nano))
	if s.url != "" {
		m.URL = s.url + cmp.Or(a.Page, "/")
	}
	if e == Recovered {
		m.Summary, m.Do = "Over since "+clock(a.ClearedAt)+": "+a.Summary, "Nothing is left to do."
	}
	return m
}

// digest names something by its parts.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%q\n", p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
