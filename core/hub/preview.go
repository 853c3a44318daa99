package hub

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/cycle"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

// Previewed is one person as the source tells them now.
type Previewed struct {
	Person
	// Fault says why the record cannot be used; "": it can.
	Fault string `json:"fault,omitempty"`
	name  string // by which groups call this person
}

// errEnough ends a reading of which no more is wanted.
var errEnough = errors.New("enough was read")

// Preview reads people from the named source as rules will see them, the first n or
// the one called anchor, and takes nothing over. Groups and references cost a walk
// through all of the source, sixteen bytes for each membership, and some fifty for
// each person who may be referred to.
func (h *Hub) Preview(ctx context.Context, name, anchor string, n int) ([]Previewed, error) {
	s, err := h.oneSource(name)
	if err != nil {
		return nil, err
	}
	reader, err := h.reader(s)
	if err != nil {
		return nil, err
	}
	defer closeReader(reader)
	p := &preview{h: h, s: s, anchor: anchor, max: n, edges: map[uint64][]int{}, anchors: map[uint64]string{}, seed: maphash.MakeSeed(), grouped: groupFields(s) != nil}
	if p.refs, err = h.references(s.Name, identity.Person); err != nil {
		return nil, err
	}
	if anchor != "" && !p.whole() {
		err = readOne(ctx, reader, anchor, p.take)
	} else {
		_, err = reader.Read(ctx, p.take)
	}
	switch {
	case errors.Is(err, source.ErrNotThere) || err == nil && anchor != "" && len(p.people) == 0:
		return nil, &UsageError{fmt.Sprintf("nobody in source %s has the anchor %q", s.Name, anchor)}
	case err != nil && !errors.Is(err, errEnough):
		return nil, err
	}
	p.addGroups()
	p.resolve()
	return p.people, nil
}

// preview collects the people that are wanted, and who is in which group.
type preview struct {
	h       *Hub
	s       *config.Source
	anchor  string
	max     int
	grouped bool
	people  []Previewed
	names   []string         // of the groups, as rules see them
	called  []string         // what other groups call them by
	edges   map[uint64][]int // groups by the hash of a member's name
	seed    maphash.Seed
	refs    cycle.References
	anchors map[uint64]string // by the hash of the name that references use
}

// whole reports whether what one person is shown with stands anywhere in the source.
func (p *preview) whole() bool { return p.grouped || len(p.refs.Named) > 0 }

func (p *preview) take(rec *source.Record) error {
	if rec.Kind == identity.Group {
		if rec.Fault == nil {
			p.group(rec)
		}
		return nil
	}
	if len(p.refs.Named) > 0 && rec.Fault == nil {
		p.anchors[maphash.String(p.seed, rec.Name)] = strings.Clone(rec.Anchor)
	}
	if p.anchor != "" && rec.Anchor != p.anchor {
		return nil
	}
	if p.anchor == "" && len(p.people) >= p.max {
		if p.whole() {
			return nil
		}
		return errEnough
	}
	p.people = append(p.people, p.person(rec))
	return nil
}

func (p *preview) person(rec *source.Record) Previewed {
	out := Previewed{name: strings.Clone(rec.Name)}
	out.Key = identity.Key{Source: p.s.Name, Kind: rec.Kind, Anchor: strings.Clone(rec.Anchor)}
	out.Position = rec.Position()
	if rec.Fault != nil {
		out.Fault = rec.Fault.Reason
		return out
	}
	out.Attributes = maps.Clone(rec.Attributes())
	var err error
	if out.State, out.DueAt, err = p.s.Lifecycle.State(out.Attributes, p.h.now()); err != nil {
		out.Fault = err.Error()
	}
	if p.s.Reference != "" {
		out.Reference = strings.TrimSpace(out.Attributes.Text(p.s.Reference))
	}
	return out
}

func (p *preview) group(rec *source.Record) {
	g := len(p.names)
	p.names = append(p.names, cycle.GroupName(identity.Identity{Key: identity.Key{Anchor: strings.Clone(rec.Anchor)}, Attributes: rec.Attributes()}))
	p.called = append(p.called, strings.Clone(rec.Name))
	if rec.Members == nil {
		return
	}
	for _, m := range rec.Members() {
		hash := maphash.String(p.seed, m)
		p.edges[hash] = append(p.edges[hash], g)
	}
}

// addGroups gives each person the names of their groups.
func (p *preview) addGroups() {
	if !p.grouped {
		return
	}
	for i := range p.people {
		who := &p.people[i]
		if who.Attributes == nil {
			continue
		}
		in := map[int]bool{}
		p.climb(who.name, in)
		names := make([]string, 0, len(in))
		for g := range in {
			names = append(names, p.names[g])
		}
		slices.Sort(names)
		who.Attributes[cycle.GroupsField] = slices.Compact(names)
	}
}

// climb notes the groups that name is in, and where groups nest those that they are in.
func (p *preview) climb(name string, in map[int]bool) {
	if name == "" {
		return
	}
	for _, g := range p.edges[maphash.String(p.seed, name)] {
		if in[g] {
			continue
		}
		in[g] = true
		if p.s.NestedGroups {
			p.climb(p.called[g], in)
		}
	}
}

// resolve puts anchors in the place of the names by which others are referred to.
func (p *preview) resolve() {
	for i := range p.people {
		who := &p.people[i]
		for _, attribute := range p.refs.Named {
			name := who.Attributes.Text(attribute)
			if name == "" {
				continue
			}
			anchor := p.anchors[maphash.String(p.seed, name)]
			if who.Attributes[attribute] = anchor; anchor == "" {
				delete(who.Attributes, attribute)
			}
			if attribute == p.refs.Manager {
				who.Reference = anchor
			}
		}
	}
}
