// Package joined makes one source of several: one of them says who the people are,
// the others own some of their attributes.
//
//	hr   1001  name, status          ─┐
//	                                  ├─► 1001  name, status, mail, phone
//	ad   uid=jd, employeeNumber=1001 ─┘
//
// The others are read on their own, and joined is what is known of them: while one
// is down, what it said last stays (QUIRKS HR-7).
package joined

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

// Part is another source that owns attributes.
type Part struct {
	// Source is its name.
	Source string
	// Keys find the person, tried in order.
	Keys []Key
	// Take are the attributes that it owns. Where it has no value for a person, the
	// first source's own counts.
	Take []source.Field
	// State names what is known of it; "": nothing yet.
	State func(ctx context.Context) (string, error)
	// All yields the people it has.
	All func(ctx context.Context, yield func(identity.Identity) error) error
}

// Key is a pair of attributes that are equal for one person, without regard to
// case and outer blanks.
type Key struct{ Ours, Theirs string }

// Reader reads the first source and adds what the parts own.
type Reader struct {
	first source.Reader
	parts []Part
	// fields are those of the first, and what is taken from the parts.
	fields []source.Field
}

// New joins parts to first. It does no I/O.
func New(first source.Reader, parts []Part) *Reader {
	return &Reader{first: first, parts: parts, fields: Fields(first.Fields(), parts)}
}

// Fields returns the attributes that people have when parts are joined to a first
// source, sorted by name.
func Fields(first []source.Field, parts []Part) []source.Field {
	out := slices.Clone(first)
	for _, p := range parts {
		for _, f := range p.Take {
			out = slices.DeleteFunc(out, func(g source.Field) bool { return g.Name == f.Name })
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b source.Field) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// GroupFields implements [source.Grouped] where the first source does.
func (r *Reader) GroupFields() []source.Field {
	if g, ok := r.first.(source.Grouped); ok {
		return g.GroupFields()
	}
	return nil
}

// Close closes the first source where it is to be closed.
func (r *Reader) Close() {
	if c, ok := r.first.(interface{ Close() }); ok {
		c.Close()
	}
}

// Committed implements [source.Committer] where the first source does.
func (r *Reader) Committed(ctx context.Context) error {
	if c, ok := r.first.(source.Committer); ok {
		return c.Committed(ctx)
	}
	return nil
}

// Notes implements [source.Noter] where the first source does.
func (r *Reader) Notes() ([]string, []byte) {
	if n, ok := r.first.(source.Noter); ok {
		return n.Notes()
	}
	return nil, nil
}

// Fields implements [source.Reader].
func (r *Reader) Fields() []source.Field { return r.fields }

// Read implements [source.Reader]. It holds the attributes taken from the parts in
// memory, and nothing else of them.
func (r *Reader) Read(ctx context.Context, yield func(*source.Record) error) (source.Report, error) {
	join, err := r.load(ctx)
	if err != nil {
		return source.Report{}, err
	}
	report, err := r.first.Read(ctx, func(rec *source.Record) error {
		if rec.Kind != identity.Person || rec.Fault != nil {
			return yield(rec)
		}
		out := *rec
		join.add(&out)
		return yield(&out)
	})
	report.Warnings = append(report.Warnings, join.warnings()...)
	report.Conflicts = append(report.Conflicts, join.conflicts...)
	report.ConflictCount += join.conflictCount
	report.Snapshot = join.snapshot(report.Snapshot)
	return report, err
}

// ReadOne implements [source.Single] where the first source does.
func (r *Reader) ReadOne(ctx context.Context, kind identity.Kind, anchor string, yield func(*source.Record) error) error {
	one, ok := r.first.(source.Single)
	if !ok {
		return errors.ErrUnsupported
	}
	return r.joining(ctx, func(yield func(*source.Record) error) error { return one.ReadOne(ctx, kind, anchor, yield) }, yield)
}

// Decode implements [source.Decoder] where the first source does.
func (r *Reader) Decode(ctx context.Context, raw map[string]any, yield func(*source.Record) error) error {
	d, ok := r.first.(source.Decoder)
	if !ok {
		return errors.New("this source takes no records from elsewhere")
	}
	return r.joining(ctx, func(yield func(*source.Record) error) error { return d.Decode(ctx, raw, yield) }, yield)
}

// joining adds what the parts own to single records.
func (r *Reader) joining(ctx context.Context, read func(func(*source.Record) error) error, yield func(*source.Record) error) error {
	join, err := r.load(ctx)
	if err != nil {
		return err
	}
	return read(func(rec *source.Record) error {
		out := *rec
		if rec.Kind == identity.Person && rec.Fault == nil && !rec.Deleted {
			join.add(&out)
		}
		return yield(&out)
	})
}

// Fingerprint implements [source.Fingerprinter] where the first source does: the
// whole is the same when all of it is. Elsewhere it names nothing, so that nothing
// counts as known.
func (r *Reader) Fingerprint(ctx context.Context) (string, time.Time, error) {
	f, ok := r.first.(source.Fingerprinter)
	if !ok {
		return "", time.Time{}, errors.ErrUnsupported
	}
	states, err := r.states(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	snapshot, dated, err := f.Fingerprint(ctx)
	if err != nil {
		return "", dated, err
	}
	return name(snapshot, states), dated, nil
}

// states names what is known of each part, and what is taken from it.
func (r *Reader) states(ctx context.Context) ([]string, error) {
	out := make([]string, len(r.parts))
	for i, p := range r.parts {
		state, err := p.State(ctx)
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", p.Source, err)
		}
		out[i] = fmt.Sprintf("%q %q %q %q", p.Source, p.Keys, p.Take, state)
	}
	return out, nil
}

func name(snapshot string, states []string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", snapshot)
	for _, s := range states {
		fmt.Fprintln(h, s)
	}
	return hex.EncodeToString(h.Sum(nil))
}
