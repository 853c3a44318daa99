package lifecycle

import (
	"fmt"
	"strings"
	"time"

	"github.com/provhub/provhub/core/identity"
)

// State returns the state a person with attributes a is in at now, and when it
// changes by itself; the zero time: never.
//
//	status    before start    until the end of the last day    after it
//	active    pre-hire        active                           leaver
//	suspended pre-hire        suspended                        leaver
//	leaver    leaver          active                           leaver
//
// A date that is not set does not limit. So somebody whose status says leaver
// already works until the end of the last working day, and leaves at once when
// the source gives none (QUIRKS HR-20). A leaver whose start is still ahead
// never started.
//
// An error is a fault of the record: a status in no list, a date or zone that
// is none, an end before the start, a contractor without an end. Its text names
// the attribute and never the value.
func (r Rules) State(a identity.Attributes, now time.Time) (state identity.State, due time.Time, err error) {
	status, err := r.status(a)
	if err != nil {
		return "", time.Time{}, err
	}
	start, end, err := r.span(a)
	if err != nil {
		return "", time.Time{}, err
	}
	if end.IsZero() && status != identity.Leaver && r.needsEnd(a) {
		return "", time.Time{}, fmt.Errorf("attribute %q: a contractor needs an end date", r.End)
	}
	started := start.IsZero() || !now.Before(start)
	ended := !end.IsZero() && !now.Before(end)
	switch {
	case ended:
		return identity.Leaver, time.Time{}, nil
	case status == identity.Leaver && (end.IsZero() || !started):
		return identity.Leaver, time.Time{}, nil
	case !started:
		return identity.PreHire, start, nil
	case status == identity.Leaver:
		return identity.Active, end, nil
	}
	return status, end, nil
}

// status returns what the source's status says, dates aside.
func (r Rules) status(a identity.Attributes) (identity.State, error) {
	if r.Status == "" {
		return identity.Active, nil
	}
	text := attributeText(a[r.Status])
	for _, list := range []struct {
		values []string
		state  identity.State
	}{{r.Leaver, identity.Leaver}, {r.Suspended, identity.Suspended}, {r.Active, identity.Active}} {
		if contains(list.values, text) {
			return list.state, nil
		}
	}
	if text == "" {
		return "", fmt.Errorf("attribute %q: no status; say in the lifecycle which state a missing status means, or fill it in", r.Status)
	}
	return "", fmt.Errorf("attribute %q: the status is in none of the lists active, suspended and leaver", r.Status)
}

// span returns the first moment of the start date and the first moment after
// the end date, in the person's zone; zero where there is no date.
func (r Rules) span(a identity.Attributes) (start, end time.Time, err error) {
	zone, err := r.zone(a)
	if err != nil {
		return start, end, err
	}
	first, err := date(a, r.Start)
	if err != nil {
		return start, end, err
	}
	last, err := date(a, r.End)
	if err != nil {
		return start, end, err
	}
	if !first.IsZero() && !last.IsZero() && last.Before(first) {
		return start, end, fmt.Errorf("attribute %q: the end date is before the start date in %q", r.End, r.Start)
	}
	if !first.IsZero() {
		start = dayStart(first, zone)
	}
	if !last.IsZero() {
		end = dayStart(last.AddDate(0, 0, 1), zone)
	}
	return start, end, nil
}

func (r Rules) zone(a identity.Attributes) (*time.Location, error) {
	if name := a.Text(r.Zone); r.Zone != "" && name != "" {
		zone, ok := zoneCalled(name)
		if !ok {
			return nil, fmt.Errorf("attribute %q: not an IANA time zone such as Europe/Berlin", r.Zone)
		}
		return zone, nil
	}
	if r.DefaultZone != nil {
		return r.DefaultZone, nil
	}
	return time.UTC, nil
}

func (r Rules) needsEnd(a identity.Attributes) bool {
	return r.EndRequired && contains(r.Contractors, attributeText(a[r.Contractor]))
}

// date returns the attribute called name as midnight UTC of that day; zero when
// it is not used or has no value.
func date(a identity.Attributes, name string) (time.Time, error) {
	text := a.Text(name)
	if name == "" || text == "" {
		return time.Time{}, nil
	}
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("attribute %q: not a date in the form 2026-03-31", name)
	}
	return d, nil
}

// attributeText renders what a status column may hold; dates and lists are none.
func attributeText(v any) string {
	switch x := v.(type) {
	case string:
		return strings.TrimSpace(x)
	case bool, int64:
		return fmt.Sprint(x)
	}
	return ""
}

func contains(values []string, text string) bool {
	for _, v := range values {
		if strings.EqualFold(strings.TrimSpace(v), text) {
			return true
		}
	}
	return false
}
