package cycle

import (
	"context"
	"fmt"
	"time"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/quality"
	"github.com/provhub/provhub/core/source"
)

// Look is told what a reading finds; each may be nil.
type Look struct {
	// Fault gets every bad record, also those that the report only counts.
	Fault func(source.Fault)
	// Change gets everyone who is new (before is nil), changed, or gone (after is nil)
	// against what is stored.
	Change func(before, after *identity.Identity) error
}

// Look reads the whole source as [Cycle.Run] would, and takes nothing over. The
// verdicts are those that would hold the plan for the source's sake.
func (c *Cycle) Look(ctx context.Context, now time.Time, l Look) (Report, []plan.Verdict, error) {
	p := &pass{Cycle: c, now: now, look: &l}
	for _, step := range []func(context.Context) error{p.recall, p.read} {
		if err := step(ctx); err != nil {
			return p.report, nil, fmt.Errorf("source %s: %w", c.Source.Name, err)
		}
	}
	return p.report, p.plan.Verdicts, nil
}

// looked ends a reading that was only to be looked at.
func (r *reading) looked(ctx context.Context, vanished []identity.Key) error {
	if r.look.Change != nil {
		if err := r.eachChange(ctx, vanished, r.look.Change); err != nil {
			return err
		}
	}
	if quality.Held(r.report.Findings) {
		r.plan.Verdicts = append(r.plan.Verdicts, r.suspicion())
	}
	return r.store.Discard(ctx)
}

// fault counts a bad record that the reader thought good.
func (p *pass) fault(f source.Fault) {
	p.report.fault(f)
	p.bad(f)
}

// bad tells of a bad record.
func (p *pass) bad(f source.Fault) {
	if p.look != nil && p.look.Fault != nil {
		p.look.Fault(f)
	}
}
