// Package schedule says when something is to run: cron expressions with a time
// zone, jitter that is the same after a restart, and windows in which nothing
// begins. It reads no clock.
package schedule

import (
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Spec says when something runs, in the words of the config.
type Spec struct {
	// Cron is an expression of five fields (minute, hour, day of month, month, day of
	// week), a word such as @hourly or @daily, or "@every 15m".
	Cron string
	// Zone is an IANA time zone, such as Europe/Berlin; "": UTC.
	Zone string
	// Jitter is how much later than the minute a run may begin, so that not everything
	// begins at once. Each slot has its own part of it, the same one after a restart.
	Jitter time.Duration
	// Not are windows in which nothing begins. What falls into one begins at its end.
	Not []Window
}

// Schedule is a checked [Spec]. Its slots are the times that its expression names:
// a slot is what a run is for, also when the run begins later.
type Schedule struct {
	spec Spec
	cron cron.Schedule
	zone *time.Location
	not  Windows
}

// New checks spec.
func New(spec Spec) (*Schedule, error) {
	zone, err := location(spec.Zone)
	if err != nil {
		return nil, err
	}
	s := &Schedule{spec: spec, zone: zone}
	if s.cron, err = parse(spec.Cron); err != nil {
		return nil, err
	}
	first := s.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, zone))
	if first.IsZero() {
		return nil, fmt.Errorf("cron %q never comes: no day is like that", spec.Cron)
	}
	if gap := s.Next(first).Sub(first); spec.Jitter < 0 || spec.Jitter >= gap {
		return nil, fmt.Errorf("jitter is %s; expected less than the %s from one run to the next", spec.Jitter, gap)
	}
	s.not, err = NewWindows(spec.Not)
	return s, err
}

func location(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || strings.EqualFold(name, "local") {
		return nil, fmt.Errorf("zone %q is not known; expected a name such as Europe/Berlin", name)
	}
	return zone, nil
}

// parser does not take the zone prefixes that the library knows: there is a field
// for it.
var parser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

func parse(expr string) (cron.Schedule, error) {
	if strings.Contains(expr, "TZ=") {
		return nil, fmt.Errorf("cron %q names a zone; give it as zone: instead", expr)
	}
	c, err := parser.Parse(strings.TrimSpace(expr))
	if err != nil {
		return nil, fmt.Errorf(`cron %q: %w; expected five fields such as "*/15 6-20 * * Mon-Fri", @daily, or "@every 15m"`, expr, err)
	}
	return c, nil
}

// Next returns the first slot after t. With "@every" the slots are counted from
// 1970, so that they are the same after a restart.
func (s *Schedule) Next(t time.Time) time.Time {
	if every, ok := s.cron.(cron.ConstantDelaySchedule); ok {
		return t.Truncate(every.Delay).Add(every.Delay)
	}
	return s.cron.Next(t.In(s.zone))
}

// lookBack bounds how many slots are counted that nobody ran.
const lookBack = 10_000

// Due returns the latest slot that is not after now and after last, and how many
// before it were missed as well; the zero time when nothing is due. A run for the
// slot stands for all of them. last is the slot of the last run, or when counting
// began.
func (s *Schedule) Due(last, now time.Time) (slot time.Time, missed int) {
	for next := s.Next(last); !next.IsZero() && !next.After(now); next = s.Next(next) {
		if !slot.IsZero() {
			missed++
		}
		if slot = next; missed == lookBack {
			return s.latest(now), missed
		}
	}
	return slot, missed
}

// latest is the slot before now when there are too many to walk through.
func (s *Schedule) latest(now time.Time) time.Time {
	back := time.Minute
	for {
		if slot := s.Next(now.Add(-back)); !slot.After(now) {
			for next := s.Next(slot); !next.After(now); next = s.Next(next) {
				slot = next
			}
			return slot
		}
		back *= 2
	}
}

// Begin returns when the run for a slot of something called name begins: after its
// jitter, and not within a window.
func (s *Schedule) Begin(name string, slot time.Time) time.Time {
	at := slot
	if s.spec.Jitter > 0 {
		h := fnv.New64a()
		fmt.Fprintf(h, "%s %d", name, slot.Unix())
		at = at.Add(time.Duration(h.Sum64() % uint64(s.spec.Jitter)))
	}
	return s.Free(at)
}

// windowSteps bounds how many windows that follow on each other are passed over:
// together they could cover all time.
const windowSteps = 100

// Free returns the first time from t on that is in no window.
func (s *Schedule) Free(t time.Time) time.Time {
	for steps := 0; steps < windowSteps; steps++ {
		end := s.not.Until(t)
		if end.IsZero() {
			break
		}
		t = end
	}
	return t
}

// String returns the schedule in words for people.
func (s *Schedule) String() string {
	text := s.spec.Cron
	if s.spec.Zone != "" {
		text += " " + s.spec.Zone
	}
	return text
}
