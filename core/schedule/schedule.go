// Package schedule says when something is to run: cron expressions with a time
// zone, jitter that is the same after a restart, and windows in which nothing
// begins. It reads no clock.
package schedule

import (
	"errors"
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

// Schedule is a checked [Spec]. Its slots are the times that its expression names, or
// the ends of the windows that these fall into: a slot is what a run is for, also when
// the run begins later.
type Schedule struct {
	spec Spec
	cron cron.Schedule
	zone *time.Location
	not  Windows
}

// New checks spec. Its error holds all that is wrong, each a [*FieldError] where one
// field is at fault.
func New(spec Spec) (*Schedule, error) {
	zone, err := location(spec.Zone)
	errs := []error{err}
	s := &Schedule{spec: spec, zone: zone}
	if s.cron, err = parse(spec.Cron); err != nil {
		errs = append(errs, err)
	} else if gap, comes := shortest(s.next, zone); !comes {
		errs = append(errs, neverComes(spec.Cron))
	} else if spec.Jitter < 0 || spec.Jitter >= gap {
		errs = append(errs, fault("jitter", "jitter is %s; expected less than the %s from one run to the next", span(spec.Jitter), span(gap)))
	}
	if s.not, err = NewWindows(spec.Not); err != nil {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

// location returns the zone called name; with an error UTC, so that the rest can be
// checked too.
func location(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || strings.EqualFold(name, "local") {
		return time.UTC, fault("zone", "zone %q is not known; expected a name such as Europe/Berlin", name)
	}
	return zone, nil
}

// parser does not take the zone prefixes that the library knows: there is a field
// for it.
var parser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

func parse(expr string) (cron.Schedule, error) {
	if strings.Contains(expr, "TZ=") {
		return nil, fault("cron", "cron %q names a zone; give it as zone: instead", expr)
	}
	c, err := parser.Parse(strings.TrimSpace(expr))
	if err != nil {
		return nil, fault("cron", `cron %q: %s; expected five fields such as "*/15 6-20 * * Mon-Fri", @daily, or "@every 15m"`, expr, cronText(err))
	}
	return c, nil
}

// Next returns the first slot after t. A slot in a window is moved to its end, so that
// all of one window are one slot: a single run stands for them, and none was missed.
func (s *Schedule) Next(t time.Time) time.Time {
	next := s.next(t)
	if next.IsZero() {
		return next
	}
	return s.Free(next)
}

// next returns the first time after t that the expression names. With "@every" they are
// counted from 1970, so that they are the same after a restart.
func (s *Schedule) next(t time.Time) time.Time {
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

// Coming returns when something called name begins the next time after now.
func (s *Schedule) Coming(name string, now time.Time) time.Time {
	slot := s.Next(now.Add(-s.spec.Jitter))
	for !slot.IsZero() && !s.Begin(name, slot).After(now) {
		slot = s.Next(slot)
	}
	if slot.IsZero() {
		return slot
	}
	return s.Begin(name, slot)
}

// Free returns the first time from t on that is in no window.
func (s *Schedule) Free(t time.Time) time.Time { return s.not.after(t) }

// String returns the schedule in words for people.
func (s *Schedule) String() string {
	text := s.spec.Cron
	if s.spec.Zone != "" {
		text += " " + s.spec.Zone
	}
	return text
}
