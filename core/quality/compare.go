package quality

import (
	"hash/maphash"
	"slices"

	"github.com/provhub/provhub/core/identity"
)

const (
	// examplesKept bounds the anchors that a finding names.
	examplesKept = 5
	// marksKept bounds how many people are compared with each other; more than that
	// say nothing new.
	marksKept = 100_000
)

// Comparison collects how a reading differs from the one before.
type Comparison struct {
	Subject
	Before, After *Profile
	// Named are the anchors that the changed people name as their manager.
	Named map[string]int
	// unnamed are those that they, and whoever vanished, named before.
	unnamed map[string]int
	pairs   map[[2]string]int // columns whose values changed places, in how many people
	pairOf  map[[2]string][]string
	marks   [2]map[uint64]uint64 // anchors by what tells a person, before and after
	seed    maphash.Seed
	// Bad are the records that could not be used, BadBefore those of the reading before.
	Bad, BadBefore int
}

// Compare begins a comparison with a reading whose profile fits s.
func (s Subject) Compare(before *Profile) *Comparison {
	return &Comparison{
		Subject: s, Before: before, After: before.Clone(), Named: map[string]int{}, unnamed: map[string]int{},
		pairs: map[[2]string]int{}, pairOf: map[[2]string][]string{}, seed: maphash.MakeSeed(),
		marks: [2]map[uint64]uint64{{}, {}},
	}
}

// Change takes one person who is new (before is nil), changed, or gone (after is nil).
func (c *Comparison) Change(before, after *identity.Identity) {
	if before != nil {
		c.Count(c.After, before.Attributes, -1)
		c.mark(0, before)
		if before.Reference != "" {
			c.unnamed[before.Reference]++
		}
	}
	if after != nil {
		c.Count(c.After, after.Attributes, 1)
		if after.Reference != "" {
			c.Named[after.Reference]++
		}
	}
	if before != nil && after != nil {
		c.mark(1, after)
		c.swaps(before, after)
	}
}

// Naming returns how many people name anchor as their manager now, when stored did
// before the reading.
func (c *Comparison) Naming(anchor string, stored int) int {
	return stored - c.unnamed[anchor] + c.Named[anchor]
}

// swaps counts the columns that exchanged their values.
func (c *Comparison) swaps(before, after *identity.Identity) {
	var changed []string
	for _, name := range c.Columns {
		was, is := before.Attributes.Text(name), after.Attributes.Text(name)
		if was != is && was != "" && is != "" {
			changed = append(changed, name)
		}
	}
	for i, a := range changed {
		for _, b := range changed[i+1:] {
			if before.Attributes.Text(a) == after.Attributes.Text(b) && before.Attributes.Text(b) == after.Attributes.Text(a) {
				pair := [2]string{a, b}
				if c.pairs[pair]++; len(c.pairOf[pair]) < examplesKept {
					c.pairOf[pair] = append(c.pairOf[pair], after.Anchor)
				}
			}
		}
	}
}

// mark remembers what tells a person from others besides the anchor, before (0) or
// after (1).
func (c *Comparison) mark(when int, id *identity.Identity) {
	if len(c.marks[when]) >= marksKept {
		return
	}
	if m, ok := c.signature(id.Attributes); ok {
		anchor := maphash.String(c.seed, id.Anchor)
		if _, twice := c.marks[when][m]; twice {
			anchor = 0 // it tells nobody
		}
		c.marks[when][m] = anchor
	}
}

// signature is the mail addresses of a person, and without any all texts besides the
// anchor, the manager and dates, when they are three or more.
func (c *Comparison) signature(a identity.Attributes) (uint64, bool) {
	var h maphash.Hash
	h.SetSeed(c.seed)
	put := func(name string) { h.WriteString(name + "\x00" + a.Text(name) + "\x00") }
	texts := make([]string, 0, len(c.Columns))
	mails := 0
	for _, name := range c.Columns {
		if name == c.Reference || name == c.Anchor {
			continue
		}
		switch shape, filled := ShapeOf(a[name]); {
		case filled && shape == Mail:
			put(name)
			mails++
		case filled && shape == Text && !slices.Contains(c.Segments, name):
			texts = append(texts, name)
		}
	}
	if mails > 0 {
		return h.Sum64(), true
	}
	if len(texts) < 3 {
		return 0, false
	}
	for _, name := range texts {
		put(name)
	}
	return h.Sum64(), true
}

// exchanged counts the people who stand under an anchor that was somebody else's.
func (c *Comparison) exchanged() (n int) {
	for m, is := range c.marks[1] {
		if was, ok := c.marks[0][m]; ok && was != is && was != 0 && is != 0 {
			n++
		}
	}
	return n
}
