package cycle

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/quality"
	"github.com/provhub/provhub/core/source"
)

// wholeEvery is how often a source that tells what changed, or that nothing has, is read
// whole all the same, when its configuration does not say: no such telling is complete
// for ever (QUIRKS LDAP-35, HR-27).
const wholeEvery = 24 * time.Hour

// delta is a reading of what changed. Whoever is not in it is as before.
type delta struct {
	*reading
	records []source.Record // copies, for which the store has not been asked yet
	gone    map[identity.Key]bool
}

// changes reads what changed since the last reading, where the source can tell and
// that reading was taken over without reserve.
func (p *pass) changes(ctx context.Context) (done bool, err error) {
	f, ok := p.Reader.(source.Incremental)
	token := p.last.report.Source.Token
	if !ok || token == nil || !p.settled() || p.wholeDue() {
		return false, nil
	}
	d := newDelta(p)
	before := p.report
	err = d.run(ctx, func(yield func(*source.Record) error) (err error) {
		p.report.Source, err = f.Changes(ctx, token, yield)
		return err
	}, d.conclude)
	p.partial = err == nil
	switch {
	case errors.Is(err, source.ErrTokenExpired):
		p.report.warn("%v: it was read whole", err)
		return false, nil
	case errors.Is(err, errSuspicious):
		p.report, p.unusable = before, nil // a whole reading says whether it is so
		return false, nil
	}
	return true, err
}

// conclude ends a delta as a reading of the source. What was wrong with records
// that are not in it still is.
func (d *delta) conclude() Report {
	was, report := &d.last.report, &d.report
	report.Source.Delta, report.Source.Complete = true, true
	report.Doubles += was.Doubles
	report.FaultCount += was.FaultCount
	report.Source.FaultCount += was.Source.FaultCount
	report.Faults = firstFaults(report.Faults, was.Faults)
	report.Source.Faults = firstFaults(report.Source.Faults, was.Source.Faults)
	d.moveClock()
	return *report
}

// wholeDue reports whether the source is to be read whole, whatever it tells.
func (p *pass) wholeDue() bool {
	return p.now.Sub(p.last.report.ReadWhole) >= cmp.Or(p.Source.WholeEvery, wholeEvery)
}

func firstFaults(now, before []source.Fault) []source.Fault {
	return append(now, before[:min(len(before), max(0, faultsMax-len(now)))]...)
}

func newDelta(p *pass) *delta {
	p.partial = true
	return &delta{reading: &reading{pass: p, index: newIndex(0)}, gone: map[identity.Key]bool{}}
}

// run takes over what read yields. conclude returns the report to be kept.
func (d *delta) run(ctx context.Context, read func(func(*source.Record) error) error, conclude func() Report) error {
	var err error
	if d.store, err = d.Store.BeginReading(ctx, d.Source.Name); err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return read(func(rec *source.Record) error { return d.copy(ctx, rec) }) },
		func() error { return d.look(ctx) },
		func() error { return d.flush(ctx) },
	} {
		if err := step(); err != nil {
			return errors.Join(err, d.store.Discard(context.WithoutCancel(ctx)))
		}
	}
	if d.index.count(markFaulted, 0) > 0 {
		d.unusable = d.index
	}
	gone := d.vanished()
	err = d.judge(ctx, gone)
	if err == nil && quality.Held(d.report.Findings) && d.Push == nil {
		err = errSuspicious
	}
	if err != nil {
		return errors.Join(err, d.store.Discard(context.WithoutCancel(ctx)))
	}
	return d.commitShort(ctx, d.store, conclude(), gone, d.doubles)
}

// copy keeps a record until the store is asked for many at once.
func (d *delta) copy(ctx context.Context, rec *source.Record) error {
	if d.reading.records++; d.Progress != nil && d.reading.records%1000 == 0 {
		d.Progress(Progress{Phase: "read", Done: d.reading.records})
	}
	c := source.Record{Kind: rec.Kind, Anchor: strings.Clone(rec.Anchor), ID: strings.Clone(rec.ID), Name: strings.Clone(rec.Name), Hash: rec.Hash,
		Deleted: rec.Deleted, Fault: rec.Fault}
	position := rec.Position()
	c.Position = func() string { return position }
	if rec.Fault == nil && !rec.Deleted {
		attributes := rec.Attributes()
		c.Attributes = func() identity.Attributes { return attributes }
		if rec.Members != nil {
			members := rec.Members()
			c.Members = func() []string { return members }
		}
	}
	if d.records = append(d.records, c); len(d.records) < stageRows {
		return nil
	}
	return d.look(ctx)
}

// look asks the store for the records that were kept, and takes them over.
func (d *delta) look(ctx context.Context) error {
	if err := d.nameDeleted(ctx); err != nil {
		return err
	}
	for _, kind := range []identity.Kind{identity.Person, identity.Group} {
		var anchors []string
		for i := range d.records {
			if r := &d.records[i]; r.Kind == kind && r.Anchor != "" {
				anchors = append(anchors, r.Anchor)
			}
		}
		known, err := d.Store.Identities(ctx, d.Source.Name, kind, anchors)
		if err != nil {
			return err
		}
		for anchor, id := range known {
			if hash, m := d.index.find(kind, anchor); id.AbsentSince.IsZero() && *m&markSeen == 0 {
				*hash, *m = id.Hash, *m|markStored
			}
		}
	}
	for i := range d.records {
		if err := d.take(ctx, &d.records[i]); err != nil {
			return err
		}
	}
	d.records = d.records[:0]
	return nil
}

// nameDeleted finds the anchors of deleted records of which the source tells its
// own id only.
func (d *delta) nameDeleted(ctx context.Context) error {
	for _, kind := range []identity.Kind{identity.Person, identity.Group} {
		var nameless []*source.Record
		var ids []string
		for i := range d.records {
			if r := &d.records[i]; r.Kind == kind && r.Deleted && r.Anchor == "" {
				nameless, ids = append(nameless, r), append(ids, r.ID)
			}
		}
		anchors, err := d.Store.AnchorsOf(ctx, d.Source.Name, kind, ids)
		if err != nil {
			return err
		}
		for i, r := range nameless {
			r.Anchor = anchors[i] // "": nobody we ever knew
		}
	}
	return nil
}

// take looks at one record. The last word about an identity counts.
func (d *delta) take(ctx context.Context, rec *source.Record) error {
	if rec.Anchor == "" {
		if !rec.Deleted && rec.Fault == nil {
			d.fault(source.Fault{Position: rec.Position(), Reason: "the record has no anchor"})
		}
		return nil
	}
	key := identity.Key{Source: d.Source.Name, Kind: rec.Kind, Anchor: rec.Anchor}
	hash, m := d.index.find(rec.Kind, rec.Anchor)
	if *m&markStaged != 0 { // what was said before does not count any more
		d.counted(*m, -1)
		d.doubles = append(d.doubles, key)
		if err := d.flush(ctx); err != nil {
			return err
		}
	}
	*m = *m&markStored | markUsed | markSeen
	delete(d.gone, key)
	switch {
	case rec.Deleted:
		if *m&markStored != 0 {
			d.gone[key] = true
		}
	case rec.Fault != nil:
		*m |= markFaulted
	case *m&markStored != 0 && *hash == rec.Hash:
	default:
		d.undrop(key)
		return d.stage(ctx, rec, m)
	}
	return nil
}

// undrop has a key staged after all.
func (d *delta) undrop(key identity.Key) {
	for i, k := range d.doubles {
		if k == key {
			d.doubles = append(d.doubles[:i], d.doubles[i+1:]...)
			return
		}
	}
}

// vanished returns those of whom the source says that they are gone. When they are
// too many, none of them is, and the source is read whole the next time: then the
// guard of a whole reading decides.
func (d *delta) vanished() []identity.Key {
	if len(d.gone) == 0 {
		return nil
	}
	if limit, trips := d.tooMany(len(d.gone), d.last.People+d.last.Groups); trips && d.Push == nil {
		d.report.Missing = len(d.gone)
		d.report.Source.Token = nil
		d.report.warn("the source says that %d of %d are gone, the limit is %s: nobody is taken to have left, and the source is read whole the next time", len(d.gone), d.last.People+d.last.Groups, limit)
		return nil
	}
	keys := make([]identity.Key, 0, len(d.gone))
	for k := range d.gone {
		keys = append(keys, k)
	}
	d.report.Vanished = len(keys)
	return keys
}
