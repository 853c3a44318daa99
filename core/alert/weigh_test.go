package alert

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/store"
)

var at = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// people are those who are told: the pager takes critical ones only.
type people struct {
	t     *testing.T
	now   time.Time
	state []store.Alert
}

// hear lets d pass, judges once more and returns what is told: "route event severity".
func (p *people) hear(d time.Duration, found ...Finding) (told []string) {
	p.t.Helper()
	p.now = p.now.Add(d)
	s := scale{org: "acme", url: "https://hub.example.org", repeat: 4 * time.Hour, now: p.now,
		routes: []config.Route{{Name: "mail"}, {Name: "pager", Critical: true}}}
	w := s.weigh(p.state, found)
	for _, gone := range append(append([]store.Alert{}, w.over...), w.save...) {
		for i, a := range p.state {
			if a.Condition == gone.Condition && a.Subject == gone.Subject {
				p.state = append(p.state[:i:i], p.state[i+1:]...)
				break
			}
		}
	}
	p.state = append(p.state, w.save...)
	for _, n := range w.notices {
		var m Message
		require.NoError(p.t, json.Unmarshal([]byte(n.Body), &m))
		told = append(told, n.Route+" "+string(m.Event)+" "+m.Subject)
	}
	return told
}

func TestPeopleAreToldOnceRepeatedlyAndWhenItIsOver(t *testing.T) {
	p := &people{t: t, now: at}
	crm := Finding{Condition: ConnectorStopped, Subject: "crm", Severity: Critical, Summary: "It stands still."}
	require.Equal(t, []string{"mail raised crm", "pager raised crm"}, p.hear(0, crm))
	require.Empty(t, p.hear(15*time.Second, crm), "told already")
	require.Empty(t, p.hear(3*time.Hour, crm))
	require.Equal(t, []string{"mail repeated crm", "pager repeated crm"}, p.hear(time.Hour, crm))
	require.Empty(t, p.hear(15*time.Second), "it may be back in a moment")
	require.Empty(t, p.hear(15*time.Second, crm), "it is")
	require.Empty(t, p.hear(15*time.Second))
	require.Equal(t, []string{"mail recovered crm", "pager recovered crm"}, p.hear(clearAfter))
	require.Empty(t, p.state)
	require.Equal(t, []string{"mail raised crm", "pager raised crm"}, p.hear(time.Hour, crm), "another time")
}

func TestWhatHasToLastIsToldWhenItLasted(t *testing.T) {
	p := &people{t: t, now: at}
	down := Finding{Condition: ConnectorDown, Subject: "crm", Severity: Warning, Wait: 10 * time.Minute}
	require.Empty(t, p.hear(0, down))
	require.Empty(t, p.hear(9*time.Minute, down))
	require.Empty(t, p.hear(time.Second), "over before anybody was told: nobody is told that either")
	require.Empty(t, p.state)
	require.Empty(t, p.hear(time.Second, down))
	require.Equal(t, []string{"mail raised crm"}, p.hear(10*time.Minute, down), "the pager takes critical ones only")
}

func TestSeveralAtOnceAreToldApart(t *testing.T) {
	p := &people{t: t, now: at}
	a := Finding{Condition: LeaverLate, Subject: "crm", Severity: Critical}
	b := Finding{Condition: LeaverLate, Subject: "wiki", Severity: Warning}
	require.Equal(t, []string{"mail raised crm", "pager raised crm", "mail raised wiki"}, p.hear(0, a, b))
	require.Empty(t, p.hear(time.Minute, b))
	require.Equal(t, []string{"mail recovered crm", "pager recovered crm"}, p.hear(time.Minute, b))
}

func TestAMessage(t *testing.T) {
	s := scale{org: "acme", scope: "node-1", url: "https://hub.example.org", now: at}
	a := store.Alert{Scope: "node-1", Condition: "plugin.crashing", Subject: "crm", Severity: "critical", Summary: "It dies.", Do: "Look.", Page: "/connectors/crm",
		Since: at.Add(-time.Hour), SeenAt: at.Add(-time.Minute), ToldAt: at}
	raised := s.message(&a, Raised)
	require.Equal(t, "https://hub.example.org/connectors/crm", raised.URL)
	require.Equal(t, "node-1", raised.Node)
	require.Equal(t, raised, s.message(&a, Raised), "whoever makes it, it is the same")

	a.ToldAt = at.Add(4 * time.Hour)
	repeated := s.message(&a, Repeated)
	require.Equal(t, raised.Alert, repeated.Alert)
	require.NotEqual(t, raised.ID, repeated.ID)

	a.ClearedAt = at.Add(5 * time.Hour)
	over := s.message(&a, Recovered)
	require.Equal(t, raised.Alert, over.Alert)
	require.Equal(t, "Over since 2026-03-02 14:00 UTC: It dies.", over.Summary)
	s.url = ""
	require.Empty(t, s.message(&a, Raised).URL)
}
