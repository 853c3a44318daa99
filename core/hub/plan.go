package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector/span"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/cycle"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// PlanOptions say what is planned.
type PlanOptions struct {
	// Source restricts it to one source; "": all.
	Source string
	// Forbid lists kinds that are not planned in this run, besides those the config forbids.
	Forbid []plan.Kind
	// Accept is the snapshot that a person has said is right; see [cycle.Cycle].
	Accept string
	// push takes over single records in place of a reading.
	push *cycle.Push
	// only, when set, is the one connector that is looked at.
	only string
	// others are plans of other sources, made just before.
	others []*plan.Plan
	// patience is how long plugins may take to start; then what is known of their
	// targets is planned with. 0: as long as they take.
	patience time.Duration
}

// Planned is the plan of one source, as stored.
type Planned struct {
	Source string           `json:"source"`
	Status store.PlanStatus `json:"status"`
	Plan   *plan.Plan       `json:"plan"`
	Report cycle.Report     `json:"report"`
	// Existed: the same plan was made before.
	Existed bool `json:"existed"`
	// Problems are connectors that nothing could be planned for, and why.
	Problems []string `json:"problems,omitempty"`
	// Trace is the id of the trace it was made in; "": none.
	Trace string `json:"trace,omitempty"`
}

// Plan reads the sources, works out the difference and stores it as plans; one
// that a guard trips over is held. Nothing is sent. A source that cannot be
// planned for is in the error, and does not stop the others. A node that serves does it
// in its place.
func (h *Hub) Plan(ctx context.Context, o PlanOptions) ([]Planned, error) {
	release, err := h.org.Work(ctx, "provhub, planning")
	if h.besideNode(ctx, err) {
		return h.cyclesBeside(ctx, AskPlan, o)
	}
	if err != nil {
		return nil, err
	}
	defer release()
	return h.plan(ctx, o)
}

// plan is Plan for who holds the working role.
func (h *Hub) plan(ctx context.Context, o PlanOptions) ([]Planned, error) {
	sources, err := h.sources(o.Source)
	if err != nil {
		return nil, err
	}
	var out []Planned
	var errs []error
	for _, s := range sources {
		o.others = unqueued(out)
		p, err := h.planOne(ctx, s, o)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, p)
	}
	return out, errors.Join(errs...)
}

// unqueued are the plans that are made and not in the queue yet.
func unqueued(plans []Planned) (out []*plan.Plan) {
	for _, p := range plans {
		if p.Status != store.PlanApplied {
			out = append(out, p.Plan)
		}
	}
	return out
}

func (h *Hub) sources(name string) ([]*config.Source, error) {
	var out []*config.Source
	var names []string
	for i := range h.cfg.Sources {
		s := &h.cfg.Sources[i]
		names = append(names, s.Name)
		if name == "" || s.Name == name {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return nil, unknown("source", name, names)
	}
	return out, nil
}

func (h *Hub) planOne(ctx context.Context, s *config.Source, o PlanOptions) (out Planned, err error) {
	ctx, sp := h.run(ctx, "plan", aboutSource, s.Name)
	pass := h.observeCycle(s.Name, o.push != nil)
	defer func() {
		pass.ended(&out, err)
		sp.End(err)
	}()
	c, problems, err := h.cycle(ctx, s, o)
	if err != nil {
		return Planned{}, err
	}
	defer closeReader(c.Reader)
	c.Timed = pass.timed
	p, report, err := c.Run(ctx, h.now())
	h.opt.Progress(Progress{What: "reading " + s.Name, Done: 1, Total: 1})
	h.opt.Progress(Progress{What: "planning " + s.Name, Done: 1, Total: 1})
	if err != nil {
		return Planned{}, err
	}
	out = Planned{Source: s.Name, Status: store.PlanProposed, Plan: p, Report: report, Problems: problems, Trace: span.Trace(ctx)}
	sp.Text(aboutPlan, p.Hash).Number("provhub.operations", len(p.Operations))
	if len(p.Verdicts) > 0 {
		out.Status = store.PlanHeld
	}
	if out.Existed, err = h.org.SavePlan(ctx, p, out.Status, h.opt.Actor, h.now()); err != nil {
		return Planned{}, err
	}
	if p.Operations == nil {
		p.Operations = []plan.Operation{} // a list in JSON too
	}
	row, err := h.org.Plan(ctx, p.Hash)
	if err != nil {
		return Planned{}, err
	}
	// The same plan may have been approved since it was held. One that was applied
	// does nothing again, and what is held now is the reading.
	if out.Status != store.PlanHeld || row.Status != store.PlanApplied {
		out.Status = row.Status
	}
	return out, nil
}

// cycle makes the pass over one source. A target that does not answer is planned
// for from what it last said of itself: its operations wait in the queue. Where
// nothing is known of it, it is left out and named: one target must not stop the
// others.
func (h *Hub) cycle(ctx context.Context, s *config.Source, o PlanOptions) (*cycle.Cycle, []string, error) {
	reader, err := h.reader(s)
	if err != nil {
		return nil, nil, err
	}
	fields, err := fieldsOf(h.cfg, s)
	if err != nil {
		closeReader(reader)
		return nil, nil, err
	}
	connectors := slices.DeleteFunc(h.fedBy(s), func(c *config.Connector) bool { return o.only != "" && c.Name != o.only })
	starting, started := span.Start(ctx, "plugins")
	failed := h.startWithin(starting, connectors, o.patience)
	started.Number("provhub.failed", len(failed)).End(nil)
	var problems []string
	var errs []error
	c := &cycle.Cycle{Store: h.org, Source: *s, Reader: reader, Accept: o.Accept, Others: o.others, Push: o.push, Progress: func(p cycle.Progress) {
		h.opt.Progress(Progress{What: phases[p.Phase] + " " + s.Name, Done: p.Done})
	}}
	for _, cc := range connectors {
		k, err := h.known(ctx, cc)
		if errors.Is(err, errUnknownTarget) {
			problems = append(problems, ofConnector(cc.Name, failed[cc.Name]).Error())
			c.LeftOut = append(c.LeftOut, cc.Name)
			continue
		}
		if err != nil {
			closeReader(reader)
			return nil, nil, err
		}
		unfindable := ""
		if faults := unmatchable(cc, k); len(faults) > 0 {
			unfindable = strings.Join(faults, "; ")
			problems = append(problems, fmt.Sprintf("connector %s: no accounts are made: %s", cc.Name, unfindable))
		}
		programs, err := compile(cc, s, fields)
		if err != nil {
			errs = append(errs, ruleFaults(h.cfg.Path, err))
			continue
		}
		t := h.target(cc, k, programs, o)
		t.Unfindable = unfindable
		c.Connectors = append(c.Connectors, t)
	}
	if err := errors.Join(errs...); err != nil {
		closeReader(reader)
		return nil, nil, err
	}
	return c, problems, nil
}

var phases = map[string]string{"read": "reading", "plan": "planning"}

func (h *Hub) fedBy(s *config.Source) []*config.Connector {
	var out []*config.Connector
	for i := range h.cfg.Connectors {
		if c := &h.cfg.Connectors[i]; c.FedBy(s.Name) {
			out = append(out, c)
		}
	}
	return out
}

func (h *Hub) target(c *config.Connector, k known, programs map[identity.Kind]*mapping.Program, o PlanOptions) cycle.Connector {
	policy, groups := c.Policy, c.GroupPolicy
	policy.Forbid = slices.Concat(policy.Forbid, o.Forbid)
	groups.Forbid = slices.Concat(groups.Forbid, o.Forbid)
	t := cycle.Connector{
		Name: c.Name, Sources: c.Sources, Programs: programs, Policy: policy, GroupPolicy: groups, Guards: c.Guards, Schema: k.Schema, Capabilities: k.Capabilities,
		RulesHash: restricted(rulesHash(c), o.Forbid),
	}
	if k.instance != nil && (k.Capabilities.Get || k.Capabilities.List) {
		t.Target = k.instance
	}
	return t
}
