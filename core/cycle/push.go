package cycle

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

// Push takes over single records that did not come with a reading of the whole
// source, so that a leaver does not wait for the schedule. The pass looks at these
// people and at nobody else, and its plan speaks for nobody else.
type Push struct {
	// Read yields the records; its report is not looked at.
	Read func(ctx context.Context, yield func(*source.Record) error) error
	// At is when the records were made. A whole reading of a source that is dated
	// before does not take them back.
	At time.Time
	// keys are the identities that were pushed.
	keys []identity.Key
}

// Pushed is one record that is newer than the source as last read.
type Pushed struct {
	Kind   identity.Kind `json:"kind"`
	Anchor string        `json:"anchor"`
	At     time.Time     `json:"at"`
}

// before reports whether a source of that date has the last word about q.
func (q Pushed) before(dated time.Time) bool { return dated.IsZero() || !q.At.After(dated) }

// caughtUp reports whether a source of that date takes back something pushed, be
// its content what it was.
func (p *pass) caughtUp(dated time.Time) bool {
	return slices.ContainsFunc(p.report.Pushed, func(q Pushed) bool { return q.before(dated) })
}

// pushed takes the records over. What is remembered of the source stays as it is.
func (p *pass) pushed(ctx context.Context) error {
	p.report.Source = p.last.report.Source
	if p.trusted() {
		p.clock = p.later()
	}
	read := func(yield func(*source.Record) error) error {
		return p.Push.Read(ctx, func(rec *source.Record) error {
			p.Push.keys = append(p.Push.keys, identity.Key{Source: p.Source.Name, Kind: rec.Kind, Anchor: strings.Clone(rec.Anchor)})
			p.notePushed(rec)
			return yield(rec)
		})
	}
	return newDelta(p).run(ctx, read, func() Report {
		kept := p.last.report
		kept.Pushed, kept.Profile = p.report.Pushed, p.report.Profile
		return kept
	})
}

func (p *pass) notePushed(rec *source.Record) {
	if p.Push.At.IsZero() {
		return // read from the source itself just now
	}
	p.report.Pushed = slices.DeleteFunc(slices.Clone(p.report.Pushed), func(q Pushed) bool { return q.Kind == rec.Kind && q.Anchor == rec.Anchor })
	p.report.Pushed = append(p.report.Pushed, Pushed{Kind: rec.Kind, Anchor: rec.Anchor, At: p.Push.At})
}

// keepPushed leaves pushed records as they are where the source is dated before
// them, and forgets the others: the source has caught up.
func (r *reading) keepPushed() {
	dated := r.report.Source.Dated
	r.report.Pushed = slices.DeleteFunc(slices.Clone(r.report.Pushed), func(q Pushed) bool { return q.before(dated) })
	for _, q := range r.report.Pushed {
		_, m := r.index.find(q.Kind, q.Anchor)
		if *m&markStaged != 0 {
			r.counted(*m, -1)
			r.doubles = append(r.doubles, identity.Key{Source: r.Source.Name, Kind: q.Kind, Anchor: q.Anchor})
		}
		*m |= markSeen
	}
	if n := len(r.report.Pushed); n > 0 {
		r.warn("%d records that were pushed are newer than the source, and stay as they are", n)
	}
}

// evaluatePushed works out the people who were pushed, in every connector.
func (p *pass) evaluatePushed(ctx context.Context, targets []*target) error {
	p.plan.Inputs.Partial = true
	keys := make([]identity.AccountKey, len(p.Push.keys))
	for i, k := range p.Push.keys {
		keys[i] = k.Account("")
	}
	slices.SortFunc(keys, func(a, b identity.AccountKey) int {
		return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Anchor, b.Anchor))
	})
	return p.work(ctx, targets, func(yield func(identity.Identity) error) error {
		return p.identities(ctx, slices.Compact(keys), yield)
	})
}
