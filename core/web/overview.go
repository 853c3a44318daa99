package web

import (
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
	// Stopped says who stopped everything, and why; "": nobody.
	Stopped  store.Stop
	MaySteer bool
}

// totals are the sums over all connectors; More: there are more than were counted.
type totals struct {
	Pending, Parked, Still int
	More                   bool
}

// heldShown bounds the held plans on the overview.
const heldShown = 5

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
