package pluginhost

import "time"

// State is where an instance is in its life; the package comment draws how
// they follow each other.
type State string

// The states of an instance.
const (
	StateStarting    State = "starting"    // the binary is verified and launched
	StateConfiguring State = "configuring" // the config, the schema and the stream
	StateReady       State = "ready"
	StateDraining    State = "draining" // takes nothing new, answers the rest
	StateIdle        State = "idle"     // no process until a call needs it
	StateStopped     State = "stopped"
	StateBackoff     State = "backoff"     // died; waits for the next start
	StateQuarantined State = "quarantined" // the binary is not the pinned one: not started again
)

// Health is what is known of an instance at one moment.
type Health struct {
	State    State
	Since    time.Time // of the state
	PID      int       // 0: no process
	Started  time.Time // of the process
	Restarts int       // since the instance was started
	Crashes  int       // ends that nobody asked for, since then
	// LastError is the reason of the last end or failed start; "" after none.
	LastError string
	// Alarm is set when a person should look: crashes in a row, quarantine.
	Alarm string
	// Defects counts breaches of the protocol: answers given twice or to nobody.
	Defects int
	// Outstanding operations were sent and not answered; Queued wait to be sent.
	Outstanding, Queued int
	// Throttled is until when the target wants to be left alone; zero: it does not.
	Throttled time.Time
	// LastSeen is when the plugin last answered a question after its health, and
	// HeapBytes and Goroutines what it said of itself.
	LastSeen   time.Time
	HeapBytes  int64
	Goroutines int64
	// Dev: the binary runs without a pin.
	Dev     bool
	Version string
	SHA256  string
}
