package web

import (
	"net/url"
	"slices"
	"time"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// connectorPage is how one connector stands.
type connectorPage struct {
	Now time.Time
	hub.Glance
	AccountsMax int // no more were counted
	MaySteer    bool
	// MayAsk: the target can be reconciled now.
	MayAsk bool
	// Reconciled are the last runs, Findings what is open, by situation.
	Reconciled []store.Run
	Findings   []situationView
	// Node sends to the target; "": none does.
	Node string
}

func (s *site) showConnector(v *visit) error {
	found, err := v.hub.Glance(v.Context(), v.PathValue("name"))
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return store.ErrNotFound
	}
	p := connectorPage{Now: s.now(), Glance: found[0], AccountsMax: hub.GlanceAccounts, MaySteer: v.may(signin.Steer) && found[0].Standing != hub.StandsRemoved}
	p.MayAsk = p.MaySteer && s.ask != nil
	org := v.hub.State()
	if p.Reconciled, err = org.Runs(v.Context(), store.RunFilter{Kind: "reconcile", Subject: p.Name, Limit: reconcilesShown}); err != nil {
		return err
	}
	counts, err := org.FindingCountsOf(v.Context(), p.Name, findingsCounted+1)
	if err != nil {
		return err
	}
	p.Findings = situationViews(counts)
	nodes, err := org.Nodes(v.Context())
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if !n.Gone() && slices.Contains(n.Connectors, p.Name) {
			p.Node = n.Name
		}
	}
	return s.page(v, "connector", p.Name, p)
}

// pause stops sending to a connector.
func (s *site) pause(v *visit) error {
	why, err := reason(v)
	if err != nil {
		return err
	}
	name := v.PathValue("name")
	if err := v.hub.Pause(v.Context(), name, why); err != nil {
		return err
	}
	return s.done(v, connectorPath(name), name+" is paused. Its queue is kept.")
}

// drain lets go out what is planned for a connector, and then pauses it.
func (s *site) drain(v *visit) error {
	why, err := reason(v)
	if err != nil {
		return err
	}
	name := v.PathValue("name")
	through, err := v.hub.DrainOut(v.Context(), name, why)
	if err != nil {
		return err
	}
	note := name + " is drained: what is planned now goes out, then it is paused."
	if through {
		note = name + " had nothing to send and is paused."
	}
	return s.done(v, connectorPath(name), note)
}

// resume lets a connector send again.
func (s *site) resume(v *visit) error {
	name := v.PathValue("name")
	if err := v.hub.Resume(v.Context(), name); err != nil {
		return err
	}
	stopped, err := v.hub.State().Stopped(v.Context())
	if err != nil {
		return err
	}
	note := name + " goes on."
	if stopped.Why != "" {
		note = name + " goes on once everything does: it is stopped by " + stopped.Why + "."
	}
	return s.done(v, connectorPath(name), note)
}

func connectorPath(name string) string { return "/connectors/" + url.PathEscape(name) }

// stop has nothing sent to any target.
func (s *site) stop(v *visit) error {
	why, err := reason(v)
	if err != nil {
		return err
	}
	if _, err := v.hub.Stop(v.Context(), why); err != nil {
		return err
	}
	return s.done(v, "/", "Everything is stopped: nothing is sent to any target.")
}

// goOn takes back a stop.
func (s *site) goOn(v *visit) error {
	if _, err := v.hub.Go(v.Context()); err != nil {
		return err
	}
	return s.done(v, "/", "Everything goes on. What is paused by itself stays so.")
}
