package pluginhost

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Bounds of what is kept of incidents.
const (
	keptIncidents = 20
	incidentLines = 200
)

// So many deaths within this time raise the alarm; the plugin is still started
// again, since its queue is safe.
const (
	alarmCrashes = 5
	alarmWithin  = 10 * time.Minute
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

// bury ends what is left of a process and records the incident.
func (in *Instance) bury(l *live, cause string) {
	l.proc.stop(0)
	l.stream.fail(errors.New(cause))
	l.stream.loops.Wait()
	inDoubt, alone, defects := l.stream.remains()
	in.suspects.died(inDoubt, alone)

	inc := Incident{
		At: time.Now(), Instance: in.cfg.InstanceID, PID: l.proc.run.pid(), Uptime: time.Since(l.proc.started),
		Cause: cause, Exit: l.proc.run.exitStatus(), Panic: in.book.takePanic(), Log: in.book.last(incidentLines), InFlight: inDoubt,
	}
	in.record(inc, defects)
	in.log.Error("the plugin died: "+inc.String(), "pid", inc.PID, "exit", inc.Exit, "in_flight", len(inDoubt))
}

// record keeps an incident and what goes with it.
func (in *Instance) record(inc Incident, defects int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	inc.Version, inc.HeapBytes = in.desc.Version, in.seen.heap
	in.seen = vitals{}
	in.defects += defects
	in.crashes++
	in.incidents = append(in.incidents, inc)
	in.incidents = in.incidents[max(0, len(in.incidents)-keptIncidents):]
	in.lastError = inc.String()
	if n := len(in.incidents); n >= alarmCrashes && inc.At.Sub(in.incidents[n-alarmCrashes].At) < alarmWithin {
		in.alarm = fmt.Sprintf("the plugin died %d times within %s; see its incidents", alarmCrashes, alarmWithin)
	}
}

// remains returns what an ended stream leaves behind: the operations in doubt,
// whether they were one unit alone, and the breaches of the protocol.
func (s *stream) remains() (inDoubt []string, alone bool, defects int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inDoubt, s.unitsInDoubt == 1, s.defects
}
