package web

import (
	"time"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// sourcePage is how one source stands.
type sourcePage struct {
	Now time.Time
	hub.SourceView
	Plans []store.PlanHead
	Runs  []store.Run
	// MayAsk: it can be read now.
	MayAsk bool
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
		p := sourcePage{Now: s.now(), SourceView: src, MayAsk: v.may(signin.Steer) && s.ask != nil}
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
