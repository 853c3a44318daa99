package pickup

import (
	"context"
	"fmt"
	"strings"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

// merge is what files of changes say, by anchor; the last word counts.
type merge struct {
	last  map[string]*source.Record
	order []string // anchors as they came
	done  map[string]bool
}

// Read implements [source.Reader]: the newest whole file with all changes since.
func (d *Delta) Read(ctx context.Context, yield func(*source.Record) error) (source.Report, error) {
	was, err := d.recall(ctx)
	if err != nil {
		return source.Report{}, err
	}
	s, err := d.files(ctx, was)
	if err != nil {
		return source.Report{}, err
	}
	base, err := d.newestFull(s, was)
	if err != nil {
		return source.Report{}, err
	}
	chain, err := d.after(s, base.order, base.name)
	if err != nil {
		return source.Report{}, err
	}
	newest := base
	if n := len(chain); n > 0 {
		newest = chain[n-1]
	}
	if err := d.goesOn(ctx, s, base, newest, was); err != nil {
		return source.Report{}, err
	}
	if err := d.tooOld(newest); err != nil {
		return source.Report{}, err
	}
	return d.readWhole(ctx, base, chain, newest, yield)
}

// goesOn refuses to go back behind what was read before.
func (d *Delta) goesOn(ctx context.Context, s seen, base, newest candidate, was memory) error {
	switch {
	case !was.comparable(d.full):
		return nil
	case base.order < was.Base.Order:
		return fmt.Errorf("%s is older than %s, which was read before: an older export seems to have been put back. Nothing was taken over", base.name, was.Base.Name)
	case base.order > was.Base.Order && newest.order >= was.top():
		return nil // what was applied before is in it
	case newest.order < was.top():
		return fmt.Errorf("the source is to be read whole, and files of changes that were applied before are not there any more, up to %s. Nothing was taken over; put them back, or wait for the next whole file", was.Deltas[len(was.Deltas)-1].Name)
	}
	return d.sameAsApplied(ctx, s, was)
}

func (d *Delta) readWhole(ctx context.Context, base candidate, chain []candidate, newest candidate, yield func(*source.Record) error) (source.Report, error) {
	m := merge{last: map[string]*source.Record{}, done: map[string]bool{}}
	now := memory{}
	changes, err := d.apply(ctx, chain, &now, m.note)
	if err != nil {
		return changes, err
	}
	f, err := d.fetch(ctx, base)
	if err != nil {
		return source.Report{Dated: base.dated}, err
	}
	report, err := d.csv.ReadFile(ctx, f.file(), func(rec *source.Record) error { return m.over(rec, yield) })
	if err == nil {
		err = m.rest(yield)
	}
	now.Base = f.taken(base)
	addReport(&report, changes)
	report.Dated = newest.dated
	report.Warnings = append(d.notes, report.Warnings...)
	if err != nil {
		return report, err
	}
	d.keep(now, &report)
	return report, nil
}

// note keeps one record of a file of changes.
func (m *merge) note(rec *source.Record) error {
	c := source.Record{Kind: rec.Kind, Anchor: strings.Clone(rec.Anchor), Hash: rec.Hash, Deleted: rec.Deleted, Fault: rec.Fault}
	position := rec.Position()
	c.Position = func() string { return position }
	if rec.Fault == nil && !rec.Deleted {
		attributes := rec.Attributes()
		c.Attributes = func() identity.Attributes { return attributes }
	}
	if m.last[c.Anchor] == nil {
		m.order = append(m.order, c.Anchor)
	}
	m.last[c.Anchor] = &c
	return nil
}

// over yields a record of the whole file, or what was said of the person since.
func (m *merge) over(rec *source.Record, yield func(*source.Record) error) error {
	now := m.last[rec.Anchor]
	if now == nil {
		return yield(rec)
	}
	m.done[now.Anchor] = true
	if now.Deleted {
		return nil
	}
	return yield(now)
}

// rest yields those who came since.
func (m *merge) rest(yield func(*source.Record) error) error {
	for _, anchor := range m.order {
		if rec := m.last[anchor]; !m.done[anchor] && !rec.Deleted {
			if err := yield(rec); err != nil {
				return err
			}
		}
	}
	return nil
}
