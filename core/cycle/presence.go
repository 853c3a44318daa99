package cycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/source"
)

// vanishLimit is the guard of a source whose configuration names none: a tenth of
// the people, and at least five.
var vanishLimit = plan.Limit{Percent: 10, MinPopulation: 50}

// acceptLength is how much of a snapshot's name a person must give.
const acceptLength = 8

// unchanged ends the reading early when the source is, byte by byte, what it was
// when it was last read without reserve. Now and then it is read all the same, so that
// nobody stays wrong for good whom the store should have otherwise; not a file that was
// put away when it was read.
func (p *pass) unchanged(ctx context.Context) (bool, error) {
	f, ok := p.Reader.(source.Fingerprinter)
	was := &p.last.report
	if _, away := p.Reader.(source.Committer); !ok || !p.settled() || !away && p.wholeDue() {
		return false, nil
	}
	snapshot, dated, err := f.Fingerprint(ctx)
	if errors.Is(err, errors.ErrUnsupported) {
		return false, nil
	}
	if err != nil || snapshot != p.last.Snapshot || p.caughtUp(dated) {
		return false, err
	}
	// What is wrong with the content still is.
	p.report = Report{Source: was.Source, Unchanged: true, Doubles: was.Doubles, Faults: was.Faults, FaultCount: was.FaultCount,
		Clock: p.report.Clock, Settings: p.report.Settings, ReadWhole: was.ReadWhole, Pushed: was.Pushed,
		Findings: was.Findings, Profile: was.Profile}
	p.report.Source.Dated = dated
	p.note()
	p.moveClock()
	return true, p.remember(ctx)
}

// settled reports whether the last reading was taken over without reserve, so that
// this one may be told by what is different.
func (p *pass) settled() bool {
	was := &p.last.report
	// Whose records are bad, the report does not know, and who has one is not deleted.
	deletes := slices.ContainsFunc(p.Connectors, func(c Connector) bool { return c.Policy.DeleteAfter > 0 })
	if bad := was.Source.FaultCount + was.FaultCount; bad > 0 && deletes {
		return false
	}
	return p.Accept == "" && p.look == nil && p.subject().Fits(was.Profile) && was.Settings == p.report.Settings && was.Source.Complete && was.Missing == 0 && !p.clockSetBack()
}

// remember writes how the reading went, and nothing else.
func (p *pass) remember(ctx context.Context) error {
	r, err := p.Store.BeginReading(ctx, p.Source.Name)
	if err != nil {
		return err
	}
	report := p.report
	if p.refused != nil {
		report = p.last.report
		report.Clock, report.Refused = p.report.Clock, p.refused
	}
	return p.commitShort(ctx, r, report, nil, nil)
}

// accepted reports whether a person has said that this reading is right.
func (p *pass) accepted() bool {
	return p.Accept != "" && strings.HasPrefix(p.report.Source.Snapshot, p.Accept)
}

// usable refuses a reading from which nothing may be concluded at all.
func (r *reading) usable() error {
	report := &r.report.Source
	if r.Accept != "" && (len(r.Accept) < acceptLength || !r.accepted()) {
		return fmt.Errorf("snapshot %s was accepted, and the source is at %.12s now: look at what changed, then accept that one", r.Accept, report.Snapshot)
	}
	if r.records == 0 {
		// QUIRKS HR-4
		return errors.New("there is nobody in the source: an empty source is never taken to mean that everybody left")
	}
	if report.Dated.Before(r.last.Dated) && report.Snapshot != r.last.Snapshot && !report.Dated.IsZero() && !r.accepted() {
		precision := time.RFC3339
		if r.last.Dated.Sub(report.Dated) < time.Second {
			precision = time.RFC3339Nano
		}
		return fmt.Errorf("it is dated %s, and the one read before %s: an older export seems to have been put back. Nothing was taken over. If it is right, run `provhub sync --accept %.12s`",
			report.Dated.UTC().Format(precision), r.last.Dated.UTC().Format(precision), report.Snapshot)
	}
	return nil
}

// vanished returns those who are stored as present and were not in the reading.
// Only a complete reading says that they left, and not when it lost too many.
func (r *reading) vanished(ctx context.Context) ([]identity.Key, error) {
	missing := r.index.count(markStored, markSeen)
	if r.index.count(markFaulted, 0)+r.index.count(markDouble, 0) > 0 {
		r.unusable = r.index
	}
	complete := r.report.Source.Complete && r.nameless == 0
	if !complete {
		r.seen = r.index
		r.incomplete(missing)
	}
	if missing == 0 {
		return nil, nil
	}
	limit, trips := r.tooMany(missing, r.present())
	switch {
	case !complete:
		r.report.Missing = missing
		return nil, nil
	case trips && !r.accepted():
		r.report.Missing = missing
		r.seen = r.index
		r.plan.Verdicts = append(r.plan.Verdicts, plan.Verdict{Guarded: plan.GuardVanish, Count: missing, Limit: limit, Window: "run",
			Text: fmt.Sprintf("source %s: %d of %d people and groups are missing from it, the limit is %s. Nobody is taken to have left. If the source is right, run `provhub sync --accept %.12s`.",
				r.Source.Name, missing, r.present(), limit, r.report.Source.Snapshot)})
		return nil, nil
	}
	keys, err := r.absent(ctx, missing)
	if err == nil {
		keys, err = r.confirmed(ctx, keys)
	}
	r.report.Vanished = len(keys)
	return keys, err
}

// confirmed returns those of the missing who are not there when they are asked for
// one by one. A listing that changes while it is paged through can pass over
// somebody and count right all the same (QUIRKS SCIM-16); who was passed over is
// kept, and the source is read whole the next time. Sources that cannot be asked
// for one are believed, and so is a person who has said that the reading is right.
func (r *reading) confirmed(ctx context.Context, keys []identity.Key) ([]identity.Key, error) {
	one, ok := r.Reader.(source.Single)
	if !ok || r.accepted() {
		return keys, nil
	}
	gone := keys[:0]
	for _, k := range keys {
		there := false
		err := one.ReadOne(ctx, k.Kind, k.Anchor, func(rec *source.Record) error {
			there = !rec.Deleted
			return nil
		})
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			return keys, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case there, err != nil && !errors.Is(err, source.ErrNotThere):
			r.report.Missing++
			_, m := r.index.find(k.Kind, k.Anchor)
			*m |= markSeen
		default:
			gone = append(gone, k)
		}
	}
	if n := r.report.Missing; n > 0 {
		r.warn("%d who were not listed are there when asked for, or could not be asked for: they count as present, and the source is read whole the next time", n)
	}
	return gone, nil
}

func (r *reading) incomplete(missing int) {
	if r.nameless > 0 {
		r.report.Source.Complete = false
		r.report.Source.Incomplete = append(r.report.Source.Incomplete, fmt.Sprintf("nobody can tell whose %d bad records are", r.nameless))
	}
	if missing > 0 {
		r.warn("the reading is incomplete: %d who are missing from it count as present", missing)
	}
}

// present returns how many were stored as present before the reading.
func (r *reading) present() int { return r.index.count(markStored, 0) }

// tooMany reports whether so many are missing that the source looks shrunken
// (QUIRKS HR-4), and names the limit. Where the configuration sets no limit, more
// than half is too many even where it is but a few.
func (r *reading) tooMany(missing, present int) (limit string, trips bool) {
	if r.Source.Vanish != (plan.Limit{}) {
		return r.Source.Vanish.Trips(missing, present)
	}
	if missing > 2 && missing*2 > present {
		return fmt.Sprintf("half of %d", present), true
	}
	return vanishLimit.Trips(missing, present)
}

// absent names those who are missing; the index knows only how many.
func (r *reading) absent(ctx context.Context, n int) ([]identity.Key, error) {
	keys := make([]identity.Key, 0, n)
	err := r.Store.Index(ctx, r.Source.Name, func(kind identity.Kind, anchor []byte, _ identity.Hash) error {
		if _, m := r.index.findBytes(kind, anchor); *m&markSeen == 0 {
			keys = append(keys, identity.Key{Source: r.Source.Name, Kind: kind, Anchor: string(anchor)})
		}
		return nil
	})
	return keys, err
}
