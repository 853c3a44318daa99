package quality

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Finding is one thing about a reading that a person should look at.
type Finding struct {
	Kind   string `json:"kind"` // "lost", "emptied", "swapped", "exchanged", "circle", "manager", "bad"
	Column string `json:"column,omitempty"`
	Count  int    `json:"count"`
	Of     int    `json:"of,omitempty"`
	Then   Action `json:"then"`
	Text   string `json:"text"` // one clause: what, and how many
	// Examples are the anchors of a few who are affected.
	Examples []string `json:"examples,omitempty"`
}

// Held reports whether a reading with these findings is to wait for a person.
func Held(fs []Finding) bool {
	return slices.ContainsFunc(fs, func(f Finding) bool { return f.Then == Hold })
}

// Findings judges the reading, in a fixed order; those that hold come first.
func (c *Comparison) Findings(r Rules) []Finding {
	r = r.WithDefaults()
	out := slices.Concat(c.lost(r.Lost), c.columns(r), c.swapped(r.Swapped), c.strangers(r.Exchanged), c.standing(r))
	slices.SortStableFunc(out, func(a, b Finding) int { return rank(a) - rank(b) })
	return out
}

func rank(f Finding) int {
	if f.Then == Hold {
		return 0
	}
	return 1
}

func (c *Comparison) lost(r Rule) (out []Finding) {
	for _, segment := range c.Segments {
		for _, value := range slices.Sorted(maps.Keys(c.Before.Segments[segment])) {
			was, is := c.Before.Segments[segment][value], c.After.Segments[segment][value]
			if r.trips(was-is, was) {
				out = append(out, Finding{Kind: "lost", Column: segment, Count: was - is, Of: was, Then: r.Then,
					Text: fmt.Sprintf("%s %q lost %d of its %d people", segment, value, was-is, was)})
			}
		}
	}
	return out
}

// columns looks at each column as a whole: is it empty now, is it something else.
func (c *Comparison) columns(r Rules) (out []Finding) {
	for _, name := range c.Columns {
		was, is := c.Before.filled(name), c.After.filled(name)
		// What went with the people who left is not missing from the others.
		stayed := was
		if c.After.People < c.Before.People {
			stayed = was - min(was, c.Before.People-c.After.People)
		}
		if r.Emptied.trips(stayed-is, stayed) {
			out = append(out, Finding{Kind: "emptied", Column: name, Count: was - is, Of: was, Then: r.Emptied.Then,
				Text: fmt.Sprintf("%s is empty for %d of the %d people who had one", name, was-is, was)})
			continue
		}
		from, to := c.Before.dominant(name), c.After.dominant(name)
		kept := c.After.Columns[name][from]
		if from != to && r.Swapped.trips(is-kept, is) && c.Before.Columns[name][from]*2 > was && was >= r.Swapped.Min {
			out = append(out, Finding{Kind: "swapped", Column: name, Count: is - kept, Of: is, Then: r.Swapped.Then,
				Text: fmt.Sprintf("%s held %s, and holds %s now in %d of %d", name, from, to, is-kept, is)})
		}
	}
	return out
}

func (c *Comparison) swapped(r Rule) (out []Finding) {
	pairs := slices.SortedFunc(maps.Keys(c.pairs), func(a, b [2]string) int { return strings.Compare(a[0]+"\x00"+a[1], b[0]+"\x00"+b[1]) })
	for _, p := range pairs {
		if n := c.pairs[p]; r.trips(n, c.Before.People) {
			out = append(out, Finding{Kind: "swapped", Column: p[0], Count: n, Of: c.Before.People, Then: r.Then, Examples: c.pairOf[p],
				Text: fmt.Sprintf("%s and %s have changed places in %d of %d people", p[0], p[1], n, c.Before.People)})
		}
	}
	return out
}

func (c *Comparison) strangers(r Rule) []Finding {
	n := c.exchanged()
	if !r.trips(n, c.Before.People) {
		return nil
	}
	return []Finding{{Kind: "exchanged", Column: c.Anchor, Count: n, Of: c.Before.People, Then: r.Then,
		Text: fmt.Sprintf("%d of %d people stand under the id of somebody else: the ids look exchanged", n, c.Before.People)}}
}

// standing judges what is wrong whatever was before. It holds only while it grows: a
// person who accepted it is not asked again.
func (c *Comparison) standing(r Rules) (out []Finding) {
	named := 0
	for _, n := range c.After.Unknown {
		named += n
	}
	was := 0
	for _, n := range c.Before.Unknown {
		was += n
	}
	add := func(f Finding, before int, then Action) {
		if f.Count == 0 || then == Ignore {
			return
		}
		if f.Then = then; then == Hold && f.Count <= before {
			f.Then = Warn
		}
		f.Of = c.After.People
		out = append(out, f)
	}
	circle, unknown := c.After.Circle, slices.Sorted(maps.Keys(c.After.Unknown))
	add(Finding{Kind: "circle", Column: c.Reference, Count: len(circle), Examples: circle[:min(len(circle), examplesKept)],
		Text: fmt.Sprintf("the managers of %d people lead in a circle", len(circle))}, len(c.Before.Circle), r.Circles)
	add(Finding{Kind: "manager", Column: c.Reference, Count: named, Examples: unknown[:min(len(unknown), examplesKept)],
		Text: fmt.Sprintf("managers whom nobody is: named %d times", named)}, was, r.Managers)
	if r.Bad.trips(c.Bad, c.After.People) {
		add(Finding{Kind: "bad", Count: c.Bad, Text: fmt.Sprintf("%d records cannot be used", c.Bad)}, c.BadBefore, r.Bad.Then)
	}
	return out
}
