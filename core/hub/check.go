package hub

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/pluginhost"
)

// Check is the check of one connector.
type Check struct {
	Connector string                `json:"connector"`
	Plugin    string                `json:"plugin"`
	Product   string                `json:"product,omitempty"`
	Passed    bool                  `json:"passed"`
	Steps     []connector.CheckStep `json:"steps,omitempty"`
	// Problem says why there are no steps: the plugin did not start.
	Problem string `json:"problem,omitempty"`
	// Resumed: it stood still because of an error, and goes on now.
	Resumed bool `json:"resumed,omitempty"`
}

// Check checks the named connectors, side by side; none named: all of them.
func (h *Hub) Check(ctx context.Context, names []string) ([]Check, error) {
	cs, err := h.named(names)
	if err != nil {
		return nil, err
	}
	out := make([]Check, len(cs))
	var g errgroup.Group
	g.SetLimit(startAtOnce)
	for i, c := range cs {
		out[i] = Check{Connector: c.Name, Plugin: c.Plugin}
		g.Go(func() error { return h.check(ctx, c, &out[i]) })
	}
	return out, g.Wait()
}

// check takes the steps first: they tell what is wrong also when the connector's
// plugin does not come up. Then it must.
func (h *Hub) check(ctx context.Context, c *config.Connector, out *Check) error {
	err := h.checkSteps(ctx, c, out)
	if err != nil {
		out.Problem = err.Error()
		return h.noteStart(ctx, c, &running{err: err})
	}
	if out.Passed = passes(out.Steps); !out.Passed {
		return nil
	}
	if _, err := h.instance(ctx, c); err != nil {
		out.Passed, out.Problem = false, err.Error()
		return nil
	}
	return h.resumeChecked(ctx, c, out)
}

// checkSteps takes the steps with the running plugin, else with one that is there
// for them alone.
func (h *Hub) checkSteps(ctx context.Context, c *config.Connector, out *Check) (err error) {
	if in := h.started(c); in != nil {
		out.Steps, out.Product, err = in.Check(ctx)
		return err
	}
	pc, err := h.pluginConfig(c)
	if err == nil {
		out.Steps, out.Product, err = pluginhost.CheckOnce(ctx, pc)
	}
	return err
}

func passes(steps []connector.CheckStep) bool {
	for _, s := range steps {
		if s.Status == connector.CheckFail {
			return false
		}
	}
	return true
}

// resumeChecked lets a connector go on whose check has passed, unless it leads to
// another target. One whose target asked to be left alone is left alone.
func (h *Hub) resumeChecked(ctx context.Context, c *config.Connector, out *Check) error {
	state, err := h.org.ConnectorState(ctx, c.Name)
	if err != nil {
		return err
	}
	if state.Held() != "" {
		out.Passed = false
		out.Steps = append(out.Steps, connector.CheckStep{Name: "same target", Status: connector.CheckFail, Message: state.Held()})
		return nil
	}
	if state.Stopped == "" && state.Failures == 0 {
		return nil
	}
	out.Resumed = true
	state.Stopped, state.StoppedAt, state.ResumeAt, state.Failures = "", time.Time{}, time.Time{}, 0
	return h.org.SetConnectorState(ctx, state, h.opt.Actor, h.now())
}
