package alert

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

const (
	// judgeEvery is how often is looked what is wrong, and tellEvery what is to be told.
	judgeEvery = 15 * time.Second
	tellEvery  = 2 * time.Second
)

// Node is what alerts are about.
type Node interface {
	Name() string
	// Hub is the hub as the config is now.
	Hub() *hub.Hub
}

// Desk judges and tells for one node.
type Desk struct {
	n     Node
	log   *slog.Logger
	trail trail // of Judge alone

	mu     sync.Mutex
	cfg    *config.Config // that routes are of
	routes *Routes
}

// NewDesk returns a desk that has not begun.
func NewDesk(n Node) *Desk { return &Desk{n: n, log: n.Hub().Log()} }

// WatchPlugins judges the plugins of this node until ctx ends.
func (d *Desk) WatchPlugins(ctx context.Context) error {
	defer d.close()
	d.every(ctx, judgeEvery, func(ctx context.Context) error {
		return d.judged(ctx, d.n.Name(), JudgePlugins(d.n.Hub().Plugins()))
	})
	return nil
}

// Lead judges what all nodes see, and tells people, until ctx ends. One node does so.
func (d *Desk) Lead(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { d.every(ctx, judgeEvery, d.Judge) })
	both.Go(func() { d.every(ctx, tellEvery, d.Tell) })
	both.Wait()
}

// every calls f again and again. What fails is logged once, until it works again.
func (d *Desk) every(ctx context.Context, gap time.Duration, f func(context.Context) error) {
	t := time.NewTicker(gap)
	defer t.Stop()
	for failed := false; ctx.Err() == nil; {
		err := f(ctx)
		if err != nil && !failed && ctx.Err() == nil {
			d.log.Warn("alerts cannot be judged or told", "error", err)
		}
		failed = err != nil
		select {
		case <-ctx.Done():
		case <-t.C:
		}
	}
}

// Judge looks once what is wrong, and records what is to be told. What only a node knew
// that is gone is over.
func (d *Desk) Judge(ctx context.Context) error {
	h := d.n.Hub()
	v, err := h.Vitals(ctx)
	if err != nil {
		return err
	}
	// Who judges is there, also when that could not be written down.
	v.Nodes = slices.DeleteFunc(v.Nodes, func(n store.Node) bool { return n.Name == d.n.Name() && n.Gone() })
	had, err := h.State().Alerts(ctx)
	if err != nil {
		return err
	}
	if err := d.trail.look(ctx, h.State(), h.Now()); err != nil {
		return err
	}
	if err := d.judged(ctx, "", append(Judge(h.Config(), &v), d.trail.finding(had)...)); err != nil {
		return err
	}
	there := map[string]bool{"": true, d.n.Name(): true}
	for _, n := range v.Nodes {
		there[n.Name] = !n.Gone()
	}
	for _, a := range had {
		if !there[a.Scope] {
			there[a.Scope] = true
			if err := d.judged(ctx, a.Scope, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// judged records what was found in a scope.
func (d *Desk) judged(ctx context.Context, scope string, found []Finding) error {
	h := d.n.Hub()
	all, err := h.State().Alerts(ctx)
	if err != nil {
		return err
	}
	var had []store.Alert
	for _, a := range all {
		if a.Scope == scope {
			had = append(had, a)
		}
	}
	cfg := h.Config()
	s := scale{org: cfg.Org, scope: scope, repeat: cfg.Alerts.Repeat, routes: d.routesOf(cfg).ways(), now: h.Now().Truncate(time.Microsecond)}
	if cfg.Web != nil {
		s.url = cfg.Web.URL
	}
	w := s.weigh(had, found)
	d.say(had, w)
	return h.State().SaveAlerts(ctx, w.save, w.over, w.notices)
}

// say logs what begins and what is over, also where no way is configured.
func (d *Desk) say(had []store.Alert, w weighed) {
	told := map[[2]string]bool{}
	for _, a := range had {
		told[[2]string{a.Condition, a.Subject}] = !a.ToldAt.IsZero()
	}
	for _, a := range w.save {
		if !a.ToldAt.IsZero() && !told[[2]string{a.Condition, a.Subject}] {
			d.log.Warn("alert: "+a.Summary, "condition", a.Condition, "subject", a.Subject, "severity", a.Severity, "todo", a.Do)
		}
	}
	for _, a := range w.over {
		if !a.ToldAt.IsZero() {
			d.log.Info("an alert is over", "condition", a.Condition, "subject", a.Subject, "severity", a.Severity)
		}
	}
}

// routesOf opens the ways of cfg, once. Those that cannot be opened fail when they are
// needed: a config with such was refused before it got here.
func (d *Desk) routesOf(cfg *config.Config) *Routes {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cfg == cfg {
		return d.routes
	}
	routes, err := NewRoutes(cfg)
	if err != nil {
		d.log.Error("people cannot be told everything that is wrong", "error", err)
	}
	if d.routes != nil {
		d.routes.Close()
	}
	d.cfg, d.routes = cfg, routes
	return routes
}

func (d *Desk) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.routes != nil {
		d.routes.Close()
	}
}
