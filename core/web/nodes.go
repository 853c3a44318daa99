package web

import (
	"slices"
	"time"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

// nodesPage is who does the work.
type nodesPage struct {
	Now   time.Time
	Nodes []nodeView
	// Nobody are the connectors of the config that no node sends for.
	Nobody []string
}

// nodeView is one node with what runs on it now.
type nodeView struct {
	store.Node
	Runs []store.Run
	Here bool // it is the one that answers
	// Heard is when it was last heard of, by the clock of these pages.
	Heard time.Time
}

func (s *site) showNodes(v *visit) error {
	nodes, err := v.hub.State().Nodes(v.Context())
	if err != nil {
		return err
	}
	runs, err := v.hub.State().OpenRuns(v.Context())
	if err != nil {
		return err
	}
	p := nodesPage{Now: s.now()}
	served := map[string]bool{}
	for _, n := range nodes {
		view := nodeView{Node: n, Here: n.Name == v.hub.Node(), Heard: p.Now.Add(-n.Silent)}
		for _, r := range runs {
			if r.Node == n.Name {
				view.Runs = append(view.Runs, r)
			}
		}
		for _, c := range n.Connectors {
			served[c] = served[c] || !n.Gone()
		}
		p.Nodes = append(p.Nodes, view)
	}
	p.Nobody = unserved(v.hub, served)
	return s.page(v, "nodes", "Nodes", p)
}

// unserved returns the connectors of the config that nobody sends for.
func unserved(h *hub.Hub, served map[string]bool) (out []string) {
	for _, c := range h.Config().Connectors {
		if !served[c.Name] {
			out = append(out, c.Name)
		}
	}
	slices.Sort(out)
	return out
}
