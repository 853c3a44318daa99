package monitoring

import (
	"strings"
	"testing"
)

// watched is a node on which a bit of everything has happened, of which people were
// told: somebody left, and crm refuses to disable him.
func watched(t *testing.T) *node {
	t.Helper()
	s := newSite(t)
	n := busy(t, s)
	s.people(strings.Replace(people[0], "here", "left", 1), people[1], people[2])
	n.eventually("people are told that a leaver is parked", func() bool {
		_, text := n.get("/metrics")
		return strings.Contains(text, `provhub_alerts{condition="leaver.parked",severity="critical"} 1`)
	})
	return n
}
