package cycle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/quality"
)

// errSuspicious ends a delta that is not to be taken over as it is.
var errSuspicious = errors.New("what changed looks wrong")

// unknownMax bounds the managers whom nobody is that are kept by name.
const unknownMax = 1000

// subject says what is counted of the source.
func (p *pass) subject() quality.Subject {
	s := quality.Subject{Segments: p.Source.Quality.Segments, Reference: p.Source.Reference}
	switch {
	case p.Source.CSV != nil:
		s.Anchor = p.Source.CSV.Anchor
	case p.Source.LDAP != nil:
		s.Anchor = p.Source.LDAP.People.Anchor
	}
	for _, f := range p.Reader.Fields() {
		s.Columns = append(s.Columns, f.Name)
	}
	return s
}

// profile returns what the store's people look like, counted anew where the last
// reading left no count of the same things. managers are all who
// are named as one then; empty otherwise.
func (p *pass) profile(ctx context.Context) (base *quality.Profile, managers map[string]bool, err error) {
	s := p.subject()
	managers = map[string]bool{}
	if s.Fits(p.last.report.Profile) {
		return p.last.report.Profile, managers, nil
	}
	base = s.New()
	if p.last.People == 0 {
		return base, managers, nil
	}
	return base, managers, p.Store.All(ctx, p.Source.Name, func(id identity.Identity) error {
		if id.Kind == identity.Person && id.AbsentSince.IsZero() {
			s.Count(base, id.Attributes, 1)
			if id.Reference != "" {
				managers[id.Reference] = true
			}
		}
		return nil
	})
}

// judge compares what is staged, and who vanished, with what is stored. It costs what
// changed.
func (r *reading) judge(ctx context.Context, vanished []identity.Key) error {
	base, managers, err := r.profile(ctx)
	if err != nil {
		return err
	}
	c := r.subject().Compare(base)
	if was := &r.last.report; r.report.ReadWhole.Equal(r.now) {
		c.Bad, c.BadBefore = r.report.Source.FaultCount+r.report.FaultCount, was.Source.FaultCount+was.FaultCount
	}
	gone := map[string]bool{}
	if err := r.eachChange(ctx, vanished, func(before, after *identity.Identity) error {
		if kindOf(before, after) != identity.Person {
			return nil
		}
		c.Change(before, after)
		if after == nil {
			gone[before.Anchor], managers[r.called(before)] = true, true
		}
		return nil
	}); err != nil {
		return err
	}
	if err := r.managers(ctx, c, managers, gone); err != nil {
		return err
	}
	r.report.Profile, r.report.Findings = c.After, c.Findings(r.Source.Quality)
	return nil
}

func kindOf(before, after *identity.Identity) identity.Kind {
	if before != nil {
		return before.Kind
	}
	return after.Kind
}

// eachChange calls yield for everyone who is new (before is nil), changed, or gone
// (after is nil) in the reading.
func (r *reading) eachChange(ctx context.Context, vanished []identity.Key, yield func(before, after *identity.Identity) error) error {
	dropped := make(map[identity.Key]bool, len(r.doubles))
	for _, k := range r.doubles {
		dropped[k] = true
	}
	err := r.store.Changes(ctx, func(before, after identity.Identity) error {
		switch {
		case dropped[after.Key]:
			return nil
		case before.Rev == 0 || !before.AbsentSince.IsZero():
			return yield(nil, &after)
		}
		return yield(&before, &after)
	})
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(vanished, stageRows) {
		for _, kind := range []identity.Kind{identity.Person, identity.Group} {
			var anchors []string
			for _, k := range chunk {
				if k.Kind == kind {
					anchors = append(anchors, k.Anchor)
				}
			}
			gone, err := r.Store.Identities(ctx, r.Source.Name, kind, anchors)
			if err != nil {
				return err
			}
			for _, anchor := range slices.Sorted(maps.Keys(gone)) {
				id := gone[anchor]
				if err := yield(&id, nil); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// managers walks up from whoever is named by those who changed, and from where
// something was wrong before (QUIRKS HR-26). gone are the anchors of who vanished.
func (r *reading) managers(ctx context.Context, c *quality.Comparison, from, gone map[string]bool) error {
	for _, anchors := range []map[string]int{c.Named, c.Before.Unknown} {
		for a := range anchors {
			from[a] = true
		}
	}
	for _, a := range c.Before.Circle {
		from[a] = true
	}
	delete(from, "")
	circle, unknown, err := quality.Follow(slices.Collect(maps.Keys(from)), func(names []string) (map[string]string, error) {
		found, err := r.store.References(ctx, names, r.byName)
		out := make(map[string]string, len(found))
		for name, who := range found {
			if !gone[who.Anchor] {
				out[name] = who.Reference
			}
		}
		return out, err
	})
	if err != nil {
		return err
	}
	stored, err := r.Store.NamedBy(ctx, r.Source.Name, unknown)
	if err != nil {
		return err
	}
	c.After.Circle, c.After.Unknown = circle, map[string]int{}
	for _, a := range unknown {
		if n := c.Naming(a, stored[a]); n > 0 && len(c.After.Unknown) < unknownMax {
			c.After.Unknown[a] = n
		}
	}
	return nil
}

// refuse takes nothing of the reading over until a person accepts it. The plan is made
// from what was read before, and held.
func (r *reading) refuse(ctx context.Context) error {
	if err := r.store.Discard(ctx); err != nil {
		return err
	}
	r.seen = r.index
	r.plan.Verdicts = append(r.plan.Verdicts, r.suspicion())
	r.plan.Inputs.Refused = r.report.Source.Snapshot
	r.refused = &Refused{Snapshot: r.report.Source.Snapshot, At: r.now, Findings: r.report.Findings}
	r.report.Refused = r.refused
	r.moveClock()
	return r.remember(ctx)
}

// suspicion is the verdict about a reading with findings that hold it.
func (r *reading) suspicion() plan.Verdict {
	var what []string
	count := 0
	for _, f := range r.report.Findings {
		if f.Then == quality.Hold {
			what = append(what, f.Text)
			count = max(count, f.Count)
		}
	}
	return plan.Verdict{Guarded: plan.GuardQuality, Count: count, Limit: "quality", Window: "run",
		Text: fmt.Sprintf("source %s: %s. Nothing of this reading was taken over; `provhub source diff %s` shows it. If the source is right, run `provhub sync --accept %.12s`.",
			r.Source.Name, strings.Join(what, "; "), r.Source.Name, r.report.Source.Snapshot)}
}
