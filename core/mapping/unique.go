package mapping

import (
	"fmt"
	"strings"
	"sync"

	"cel.dev/cel-go/common/types/ref"

	"github.com/provhub/provhub/core/mapping/library"
	"github.com/provhub/provhub/core/mapping/translit"
)

// candidatesMax bounds how many values unique() tries.
const candidatesMax = 10_000

// fold makes names that people take for the same the same.
func fold(name string) string { return strings.ToLower(translit.Clean(name)) }

// choose gives the first candidate that is neither reserved nor taken.
func (e *evaluation) choose(a *attributeRule, v ref.Val) (string, *Fault) {
	u, ok := v.Value().(library.Unique)
	if !ok {
		return "", a.faultOf(refuse("unique() is not the whole rule"))
	}
	u.Base = strings.TrimSpace(translit.Clean(u.Base))
	if u.Base == "" {
		return "", a.faultOf(refuse("unique() was given an empty text; say what then holds with coalesce(…)"))
	}
	for i := range candidatesMax {
		value, ok := u.Candidate(i)
		if !ok {
			return "", a.faultOf(refuse(fmt.Sprintf("%d characters leave no room for a number", u.Max)))
		}
		if a.reserved(value, u.Suffix) {
			continue
		}
		if e.names == nil || !e.names.Taken(a.to, fold(value), e.anchor) {
			return value, nil
		}
	}
	return "", &Fault{
		Code: CodeNamesTaken, Place: a.Place, Rule: a.what,
		Text: fmt.Sprintf("the first %d values that unique() makes are all taken", candidatesMax),
	}
}

// reserved reports whether value, or what stands before its suffix, must never
// be given: admin also keeps admin@example.com from being given.
func (a *attributeRule) reserved(value, suffix string) bool {
	return a.reserve[fold(value)] || a.reserve[fold(strings.TrimSuffix(value, suffix))]
}

// Chosen is the Names of one cycle: what another Names says is taken, and what
// the cycle itself has chosen so far. People are worked out one after the other
// in a fixed order, so that the same inputs give the same names. It is safe for
// concurrent use.
type Chosen struct {
	names Names

	mu sync.Mutex
	by map[Reservation]string // anchor of the holder
}

// NewChosen begins with what n says; n may be nil.
func NewChosen(n Names) *Chosen {
	return &Chosen{names: n, by: map[Reservation]string{}}
}

// Taken implements [Names].
func (c *Chosen) Taken(attribute, value, anchor string) bool {
	c.mu.Lock()
	holder, chosen := c.by[Reservation{attribute, value}]
	c.mu.Unlock()
	if chosen {
		return holder != anchor
	}
	return c.names != nil && c.names.Taken(attribute, value, anchor)
}

func (c *Chosen) choose(anchor string, names []Reservation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range names {
		c.by[n] = anchor
	}
}
