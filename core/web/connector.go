package web

import (
	"net/url"
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

// resume lets a connector send again.
func (s *site) resume(v *visit) error {
	name := v.PathValue("name")
	if err := v.hub.Resume(v.Context(), name); err != nil {
		return err
	}
	return s.done(v, connectorPath(name), name+" goes on.")
}

func connectorPath(name string) string { return "/connectors/" + url.PathEscape(name) }

// sourcePage is how one source stands.
type sourcePage struct {
	Now time.Time
	hub.SourceView
	Plans []store.PlanHead
	Runs  []store.Run
}

// sourceShown bounds the plans and runs on the page of a source.
const sourceShown = 10

func (s *site) showSource(v *visit) error {
	name := v.PathValue("name")
	all, err := v.hub.Sources(v.Context())
	if err != nil {
		return err
	}
	for _, src := range all {
		if src.Name != name {
			continue
		}
		p := sourcePage{Now: s.now(), SourceView: src}
		if p.Plans, err = v.hub.State().PlanList(v.Context(), store.PlanFilter{Source: name, Limit: sourceShown}); err != nil {
			return err
		}
		if p.Runs, err = v.hub.State().Runs(v.Context(), store.RunFilter{Subject: name, Limit: sourceShown}); err != nil {
			return err
		}
		return s.page(v, "source", name, p)
	}
	return store.ErrNotFound
}
