package lifecycle

import (
	"sync"
	"time"
	_ "time/tzdata" // the same zones on every machine, with or without zoneinfo files
)

// zones keeps the zones that were asked for: loading one costs as much as
// everything else about a person.
var zones sync.Map // name → *time.Location

// zoneCalled returns the IANA zone called name. The machine's own zone, "Local",
// is none: a state must not depend on where the hub runs.
func zoneCalled(name string) (*time.Location, bool) {
	if z, ok := zones.Load(name); ok {
		return z.(*time.Location), true
	}
	z, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, false
	}
	zones.Store(name, z)
	return z, true
}

// dayStart returns the first moment of the calendar day of d in zone. The clocks
// of some zones change at midnight, so that a day begins at 01:00 or has its
// midnight twice.
func dayStart(d time.Time, zone *time.Location) time.Time {
	y, m, day := d.Date()
	t := time.Date(y, m, day, 0, 0, 0, 0, zone)
	from, to := t.ZoneBounds()
	ty, tm, td := t.Date()
	switch shown := time.Date(ty, tm, td, t.Hour(), t.Minute(), 0, 0, time.UTC); {
	case shown.Before(d): // midnight is skipped and t is an hour before the change
		return to
	case shown.After(d): // skipped, and t is after the change
		return from
	}
	if from.IsZero() {
		return t
	}
	_, offset := t.Zone()
	_, before := from.Add(-time.Second).Zone()
	if earlier := t.Add(time.Duration(offset-before) * time.Second); earlier.Before(from) && earlier.Before(t) {
		return earlier // midnight comes twice
	}
	return t
}
