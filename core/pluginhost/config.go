package pluginhost

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

const defaultMemoryMax = 512 << 20

// Config says which plugin to run and what to tell it.
type Config struct {
	// InstanceID names the connector; it goes into every request and log line.
	InstanceID string
	// Type and Version are what the pin says; the plugin must say the same of
	// itself. "" is not compared.
	Type, Version string
	Path          string
	// SHA256 is the pinned hash in hex; "" only with Dev.
	SHA256 string
	// Dev runs whatever lies at Path, unpinned.
	Dev bool

	ConfigJSON json.RawMessage
	Secrets    map[string]connector.Secret
	// DataDir is a private writable folder for the plugin; "": none.
	DataDir string

	// Log gets the hub's own lines and the plugin's; nil: [slog.Default].
	Log *slog.Logger
	// Timeout bounds one attempt of an operation that does not say; 0: 30 s.
	Timeout time.Duration
	// InFlight bounds the operations the plugin works on at once; 0: what the
	// plugin says.
	InFlight int
	// Window bounds the operations sent and not answered, and with them what is
	// in doubt when the plugin dies; 0: 64, or as many as it works on at once, or two
	// of its batches.
	Window int
	// Env names variables of the hub that the plugin gets besides the usual ones.
	Env []string
	// RuntimeDir is where the private socket folders are made; "": the user's
	// runtime folder, else the temporary one.
	RuntimeDir string

	// MemoryMax bounds the resident memory in bytes; 0: 512 MiB. A plugin beyond
	// it is drained and started anew, one beyond twice as much is killed.
	MemoryMax int64
	// IdleAfter is when a plugin that nobody calls is stopped until somebody
	// does; 0: never.
	IdleAfter time.Duration

	// OnThrottle is told when the target asks to be left alone; nil: nobody.
	// It must not block. See also [Instance.Throttled].
	OnThrottle func(until time.Time)
	// OnSecret is told when the target replaced a secret by itself, such as a
	// refresh token that is good once: store it, or the next start of the hub
	// fails. The instance uses it for its own restarts. nil: nobody.
	OnSecret func(name string, value connector.Secret)
	// OnState is told of every change of state, in order. It must not block.
	OnState func(State)

	Times Times
}

// Times are the host's time limits. Zero fields mean the default.
type Times struct {
	Start          time.Duration // up to the answer to Describe: 10 s
	Configure      time.Duration // Configure, DiscoverSchema and Check, each: 60 s
	Call           time.Duration // Get and other short calls: 30 s
	Health         time.Duration // between two questions after its health: 5 s
	HealthDeadline time.Duration // 2 s
	HealthMisses   int           // in a row, until the plugin counts as frozen: 3
	AnswerGrace    time.Duration // beyond an operation's timeout: 5 s
	CancelGrace    time.Duration // to answer what was cancelled: 5 s
	RestartFirst   time.Duration // wait before the first restart: 500 ms
	RestartMax     time.Duration // 60 s
	Settled        time.Duration // ready for so long: the waits begin anew: 5 min
}

func orElse[T ~int | ~int64](v *T, fallback T) {
	if *v <= 0 {
		*v = fallback
	}
}

func (t *Times) defaults() {
	orElse(&t.Start, 10*time.Second)
	orElse(&t.Configure, time.Minute)
	orElse(&t.Call, 30*time.Second)
	orElse(&t.Health, 5*time.Second)
	orElse(&t.HealthDeadline, 2*time.Second)
	orElse(&t.HealthMisses, 3)
	orElse(&t.AnswerGrace, 5*time.Second)
	orElse(&t.CancelGrace, 5*time.Second)
	orElse(&t.RestartFirst, 500*time.Millisecond)
	orElse(&t.RestartMax, time.Minute)
	orElse(&t.Settled, 5*time.Minute)
}

func (c *Config) check() error {
	switch {
	case c.InstanceID == "":
		return errors.New("pluginhost: a config without InstanceID")
	case c.Path == "":
		return errors.New("no plugin binary is named")
	case c.SHA256 == "" && !c.Dev:
		return fmt.Errorf("plugin %s is not pinned: run provhub plugin pin %s", c.Path, c.Path)
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	orElse(&c.Timeout, 30*time.Second)
	orElse(&c.MemoryMax, defaultMemoryMax)
	c.Times.defaults()
	return nil
}

func (c *Config) spec(book *logbook) spec {
	s := spec{path: c.Path, sha256: c.SHA256, env: environment(c.Env, c.MemoryMax), runtimeDir: c.RuntimeDir, timeout: c.Times.Start, book: book}
	if c.Dev {
		s.sha256 = ""
	}
	return s
}
