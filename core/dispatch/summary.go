package dispatch

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/core/store"
)

// Summary says what became of the operations of one drain.
type Summary struct {
	Connector string `json:"connector"`
	// Done took effect; Replanned were closed because the account was not as we
	// thought, and are worked out anew in the next cycle.
	Done      int `json:"done"`
	Replanned int `json:"replanned"`
	// Retrying go out again by themselves; Pending were accepted by the target, which
	// is asked after them; Unknown are in doubt and looked up again. The first of them
	// is due at NextAt.
	Retrying int       `json:"retrying"`
	Pending  int       `json:"pending"`
	Unknown  int       `json:"unknown"`
	NextAt   time.Time `json:"next_at,omitzero"`
	// Parked wait for a person, counted by cause: "INVALID_VALUE".
	Parked map[string]int `json:"parked,omitempty"`
	// Stopped says why the connector sends nothing now; "": it does.
	Stopped string `json:"stopped,omitempty"`
}

// ParkedTotal counts all parked operations.
func (s Summary) ParkedTotal() int {
	n := 0
	for _, c := range s.Parked {
		n += c
	}
	return n
}

// String returns one line for people.
func (s Summary) String() string {
	parts := []string{fmt.Sprintf("%d done", s.Done)}
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(s.Replanned, "to be planned again")
	retrying := "retrying"
	if !s.NextAt.IsZero() {
		retrying += " (next at " + s.NextAt.UTC().Format(time.TimeOnly) + " UTC)"
	}
	add(s.Retrying, retrying)
	add(s.Pending, "accepted and not finished")
	add(s.Unknown, "in doubt")
	var causes []string
	for _, c := range slices.SortedFunc(maps.Keys(s.Parked), cmp.Compare[string]) {
		causes = append(causes, fmt.Sprintf("%s %d", c, s.Parked[c]))
	}
	add(s.ParkedTotal(), "parked: "+strings.Join(causes, ", "))
	line := s.Connector + ": " + strings.Join(parts, ", ")
	if s.Stopped != "" {
		line += "; " + s.Stopped
	}
	return line
}

// tally follows operations since a time: the last state of each counts.
type tally struct {
	since           time.Time
	done, replanned int
	open            map[string]store.Finish // by operation
}

func newTally(since time.Time) tally { return tally{since: since, open: map[string]store.Finish{}} }

func (t *tally) record(f store.Finish) {
	delete(t.open, f.ID)
	switch f.State {
	case store.OpDone:
		t.done++
	case store.OpSuperseded:
		t.replanned++
	case store.OpRetry, store.OpUnknown, store.OpParked:
		t.open[f.ID] = store.Finish{State: f.State, NextAttemptAt: f.NextAttemptAt, Err: f.Err, Continuation: f.Continuation}
	}
}

func (t *tally) summary(connector, stopped string) Summary {
	s := Summary{Connector: connector, Done: t.done, Replanned: t.replanned, Stopped: stopped}
	for _, f := range t.open {
		switch f.State {
		case store.OpRetry:
			s.Retrying++
		case store.OpUnknown:
			if len(f.Continuation) > 0 {
				s.Pending++
			} else {
				s.Unknown++
			}
		case store.OpParked:
			if s.Parked == nil {
				s.Parked = map[string]int{}
			}
			s.Parked[cause(f)]++
			continue
		}
		if s.NextAt.IsZero() || f.NextAttemptAt.Before(s.NextAt) {
			s.NextAt = f.NextAttemptAt
		}
	}
	return s
}

func cause(f store.Finish) string {
	if f.Err == nil {
		return "OTHER"
	}
	return f.Err.Code.String()
}
