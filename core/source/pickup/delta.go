package pickup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/provhub/provhub/core/source"
)

// Delta reads whole files, and files of changes that follow them one after the other
// (QUIRKS FILE-8):
//
//	hr_0010_full ─► hr_0011_delta ─► hr_0012_delta ─► … ─► hr_0020_full ─► …
//
// Each is applied once, in the order of its number or date. A gap or a number that
// comes a second time stops everything: what it would have said of whom, nobody
// knows. Who is not in a file of changes is as before; only a row that says so
// removes somebody. Files stay in the folder until the next whole one has been
// read, so that the source can be read whole at any time.
type Delta struct {
	*Reader
	changes pattern
}

var _ source.Incremental = (*Delta)(nil)

// seen are the complete files of both kinds, the newest last.
type seen struct{ fulls, deltas []candidate }

func (d *Delta) files(ctx context.Context, was memory) (seen, error) {
	if err := d.look(ctx); err != nil {
		return seen{}, err
	}
	fulls, err := d.candidates(ctx, d.full, d.c.Pattern)
	if err != nil {
		return seen{}, err
	}
	deltas, err := d.candidates(ctx, d.changes, d.c.Delta.Pattern)
	if err != nil {
		return seen{}, err
	}
	isDelta := map[string]bool{}
	for _, c := range deltas {
		isDelta[c.name] = true
	}
	for _, c := range fulls {
		if isDelta[c.name] {
			return seen{}, fmt.Errorf("%s matches both pattern and delta.pattern: whether it holds everybody cannot be told", c.name)
		}
	}
	all, err := d.complete(ctx, append(fulls, deltas...), was)
	var out seen
	for _, c := range all {
		if isDelta[c.name] {
			out.deltas = append(out.deltas, c)
		} else {
			out.fulls = append(out.fulls, c)
		}
	}
	return out, err
}

// newestFull returns the newest whole file.
func (d *Delta) newestFull(s seen, was memory) (candidate, error) {
	n := len(s.fulls)
	if n == 0 {
		return candidate{}, d.missing(was)
	}
	pick := s.fulls[n-1]
	if n > 1 && s.fulls[n-2].order == pick.order {
		return candidate{}, fmt.Errorf("%s and %s are equally new: which of them counts cannot be told. Take one of them away", s.fulls[n-2].name, pick.name)
	}
	return pick, nil
}

// after returns the files of changes that follow order, or why they cannot be
// applied one after the other.
func (d *Delta) after(s seen, order int64, of string) ([]candidate, error) {
	var out []candidate
	for _, c := range s.deltas {
		switch {
		case c.order <= order:
			if len(out) > 0 && c.order == order {
				return nil, fmt.Errorf("%s and %s have the same %s: one of them came twice, or is not what its name says. Nothing was taken over", of, c.name, c.kind)
			}
			continue
		case d.gap(order, c.order):
			return nil, fmt.Errorf("%s does not follow %s: at least one file of changes between them is missing. Nothing was taken over; it goes on when the missing one comes, or a newer whole file", c.name, of)
		}
		order, of = c.order, c.name
		out = append(out, c)
	}
	return out, nil
}

// gap reports whether a file is missing between two.
func (d *Delta) gap(before, next int64) bool {
	if d.changes.kind == byNumber {
		return next != before+1
	}
	every := int64(d.c.Delta.Every / time.Second)
	return every > 0 && next-before > every
}

// Changes implements [source.Incremental].
func (d *Delta) Changes(ctx context.Context, token []byte, yield func(*source.Record) error) (source.Report, error) {
	d.notes, d.kept = nil, memory{}
	was, err := decodeMemory(token)
	if err != nil || !was.comparable(d.full) {
		return source.Report{}, source.ErrTokenExpired
	}
	s, err := d.files(ctx, was)
	if err != nil {
		return source.Report{}, err
	}
	for _, c := range s.fulls {
		if c.order > was.Base.Order && c.order >= was.top() {
			return source.Report{}, newFull(c.name)
		}
	}
	if err := d.sameAsApplied(ctx, s, was); err != nil {
		return source.Report{}, err
	}
	last := was.Base
	if n := len(was.Deltas); n > 0 {
		last = was.Deltas[n-1]
	}
	pending, err := d.after(s, last.Order, last.Name)
	if err != nil {
		return source.Report{}, err
	}
	newest := candidate{entry: entry{name: last.Name}, dated: last.Dated}
	if n := len(pending); n > 0 {
		newest = pending[n-1]
	}
	if err := d.tooOld(newest); err != nil {
		return source.Report{}, err
	}
	report, err := d.apply(ctx, pending, &was, yield)
	report.Delta, report.Complete, report.Dated = true, true, newest.dated
	report.Warnings = append(d.notes, report.Warnings...)
	if err != nil {
		return report, err
	}
	d.keep(was, &report)
	return report, nil
}

// newFull is why changes are of no use: there is something better.
type newFull string

func (n newFull) Error() string { return fmt.Sprintf("%s holds everybody, and is new", string(n)) }

// Is makes it an expired token.
func (n newFull) Is(target error) bool { return target == source.ErrTokenExpired }

// sameAsApplied refuses a number or date that was applied before and now has another
// content.
func (d *Delta) sameAsApplied(ctx context.Context, s seen, was memory) error {
	for _, c := range s.deltas {
		for _, t := range was.Deltas {
			if t.Order != c.order || t.is(c) {
				continue
			}
			f, err := d.fetch(ctx, c)
			if err != nil {
				return err
			}
			if f.sha256 != t.SHA256 {
				return fmt.Errorf("%s has the %s of %s, which was applied before, and another content. Nothing was taken over; send it under the next %s", c.name, c.kind, t.Name, c.kind)
			}
		}
	}
	return nil
}

// apply reads files of changes in order and adds them to was.
func (d *Delta) apply(ctx context.Context, files []candidate, was *memory, yield func(*source.Record) error) (sum source.Report, err error) {
	for _, c := range files {
		f, err := d.fetch(ctx, c)
		if err != nil {
			return sum, err
		}
		report, err := d.csv.ReadDelta(ctx, f.file(), yield)
		addReport(&sum, report)
		if err != nil {
			return sum, err
		}
		was.Deltas = append(was.Deltas, f.taken(c))
	}
	return sum, nil
}

// addReport adds what one file said. A person whose row is bad in the second file
// counts for each.
func addReport(sum *source.Report, r source.Report) {
	sum.Rows += r.Rows
	sum.FaultCount += r.FaultCount
	sum.Faults = append(sum.Faults, r.Faults...)
	if len(sum.Faults) > 100 {
		sum.Faults = sum.Faults[:100]
	}
	sum.Warnings = append(sum.Warnings, r.Warnings...)
}

// keep names what was read.
func (d *Delta) keep(now memory, report *source.Report) {
	now.At = d.now()
	d.kept = now
	report.Snapshot, report.Token = now.snapshot(), now.encode()
}

// Fingerprint implements [source.Fingerprinter]: it tells that nothing has come since
// the last reading, and [errors.ErrUnsupported] when something has.
func (d *Delta) Fingerprint(ctx context.Context) (string, time.Time, error) {
	was, err := d.recall(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	s, err := d.files(ctx, was)
	if err != nil {
		return "", time.Time{}, err
	}
	if !was.comparable(d.full) {
		return "", time.Time{}, errors.ErrUnsupported
	}
	last := was.Base
	if n := len(was.Deltas); n > 0 {
		last = was.Deltas[n-1]
	}
	for _, c := range append(s.fulls, s.deltas...) {
		if c.order > was.Base.Order && !was.has(c) {
			return "", time.Time{}, errors.ErrUnsupported
		}
	}
	d.kept = was
	return was.snapshot(), last.Dated, d.tooOld(candidate{entry: entry{name: last.Name}, dated: last.Dated})
}

// Committed implements [source.Committer]: what came before the whole file that was
// read last is done with.
func (d *Delta) Committed(ctx context.Context) error {
	base := d.kept.Base
	return d.archive(ctx, func(c candidate) bool {
		return c.order < base.Order || c.order == base.Order && c.name != base.Name
	}, d.full, d.changes)
}
