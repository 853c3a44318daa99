package grouped

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/source/csvfile"
)

// Reader reads the people of another reader, and then their groups. It holds the
// memberships in memory. It implements [source.Reader] and [source.Grouped], and passes
// on what else the other reader can do.
type Reader struct {
	c       Config
	first   source.Reader
	groups  *csvfile.Reader // nil: there is no file of groups
	members *csvfile.Reader // nil: a column says it
	person  string          // the attribute of members with the person
	// Known returns the groups that people are known to be in. It is asked for those
	// whose row cannot be used, who stay where they were; nil: nobody is known.
	Known func(ctx context.Context, people []string) (map[string][]string, error)
}

// New reads the groups of the people in first. It does no I/O.
func New(first source.Reader, c Config) (*Reader, error) {
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("groups: %w", err)
	}
	r := &Reader{c: c, first: first}
	if c.Groups != nil {
		r.groups, _ = csvfile.New(*c.Groups)
	}
	if c.Members != nil {
		r.members, _ = csvfile.New(*c.Members)
		for _, col := range c.Members.Columns {
			if col.Name != c.Members.Anchor {
				r.person = col.Name
			}
		}
	}
	return r, nil
}

// Parts lists the readers of all files.
func (r *Reader) Parts() []source.Reader {
	parts := []source.Reader{r.first}
	for _, f := range []*csvfile.Reader{r.groups, r.members} {
		if f != nil {
			parts = append(parts, f)
		}
	}
	return parts
}

// Fields implements [source.Reader].
func (r *Reader) Fields() []source.Field { return r.first.Fields() }

// GroupFields implements [source.Grouped].
func (r *Reader) GroupFields() []source.Field { return r.c.GroupFields() }

// Read implements [source.Reader]: people first, then groups.
func (r *Reader) Read(ctx context.Context, yield func(*source.Record) error) (source.Report, error) {
	m := newMemberships(r)
	report, err := r.first.Read(ctx, func(rec *source.Record) error {
		rec.Name = rec.Anchor
		if r.members == nil {
			m.person(rec)
		}
		return yield(rec)
	})
	if err != nil {
		return report, err
	}
	names := []string{report.Snapshot}
	if r.members == nil {
		m.whole = report.Complete
		err = m.keep(ctx)
	} else {
		var part source.Report
		part, err = m.read(ctx)
		m.whole = part.Complete
		add(&report, part)
		names = append(names, part.Snapshot)
	}
	if err != nil {
		return report, err
	}
	if r.groups == nil {
		err = m.implied(yield)
	} else {
		var part source.Report
		part, err = m.listed(ctx, yield)
		add(&report, part)
		names = append(names, part.Snapshot)
	}
	report.Warnings = append(report.Warnings, m.warnings()...)
	report.Snapshot = nameOf(names)
	return report, err
}

// faultsKept is how many bad rows a report lists.
const faultsKept = 100

// add takes what is to be said of one file into the report of all.
func add(all *source.Report, part source.Report) {
	all.Rows += part.Rows
	all.FaultCount += part.FaultCount
	all.Faults = append(all.Faults, part.Faults[:min(len(part.Faults), max(0, faultsKept-len(all.Faults)))]...)
	all.Complete = all.Complete && part.Complete
	all.Incomplete = append(all.Incomplete, part.Incomplete...)
	all.Warnings = append(all.Warnings, part.Warnings...)
}

func nameOf(snapshots []string) string {
	sum := sha256.Sum256([]byte(strings.Join(snapshots, "\n")))
	return hex.EncodeToString(sum[:])
}

// Fingerprint implements [source.Fingerprinter] where the reader of people does; the
// date is theirs.
func (r *Reader) Fingerprint(ctx context.Context) (string, time.Time, error) {
	var names []string
	var dated time.Time
	for _, part := range []source.Reader{r.first, r.members, r.groups} {
		if f, ok := part.(*csvfile.Reader); ok && f == nil {
			continue
		}
		f, ok := part.(source.Fingerprinter)
		if !ok {
			return "", time.Time{}, errors.ErrUnsupported
		}
		snapshot, at, err := f.Fingerprint(ctx)
		if err != nil {
			return "", at, err
		}
		if names = append(names, snapshot); len(names) == 1 {
			dated = at
		}
	}
	return nameOf(names), dated, nil
}

// Decode implements [source.Decoder] where the reader of people does. The groups of who
// is decoded stay as they are until the next reading.
func (r *Reader) Decode(ctx context.Context, raw map[string]any, yield func(*source.Record) error) error {
	d, ok := r.first.(source.Decoder)
	if !ok {
		return errors.New("this source takes no records from elsewhere")
	}
	return d.Decode(ctx, raw, func(rec *source.Record) error {
		if rec.Kind == identity.Person {
			rec.Name = rec.Anchor
		}
		return yield(rec)
	})
}

// Close closes the reader of people where it is to be closed.
func (r *Reader) Close() {
	if c, ok := r.first.(interface{ Close() }); ok {
		c.Close()
	}
}

// Committed implements [source.Committer] where the reader of people does.
func (r *Reader) Committed(ctx context.Context) error {
	if c, ok := r.first.(source.Committer); ok {
		return c.Committed(ctx)
	}
	return nil
}

// Notes implements [source.Noter] where the reader of people does.
func (r *Reader) Notes() ([]string, []byte) {
	if n, ok := r.first.(source.Noter); ok {
		return n.Notes()
	}
	return nil, nil
}

// Remember has the reader of people know what was read last, where it wants to.
func (r *Reader) Remember(last func(context.Context) ([]byte, error)) {
	if m, ok := r.first.(interface {
		Remember(func(context.Context) ([]byte, error))
	}); ok {
		m.Remember(last)
	}
}
