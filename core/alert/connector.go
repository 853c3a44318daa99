package alert

import (
	"fmt"
	"strings"
	"time"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// judged is a connector that is judged at now.
type judged struct {
	*hub.ConnectorVitals
	after *config.AlertAfter
	now   time.Time
}

func (c judged) finding(cond Condition, severity Severity, since time.Time, do, format string, args ...any) Finding {
	return Finding{Condition: cond, Subject: c.Name, Severity: severity, Since: since, Page: connectorPage(c.Name),
		Summary: "Connector " + c.Name + ": " + fmt.Sprintf(format, args...), Do: do}
}

func (c judged) older(t time.Time, than time.Duration) bool {
	return !t.IsZero() && c.now.Sub(t) >= than
}

// leavers are told of whatever keeps their operations from being done.
func (c judged) leavers() (out []Finding) {
	q := &c.Queue
	if q.ParkedLeavers.N > 0 {
		out = append(out, c.finding(LeaverParked, Critical, q.ParkedSince, "Run `provhub ops list --connector "+c.Name+" --state parked` and settle what is said there; until then lock the accounts in the target by hand.",
			"%s for people who left cannot be carried out without a person: they may still have access.", operations(q.ParkedLeavers)))
	}
	if c.older(q.LeaverSince, c.after.Leaver) {
		out = append(out, c.finding(LeaverLate, Critical, q.LeaverSince, "Run `provhub connector check "+c.Name+"`; should it take long, lock the accounts in the target by hand.",
			"%s for people who left are not done, the oldest since %s: they may still have access.", operations(q.Leavers), clock(q.LeaverSince)))
	}
	return out
}

// standing is what keeps the connector from sending.
func (c judged) standing() []Finding {
	s := &c.State
	check := "Run `provhub connector check " + c.Name + "`, which says what is wrong step by step"
	switch {
	case s.Pause() != "":
		return nil // somebody wants it
	case s.Stopped != "":
		return []Finding{c.finding(ConnectorStopped, Critical, s.StoppedAt, check+"; it goes on when the check passes.",
			"nothing is sent any more: %s", sentence(s.Stopped))}
	case s.Held() != "":
		return []Finding{c.finding(ConnectorStopped, Critical, time.Time{}, "Run `provhub connector list`, which says what to do.", "nothing is sent, because the config leads to another target than before.")}
	case s.Unusable != "" && !c.Maintained:
		return []Finding{c.finding(ConnectorUnusable, Critical, s.UnusableAt, check+".", "it cannot be used: %s", sentence(joined(s.Unusable)))}
	case s.Quarantined != "":
		return []Finding{c.finding(ConnectorQuarantined, Critical, s.QuarantinedAt, "Run `provhub ops list --connector "+c.Name+"` for the causes; it ends by itself once operations succeed.",
			"it is in quarantine: %s", sentence(s.Quarantined))}
	case c.Down && !c.Maintained:
		f := c.finding(ConnectorDown, Critical, time.Time{}, check+".", "the target is down, %d failures in a row.", s.Failures)
		f.Wait = c.after.BreakerOpen
		return []Finding{f}
	}
	return nil
}

// queue is about work that waits for no reason that was told of.
func (c judged) queue() []Finding {
	if c.State.Pause() != "" || c.Maintained {
		return nil
	}
	oldest := c.Queue.Failing
	for _, lane := range plan.Lanes {
		if at := c.Queue.Oldest[lane]; oldest.IsZero() || !at.IsZero() && at.Before(oldest) {
			oldest = at
		}
	}
	see := "Look with `provhub connector list` and `provhub ops list --connector " + c.Name + "` what keeps them."
	if c.older(oldest, c.after.ConnectorSilent) && (c.DoneAt.IsZero() || c.older(c.DoneAt, c.after.ConnectorSilent)) {
		last := "none of those sent lately was done"
		if !c.DoneAt.IsZero() {
			last = "the last one was done at " + clock(c.DoneAt)
		}
		return []Finding{c.finding(ConnectorSilent, Critical, oldest, see, "operations wait since %s, and %s.", clock(oldest), last)}
	}
	var waits time.Time
	for _, at := range c.Queue.Oldest {
		if waits.IsZero() || at.Before(waits) {
			waits = at
		}
	}
	if c.older(waits, c.after.QueueAge) {
		return []Finding{c.finding(QueueOld, Warning, waits, see, "%s wait for their turn, the oldest since %s.", operations(c.Queue.Open[store.OpReady]), clock(waits))}
	}
	return nil
}

func operations(n store.Count) string {
	if n.N == 1 && !n.More {
		return "1 operation"
	}
	return n.String() + " operations"
}

// summaryMax bounds what a summary repeats of what somebody else said.
const summaryMax = 300

// joined makes one line of several: what is refused of a config stands in lines of its own.
func joined(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, " ")
}

// sentence takes the first line of a text, and ends it.
func sentence(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	if r := []rune(text); len(r) > summaryMax {
		text = string(r[:summaryMax]) + "…"
	}
	return strings.TrimRight(text, ".") + "."
}
