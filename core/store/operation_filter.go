package store

import (
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/core/plan"
)

// OpFilter selects operations; zero fields do not restrict.
type OpFilter struct {
	Source    string
	Connector string
	Anchor    string
	Plan      string
	States    []OpState // nil: the open ones
	Code      string    // error code name
	Cause     string    // key of a [Cause]
	Kinds     []plan.Kind
	Lanes     []plan.Lane
	// With says who has it: [WithOps] handed over to the operators of the hub,
	// [WithHelpdesk] not. "": either.
	With string
	// From and Until are when it was planned: not before From, before Until.
	From, Until time.Time

	// Newest lists the last planned first; else the order of the queue.
	Newest bool
	// After goes on behind the operation with this Seq, Before shows what comes before
	// it, in the order of the list; 0: from the beginning. One of them.
	After, Before int64
	Limit         int // 0: 100
}

// Who has an operation, in [OpFilter].
const (
	WithOps      = "ops"
	WithHelpdesk = "helpdesk"
)

// OpPage is one page of a list, in its order.
type OpPage struct {
	Operations []OpRow `json:"operations"`
	// Next is what After takes to go on, Prev what Before takes to go back; 0: that is
	// the end of the list. A page may be short, or empty, though there is a Next: where
	// little matches, a page ends after a bounded search.
	Next int64 `json:"next,omitempty"`
	Prev int64 `json:"prev,omitempty"`
}

// failedStates are the states of the index operation_failed: what went wrong, or
// waits for something.
const failedStates = `('retry', 'unknown', 'parked')`

// failed returns which of the states asked for are in operation_failed.
func (f *OpFilter) failed() []OpState {
	return slices.DeleteFunc(slices.Clone(f.states()), func(s OpState) bool { return s != OpRetry && s != OpUnknown && s != OpParked })
}

func (f *OpFilter) states() []OpState {
	if len(f.States) == 0 {
		return OpenStates
	}
	return f.States
}

// conditions collects what a row must be like.
type conditions struct {
	sql  string
	args []any
}

func (c *conditions) and(sql string, args ...any) {
	c.sql += " AND " + sql
	c.args = append(c.args, args...)
}

// rest are the conditions besides state and place in the queue.
func (f *OpFilter) rest() (c conditions) {
	for _, e := range []struct{ column, value string }{
		{"source", f.Source}, {"connector", f.Connector}, {"anchor", f.Anchor}, {"code", f.Code}, {"cause", f.Cause},
	} {
		if e.value != "" {
			c.and(e.column+" = ?", e.value)
		}
	}
	if len(f.Kinds) > 0 {
		marks, args := list(f.Kinds)
		c.and("op IN ("+marks+")", args...)
	}
	if len(f.Lanes) > 0 {
		args := make([]any, len(f.Lanes))
		for i, l := range f.Lanes {
			args[i] = int(l)
		}
		c.and("lane IN ("+strings.TrimSuffix(strings.Repeat("?, ", len(args)), ", ")+")", args...)
	}
	switch f.With {
	case WithOps:
		c.and("handed_at > 0")
	case WithHelpdesk:
		c.and("handed_at = 0")
	}
	if !f.From.IsZero() {
		c.and("created_at >= ?", micros(f.From))
	}
	if !f.Until.IsZero() {
		c.and("created_at < ?", micros(f.Until))
	}
	return c
}
