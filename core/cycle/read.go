package cycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/store"
)

// stageRows is how many new and changed identities are held in memory at a time.
const stageRows = 1000

// reading compares the source with the store, record by record.
type reading struct {
	*pass
	index *index
	store *store.Reading
	// all: the source's configuration changed, so that no record counts as known.
	all     bool
	chunk   []identity.Identity
	doubles []identity.Key // staged before they turned out to be double
	records int
	selves  int // people who are their own manager
	// nameless counts bad records of which nobody can tell whose they are.
	nameless int
	// since is the state's generation when the reading began.
	since int64
	// passed counts those left out because they were pushed since.
	passed int
}

// read takes over what is new in the source. A source that is the same as the
// last time is only hashed, one that can tell what changed is asked for that.
func (p *pass) read(ctx context.Context) error {
	if p.Push != nil {
		return p.pushed(ctx)
	}
	for _, short := range []func(context.Context) (bool, error){p.unchanged, p.changes} {
		if done, err := short(ctx); err != nil || done {
			return err
		}
	}
	r := &reading{pass: p, index: newIndex(p.last.People + p.last.Groups), all: p.last.report.Settings != p.report.Settings || p.clockSetBack()}
	var err error
	if r.since, err = p.Store.Generation(ctx); err != nil {
		return err
	}
	err = p.Store.Index(ctx, p.Source.Name, func(kind identity.Kind, anchor []byte, hash identity.Hash) error {
		h, m := r.index.findBytes(kind, anchor)
		*h, *m = hash, *m|markStored
		return nil
	})
	if err != nil {
		return err
	}
	if r.store, err = p.Store.BeginReading(ctx, p.Source.Name); err != nil {
		return err
	}
	if err := r.run(ctx); err != nil {
		return errors.Join(err, r.store.Discard(context.WithoutCancel(ctx)))
	}
	return nil
}

// run reads the source to its end and commits.
func (r *reading) run(ctx context.Context) error {
	report, err := r.Reader.Read(ctx, func(rec *source.Record) error { return r.take(ctx, rec) })
	r.report.Source = report
	if err != nil {
		return err
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	if err := r.usable(); err != nil {
		return err
	}
	return r.conclude(ctx)
}

// take looks at one record. Whoever has one is present, whatever is wrong with it.
func (r *reading) take(ctx context.Context, rec *source.Record) error {
	if r.records++; r.records%1000 == 0 && r.Progress != nil {
		r.Progress(Progress{Phase: "read", Done: r.records})
	}
	if rec.Anchor == "" {
		r.nameless++
		if rec.Fault != nil {
			r.bad(*rec.Fault)
		} else {
			r.fault(source.Fault{Position: rec.Position(), Reason: "the record has no anchor"})
		}
		return nil
	}
	hash, m := r.index.find(rec.Kind, rec.Anchor)
	switch {
	case *m&markSeen != 0:
		r.double(rec, m)
	case rec.Fault != nil:
		*m |= markSeen | markFaulted
		r.bad(*rec.Fault)
	case *m&markStored != 0 && *hash == rec.Hash && !r.all:
		*m |= markSeen
	default:
		*m |= markSeen
		return r.stage(ctx, rec, m)
	}
	return nil
}

// double takes all records of an anchor out that stands in the source more than
// once: which of them is right, nobody can tell (QUIRKS HR-1).
func (r *reading) double(rec *source.Record, m *marks) {
	if *m&markDouble == 0 {
		r.report.Doubles++
		if *m&markStaged != 0 {
			r.doubles = append(r.doubles, identity.Key{Source: r.Source.Name, Kind: rec.Kind, Anchor: strings.Clone(rec.Anchor)})
			r.counted(*m, -1)
		}
	}
	*m |= markDouble
	r.fault(source.Fault{Position: rec.Position(), Anchor: strings.Clone(rec.Anchor),
		Reason: "this anchor stands in the source more than once; none of its records is used until it is unique"})
}

// stage keeps a new or changed record for the commit.
func (r *reading) stage(ctx context.Context, rec *source.Record, m *marks) error {
	id := identity.Identity{
		Key:        identity.Key{Source: r.Source.Name, Kind: rec.Kind, Anchor: strings.Clone(rec.Anchor)},
		Attributes: rec.Attributes(), Hash: rec.Hash, Position: rec.Position(), SourceID: strings.Clone(rec.ID),
		Name: strings.Clone(rec.Name), State: identity.Active,
	}
	if rec.Members != nil {
		id.Members = rec.Members()
	}
	if rec.Kind == identity.Person {
		var err error
		if id.State, id.DueAt, err = r.Source.Lifecycle.State(id.Attributes, r.clock); err != nil {
			*m |= markFaulted
			r.fault(source.Fault{Position: id.Position, Anchor: id.Anchor, Reason: err.Error()})
			return nil
		}
		if id.Reference = reference(id.Attributes, r.Source.Reference); id.Reference != "" && id.Reference == r.called(&id) {
			id.Reference = "" // QUIRKS HR-26
			r.selves++
		}
	}
	*m |= markStaged
	r.counted(*m, 1)
	if r.chunk = append(r.chunk, id); len(r.chunk) >= stageRows {
		return r.flush(ctx)
	}
	return nil
}

// counted adds n to the count that an identity with marks m belongs to.
func (r *reading) counted(m marks, n int) {
	if m&markStored != 0 {
		r.report.Changed += n
	} else {
		r.report.New += n
	}
}

func (r *reading) flush(ctx context.Context) error {
	err := r.store.Stage(ctx, r.chunk)
	r.chunk = r.chunk[:0]
	return err
}

// reference returns the anchor that the attribute called name holds, "" when there
// is none.
func reference(a identity.Attributes, name string) string {
	if name == "" {
		return ""
	}
	switch v := a[name].(type) {
	case string:
		return strings.TrimSpace(v)
	case int64:
		return fmt.Sprint(v)
	}
	return ""
}

// warn adds to what the reader itself warns of.
func (r *reading) warn(format string, args ...any) {
	r.report.Source.Warnings = append(r.report.Source.Warnings, fmt.Sprintf(format, args...))
}

// moveClock notes that dates are compared with now from here on, unless a person
// is to be asked first.
func (p *pass) moveClock() {
	if p.trusted() {
		p.report.Clock = p.later()
	}
}

// commit ends the reading in the store. The report that goes with it is what the
// next cycle compares with. After [store.ErrMoved] the reading is still open.
func (p *pass) commit(ctx context.Context, r *store.Reading, kept Report, vanished, drop []identity.Key) error {
	report, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	_, err = r.Commit(ctx, store.ReadingEnd{After: &p.last.Rev, Snapshot: kept.Source.Snapshot, Dated: kept.Source.Dated,
		Vanished: vanished, Drop: drop, Report: report, Now: p.now, Partial: p.partial})
	if err == nil {
		p.last.Rev++
	}
	return err
}

// commitShort is commit for a reading that is made again when another came first.
func (p *pass) commitShort(ctx context.Context, r *store.Reading, kept Report, vanished, drop []identity.Key) error {
	err := p.commit(ctx, r, kept, vanished, drop)
	if errors.Is(err, store.ErrMoved) {
		err = errors.Join(err, r.Discard(context.WithoutCancel(ctx)))
	}
	return err
}
