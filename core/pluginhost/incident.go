package pluginhost

import (
	"fmt"
	"strings"
	"time"
)

// Bounds of what is kept of incidents.
const (
	keptIncidents = 20
	incidentLines = 200
)

// Incident is the record of a plugin process that ended when it should not.
type Incident struct {
	At       time.Time
	Instance string
	Version  string
	PID      int
	Uptime   time.Duration
	// Cause is what the hub saw: "the process ended", "does not answer" …
	Cause string
	// Exit is how the process ended, as "signal: killed" or "exit status 2".
	Exit string
	// Panic is the panic and its stacks as the plugin printed them; "": none.
	Panic string
	// Log holds the last lines, oldest first, redacted.
	Log []string
	// InFlight are the ids of the operations sent and not answered.
	InFlight []string
	// HeapBytes is what the plugin last said of its memory.
	HeapBytes int64
}

// String returns the incident in one line.
func (i Incident) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s) after %s", i.Cause, i.Exit, i.Uptime.Round(time.Millisecond))
	if first, _, _ := strings.Cut(i.Panic, "\n"); first != "" {
		b.WriteString(", " + clip(first, 200))
	}
	fmt.Fprintf(&b, ", %d operations in flight", len(i.InFlight))
	return b.String()
}
