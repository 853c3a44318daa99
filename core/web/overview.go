package web

import (
	"slices"
	"time"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// overviewPage is how everything stands.
type overviewPage struct {
	Now        time.Time
	Connectors []hub.Glance
	Sources    []hub.SourceView
	// Held are plans that wait for a decision, the newest first, and how many more.
	Held     []store.PlanHead
	MoreHeld bool
	Totals   totals
	// Alerts are what is wrong now, the most urgent first, and MoreAlerts how many more.
	Alerts     []store.Alert
	MoreAlerts int
	// Findings of reconciliation are open, MoreFindings than were counted.
	Findings     int
	MoreFindings bool
	// Stopped says who stopped everything, and why; "": nobody.
	Stopped  store.Stop
	MaySteer bool
}

// totals are the sums over all connectors; More: there are more than were counted.
type totals struct {
	Pending, Parked, Still int
	More                   bool
}

// AlertsOpen is how many alerts there are, shown or not.
func (p overviewPage) AlertsOpen() int { return len(p.Alerts) + p.MoreAlerts }

// heldShown and alertsShown bound the held plans and the alerts on the overview,
// findingsTotal what is counted of findings.
const (
	heldShown     = 5
	alertsShown   = 5
	findingsTotal = 10_000
)

func (s *site) showOverview(v *visit) error {
	p := overviewPage{Now: s.now(), MaySteer: v.may(signin.Steer)}
	var err error
	if p.Stopped, err = v.hub.State().Stopped(v.Context()); err != nil {
		return err
	}
	if p.Connectors, err = v.hub.Glance(v.Context(), ""); err != nil {
		return err
	}
	if p.Sources, err = v.hub.Sources(v.Context()); err != nil {
		return err
	}
	p.Held, err = v.hub.State().PlanList(v.Context(), store.PlanFilter{Status: store.PlanHeld, Limit: heldShown + 1})
	if err != nil {
		return err
	}
	if p.MoreHeld = len(p.Held) > heldShown; p.MoreHeld {
		p.Held = p.Held[:heldShown]
	}
	if p.Alerts, err = openAlerts(v); err != nil {
		return err
	}
	p.Alerts = slices.DeleteFunc(p.Alerts, func(a store.Alert) bool { return !a.ClearedAt.IsZero() })
	if n := len(p.Alerts); n > alertsShown {
		p.Alerts, p.MoreAlerts = p.Alerts[:alertsShown], n-alertsShown
	}
	if p.Findings, err = v.hub.State().FindingTotal(v.Context(), findingsTotal+1); err != nil {
		return err
	}
	if p.MoreFindings = p.Findings > findingsTotal; p.MoreFindings {
		p.Findings = findingsTotal
	}
	for _, c := range p.Connectors {
		p.Totals.Pending += c.Pending
		p.Totals.Parked += c.Parked
		p.Totals.More = p.Totals.More || c.More
		if c.Standing != hub.StandsReady {
			p.Totals.Still++
		}
	}
	return s.page(v, "overview", "Overview", p)
}
