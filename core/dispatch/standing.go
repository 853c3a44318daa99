package dispatch

import (
	"time"

	"github.com/provhub/provhub/core/store"
)

// Standing tells why a connector is left alone at now: down, because its breaker is
// open; throttled, because the target asked for it.
func Standing(s store.ConnectorState, now time.Time) (down, throttled bool) {
	if !s.ResumeAt.After(now) {
		return false, false
	}
	return s.Failures >= breakerAt, s.Failures < breakerAt
}
