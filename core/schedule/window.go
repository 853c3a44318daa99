package schedule

import (
	"errors"
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
)

// windowMax bounds a window, so that windows cannot cover all time by mistake.
const windowMax = 7 * 24 * time.Hour

// Window is a time that comes again, such as a target's maintenance: it begins when
// Cron says, and lasts For.
type Window struct {
	Cron string
	Zone string // as in [Spec]
	For  time.Duration
}

// window is a checked [Window].
type window struct {
	cron cron.Schedule
	zone *time.Location
	long time.Duration
}

// Check says what is wrong with w, as [New] does; nil when nothing is.
func (w Window) Check() error {
	_, err := w.check()
	return err
}

func (w Window) check() (window, error) {
	zone, err := location(w.Zone)
	errs := []error{err}
	long := w.For > 0 && w.For <= windowMax
	if !long {
		errs = append(errs, fault("for", "for is %s; expected how long the window lasts, up to %s", span(w.For), span(windowMax)))
	}
	c, err := parse(w.Cron)
	if err != nil {
		errs = append(errs, err)
	} else if _, every := c.(cron.ConstantDelaySchedule); every {
		errs = append(errs, fault("cron", "cron %q has no begin; expected five fields, such as \"0 22 * * Sat\"", w.Cron))
	} else if gap, comes := shortest(c.Next, zone); !comes {
		errs = append(errs, neverComes(w.Cron))
	} else if long && w.For >= gap {
		errs = append(errs, fault("for", "the window lasts %s and begins again after %s, before it has ended; give it a shorter for, or less often in cron", span(w.For), span(gap)))
	}
	return window{c, zone, w.For}, errors.Join(errs...)
}

// end returns when the window around t ends; in is false outside of it.
func (w window) end(t time.Time) (end time.Time, in bool) {
	begin := w.cron.Next(t.Add(-w.long).In(w.zone))
	if begin.IsZero() || begin.After(t) {
		return time.Time{}, false
	}
	return begin.Add(w.long), true
}

// Windows are checked windows by themselves, such as a target's maintenance.
type Windows []window

// NewWindows checks windows.
func NewWindows(ws []Window) (Windows, error) {
	var out Windows
	for i, w := range ws {
		checked, err := w.check()
		if err != nil {
			return nil, fmt.Errorf("window %d: %w", i+1, err)
		}
		out = append(out, checked)
	}
	if out.endless() {
		return nil, errors.New("together the windows leave no time between them: nothing would ever run")
	}
	return out, nil
}

// endless reports whether one window follows on the other for ever.
func (ws Windows) endless() bool {
	t := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return !ws.Until(ws.after(t)).IsZero()
}

// chainMax is how long windows may follow on each other without a time between them:
// longer, and they cover all time.
const chainMax = 5 * windowMax

// after returns the first time from t on that is in no window.
func (ws Windows) after(t time.Time) time.Time {
	for begin := t; t.Sub(begin) < chainMax; {
		end := ws.Until(t)
		if end.IsZero() {
			break
		}
		t = end
	}
	return t
}

// Until returns when the window around t ends; the zero time outside of all.
func (ws Windows) Until(t time.Time) time.Time {
	var until time.Time
	for _, w := range ws {
		if end, in := w.end(t); in && end.After(until) {
			until = end
		}
	}
	return until
}
