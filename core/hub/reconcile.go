package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connector/span"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/reconcile"
	"github.com/provhub/provhub/core/store"
)

// ReconcileOptions say how one run reacts.
type ReconcileOptions struct {
	// React takes the place of what the config says, by situation; nil: as configured.
	React map[reconcile.Situation]reconcile.Reaction `json:"react,omitempty"`
}

// Reconciled is what a reconciliation found and did.
type Reconciled struct {
	Connector string `json:"connector"`
	reconcile.Result
	// Sources tell what was compared with what is wanted.
	Sources []Surveyed `json:"sources"`
	// Corrected rows of the ledger, and people, are looked at by the next plan.
	Corrected  int `json:"corrected"`
	Considered int `json:"considered"`
	// Resolved findings of earlier runs are not so any more.
	Resolved int `json:"resolved"`
	// Plan is the plan that disables orphans; nil: there was none to make.
	Plan *Planned `json:"plan,omitempty"`
	// Trace is the id of the trace of the run; "": it has none.
	Trace string `json:"trace,omitempty"`
}

// Findings is how many accounts are not as they should be.
func (r *Reconciled) Findings() (n int) {
	for _, s := range reconcile.Situations {
		n += r.Counts[s]
	}
	return n
}

// Reconcile compares one target with the ledger, and the ledger with what is wanted, records what it finds, and reacts
// as the config says, or o. It changes nothing in the target by itself; what it has
// planned goes the way of every plan. It asks for the working role; a node that serves
// does it in its place.
func (h *Hub) Reconcile(ctx context.Context, name string, o ReconcileOptions) (out Reconciled, err error) {
	if _, err := h.Connector(name); err != nil {
		return out, err
	}
	release, err := h.org.Work(ctx, "provhub reconcile")
	if h.besideNode(ctx, err) {
		err = h.handOver(ctx, AskReconcile, name, o, &out)
		return out, err
	}
	if err != nil {
		return out, err
	}
	defer release()
	return h.ReconcileOne(ctx, name, o)
}

// ReconcileOne is [Hub.Reconcile] for who holds the working role.
func (h *Hub) ReconcileOne(ctx context.Context, name string, o ReconcileOptions) (out Reconciled, err error) {
	ctx, s := h.run(ctx, "reconcile", aboutConnector, name)
	defer func() { s.Number("provhub.findings", out.Findings()).End(err) }()
	out = Reconciled{Connector: name, Trace: span.Trace(ctx)}
	c, in, err := h.instanceOf(ctx, name)
	if err != nil {
		return out, err
	}
	began := h.now()
	x := &reconciling{h: h, c: c, now: began, out: &out, planned: map[identity.AccountKey]bool{}}
	run := &reconcile.Run{
		Connector: name, Schema: in.Schema(), Capabilities: in.Capabilities(), Target: in, Ledger: h.org,
		Owners: &owners{h: h, c: c}, Kinds: kindsOf(c), React: c.Reconcile.React, Now: h.now, Found: x.found, Fine: x.fine,
		Progress: func(n int) { h.opt.Progress(Progress{What: "reading " + name, Done: n}) },
	}
	if o.React != nil {
		run.React = o.React
	}
	out.Result, err = run.Do(ctx)
	if ferr := x.flush(ctx); err == nil {
		err = ferr
	}
	h.opt.Progress(Progress{What: "reading " + name, Done: 1, Total: 1})
	if err != nil {
		return out, fmt.Errorf("connector %s: %w", name, err)
	}
	if out.Complete {
		err = x.resolve(ctx, reconcile.OfTarget)
	}
	if serr := x.survey(ctx, run.React); err == nil {
		err = serr
	}
	if err != nil {
		return out, err
	}
	out.Plan, err = h.planOrphans(ctx, c, x.orphans)
	return out, err
}

// kindsOf are the kinds that a connector keeps accounts of.
func kindsOf(c *config.Connector) (kinds []identity.Kind) {
	for _, r := range c.Rules {
		kinds = append(kinds, r.Kind)
	}
	return kinds
}

// reconciling gathers what a run finds and writes it in batches.
type reconciling struct {
	h   *Hub
	c   *config.Connector
	now time.Time
	out *Reconciled

	rows        []store.FindingRow
	corrections []store.Correction
	consider    []identity.AccountKey
	orphans     []reconcile.Finding
	// planned are the accounts that the next plan looks at because of what was found in
	// the target: that they are not as wanted is the same news.
	planned map[identity.AccountKey]bool
}

// findingsAtOnce is how many findings are written in one transaction.
const findingsAtOnce = 200

// resolve marks findings in these situations that were not made again as not so any more.
func (x *reconciling) resolve(ctx context.Context, of []reconcile.Situation) error {
	n, err := x.h.org.ResolveFindingsBefore(ctx, x.c.Name, texts(of), x.now, x.h.now())
	x.out.Resolved += n
	return err
}

// objectOf is what people call the account that a finding is about; "" while there is none.
func objectOf(f *reconcile.Finding) string {
	if f.Ref == (connector.Ref{}) {
		return ""
	}
	return f.Ref.String()
}

func texts(of []reconcile.Situation) (out []string) {
	for _, s := range of {
		out = append(out, string(s))
	}
	return out
}

func (x *reconciling) found(ctx context.Context, f reconcile.Finding, correct *identity.Account) error {
	body, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("keep a finding: %w", err)
	}
	x.rows = append(x.rows, store.FindingRow{Connector: f.Connector, Kind: f.Kind, TargetID: f.About(), Situation: string(f.Situation), Source: f.Source, Anchor: f.Anchor,
		Reaction: string(f.Reaction), Object: objectOf(&f), Text: f.Text, Body: body})
	switch f.Reaction {
	case reconcile.Fix:
		x.planned[f.Who().Account(f.Connector)] = true
		if correct != nil {
			x.corrections = append(x.corrections, store.Correction{Account: *correct, Why: f.Text})
			break
		}
		x.consider = append(x.consider, f.Who().Account(f.Connector))
	case reconcile.Adopt:
		x.planned[f.Who().Account(f.Connector)] = true
		x.consider = append(x.consider, f.Who().Account(f.Connector))
	case reconcile.Disable:
		x.orphans = append(x.orphans, f)
	}
	if len(x.rows) < findingsAtOnce {
		return nil
	}
	return x.flush(ctx)
}

func (x *reconciling) fine(ctx context.Context, kind identity.Kind, ids []string) error {
	return x.h.org.ResolveFindings(ctx, x.c.Name, kind, ids, x.now)
}

func (x *reconciling) flush(ctx context.Context) error {
	if err := x.h.org.SaveFindings(ctx, x.rows, x.now); err != nil {
		return err
	}
	done, err := x.h.org.CorrectAccounts(ctx, x.corrections, x.h.opt.Actor, x.h.now())
	if err != nil {
		return err
	}
	if err := x.h.org.Reconsider(ctx, x.consider); err != nil {
		return err
	}
	x.out.Corrected += len(done)
	x.out.Considered += len(x.consider)
	x.rows, x.corrections, x.consider = nil, nil, nil
	return nil
}
