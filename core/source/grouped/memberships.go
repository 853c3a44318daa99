package grouped

import (
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

// memberships is who is in which group, for one reading.
type memberships struct {
	*Reader
	of    map[string][]string // members by group
	bad   map[string]bool     // groups with a row that cannot be used
	whole bool                // who is not told to be in a group is in none
	// People by a column: who was met, and whose row cannot be used.
	met   map[uint64]bool
	doubt map[string]bool
	seed  maphash.Seed
	rows  map[string]bool // groups that have a row of their own
}

func newMemberships(r *Reader) *memberships {
	return &memberships{Reader: r, of: map[string][]string{}, bad: map[string]bool{}, met: map[uint64]bool{}, doubt: map[string]bool{},
		seed: maphash.MakeSeed(), rows: map[string]bool{}}
}

// person takes the groups that a person's row lists.
func (m *memberships) person(rec *source.Record) {
	key := maphash.String(m.seed, rec.Anchor)
	if rec.Fault != nil || m.met[key] {
		m.doubt[strings.Clone(rec.Anchor)] = true
	}
	if m.met[key] = true; rec.Fault != nil || rec.Deleted {
		return
	}
	groups, _ := rec.Attributes()[m.c.Column].([]string)
	who := strings.Clone(rec.Anchor)
	for _, g := range groups {
		if g = strings.TrimSpace(g); g != "" {
			m.of[g] = append(m.of[g], who)
		}
	}
}

// keep leaves those whose rows cannot be used in the groups that they were in.
func (m *memberships) keep(ctx context.Context) error {
	if len(m.doubt) == 0 {
		return nil
	}
	for g, members := range m.of {
		m.of[g] = slices.DeleteFunc(members, func(who string) bool { return m.doubt[who] })
	}
	if m.Known == nil {
		return nil
	}
	known, err := m.Known(ctx, slices.Sorted(maps.Keys(m.doubt)))
	if err != nil {
		return err
	}
	for who, groups := range known {
		for _, g := range groups {
			m.of[g] = append(m.of[g], who)
		}
	}
	return nil
}

// read reads the file of memberships.
func (m *memberships) read(ctx context.Context) (source.Report, error) {
	report, err := m.members.Read(ctx, func(rec *source.Record) error {
		if rec.Fault != nil {
			m.bad[strings.Clone(rec.Anchor)] = true
			return nil
		}
		who := strings.TrimSpace(rec.Attributes().Text(m.Reader.person))
		if _, met := m.of[rec.Anchor]; !met {
			m.of[strings.Clone(rec.Anchor)] = nil
		}
		m.of[rec.Anchor] = append(m.of[rec.Anchor], strings.Clone(who))
		return nil
	})
	if err != nil {
		err = fmt.Errorf("members: %w", err)
	}
	return report, err
}

// listed yields the groups that have a row of their own.
func (m *memberships) listed(ctx context.Context, yield func(*source.Record) error) (source.Report, error) {
	report, err := m.groups.Read(ctx, func(rec *source.Record) error {
		rec.Kind = identity.Group
		m.rows[strings.Clone(rec.Anchor)] = true
		if rec.Fault != nil {
			return yield(rec)
		}
		attributes := rec.Attributes()
		rec.Attributes = func() identity.Attributes { return attributes }
		return m.group(rec, yield)
	})
	if err != nil {
		err = fmt.Errorf("groups: %w", err)
	}
	return report, err
}

// implied yields the groups that somebody is in.
func (m *memberships) implied(yield func(*source.Record) error) error {
	names := maps.Clone(m.of)
	for g := range m.bad {
		names[g] = nil
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if len(names[name]) == 0 && !m.bad[name] {
			continue
		}
		attributes := identity.Attributes{nameField: name}
		rec := source.Record{Kind: identity.Group, Anchor: name, Position: func() string { return "group " + name },
			Attributes: func() identity.Attributes { return attributes }}
		if err := m.group(&rec, yield); err != nil {
			return err
		}
	}
	return nil
}

// group yields one group with its members. One whose members are not all known stays
// as it is.
func (m *memberships) group(rec *source.Record, yield func(*source.Record) error) error {
	switch {
	case !m.whole:
		rec.Fail("members", "its members were not read to the end: it stays as it is")
		return yield(rec)
	case m.bad[rec.Anchor]:
		rec.Fail("members", "one of its members cannot be read: it stays as it is")
		return yield(rec)
	}
	members := m.of[rec.Anchor]
	slices.Sort(members)
	members = slices.Compact(members)
	attributes := rec.Attributes()
	rec.Hash = source.HashOf(attributes, slices.Sorted(maps.Keys(attributes)), members...)
	rec.Members = func() []string { return members }
	return yield(rec)
}

// warnings tells of memberships in groups that have no row.
func (m *memberships) warnings() []string {
	if m.groups == nil {
		return nil
	}
	var strange []string
	n := 0
	for g, members := range m.of {
		if !m.rows[g] && len(members) > 0 {
			strange = append(strange, g)
			n += len(members)
		}
	}
	if len(strange) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d memberships are in %d groups that have no row in the file of groups, such as %q: they count for nothing", n, len(strange), slices.Min(strange))}
}
