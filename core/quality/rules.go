// Package quality judges a reading of a source against the one before it: did a
// department lose half of its people, does a column hold what stood in another one,
// do managers lead in a circle. It is pure: who reads tells it what changed, and it
// keeps counts, never people (QUIRKS HR-4, HR-26).
package quality

import "cmp"

// Action is what a finding does.
type Action string

// The actions.
const (
	Ignore Action = "ignore"
	Warn   Action = "warn"
	Hold   Action = "hold" // nothing of the reading is taken over until a person accepts it
)

// Rule bounds one kind of change. It trips from Min people on, when they are at
// least Percent of those it can be about.
type Rule struct {
	Percent float64
	Min     int
	Then    Action
}

// trips reports whether n of a population is too many.
func (r Rule) trips(n, of int) bool {
	return r.Then != Ignore && n > 0 && n >= r.Min && float64(n)*100 >= r.Percent*float64(of)
}

// or fills in what is not set.
func (r Rule) or(d Rule) Rule {
	return Rule{Percent: cmp.Or(r.Percent, d.Percent), Min: cmp.Or(r.Min, d.Min), Then: cmp.Or(r.Then, d.Then)}
}

// Rules say what is looked for, and what follows. The zero Rules are the defaults.
type Rules struct {
	// Segments are the attributes whose values divide the people: department, site.
	Segments []string
	Lost     Rule // people that one value of a segment lost
	Emptied  Rule // people whose value of one column is gone
	Swapped  Rule // people whose column holds another sort of value, or that of another column
	// Exchanged are people who stand under the anchor of somebody else.
	Exchanged Rule
	Circles   Action // managers lead in a circle
	Managers  Action // a manager is named whom nobody is
	// Bad are records that cannot be used, as those whose last day is before the first.
	Bad Rule
}

// WithDefaults returns the rules with what is not set filled in.
func (r Rules) WithDefaults() Rules {
	r.Lost = r.Lost.or(Rule{Percent: 50, Min: 10, Then: Hold})
	r.Emptied = r.Emptied.or(Rule{Percent: 90, Min: 10, Then: Hold})
	r.Swapped = r.Swapped.or(Rule{Percent: 50, Min: 10, Then: Hold})
	r.Exchanged = r.Exchanged.or(Rule{Percent: 1, Min: 10, Then: Hold})
	r.Circles = cmp.Or(r.Circles, Warn)
	r.Managers = cmp.Or(r.Managers, Warn)
	r.Bad = r.Bad.or(Rule{Percent: 5, Min: 10, Then: Warn})
	return r
}
