package web

import (
	"fmt"
	"time"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

// lockoutsText says how soon people who left were locked out.
func lockoutsText(l store.Lockouts) string {
	days := fmt.Sprintf("%s in %d days", count(l.N), hub.LockoutDays)
	switch l.N {
	case 0:
		return "nobody in " + span(hub.LockoutDays*24*time.Hour)
	case 1:
		return days + ", within " + within(l.Longest)
	}
	return fmt.Sprintf("%s: half within %s, 95 %% within %s, all within %s", days, within(l.Median), within(l.P95), within(l.Longest))
}

// within is a length of time in its largest unit, rounded up: nothing that is said to be
// done within it took longer.
func within(d time.Duration) string {
	for _, unit := range []time.Duration{time.Second, time.Minute, time.Hour} {
		if up := (d + unit - 1).Truncate(unit); up < 60*unit && up < 48*time.Hour {
			return span(max(up, unit))
		}
	}
	return span((d + 24*time.Hour - 1).Truncate(24 * time.Hour))
}
