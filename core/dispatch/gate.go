package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/provhub/provhub/core/store"
)

// actor is who writes the connector's state.
const actor = "provhub"

// fresh is how old the connector's state may be when something is sent: a kill
// switch takes effect within a second (QUIRKS Q-45).
const fresh = 900 * time.Millisecond

// gate stands before every call to the target. It is shut while the connector
// is stopped, paused by a person, or to be left alone.
type gate struct {
	queue Queue
	name  string
	now   func() time.Time
	// maintenance returns until when the target is worked on; nil: it never is.
	maintenance func(time.Time) time.Time
	log         *slog.Logger

	mu     sync.Mutex
	state  store.ConnectorState
	readAt time.Time
	ending <-chan struct{} // when it is closed, nothing more is sent
}

// until has the gate shut for good once ending is closed; nil: never.
func (g *gate) until(ending <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ending = ending
}

// shutError says why nothing is sent, and until when; the zero time: until a
// person does something.
type shutError struct {
	why   string
	until time.Time
}

// Error implements error.
func (e *shutError) Error() string { return e.why }

// open returns nil when something may be sent now, a [*shutError] when not.
func (g *gate) open(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if closed(g.ending) || ctx.Err() != nil {
		return &shutError{why: "interrupted"}
	}
	if err := g.read(ctx); err != nil {
		return err
	}
	s := g.state
	switch {
	case s.Pause() != "":
		return &shutError{why: s.Pause()}
	case s.Stopped != "":
		return &shutError{why: "stopped: " + s.Stopped}
	case s.Held() != "":
		return &shutError{why: s.Held()}
	case !g.maintained().IsZero():
		return &shutError{why: "maintenance until " + g.maintained().UTC().Format(time.DateTime) + " UTC", until: g.maintained()}
	case s.ResumeAt.After(g.now()):
		why := "the target asked to be left alone"
		if s.Failures >= breakerAt { // the breaker is open
			why = fmt.Sprintf("the target is down (%d failures in a row)", s.Failures)
		}
		return &shutError{why: why + "; next try at " + s.ResumeAt.UTC().Format(time.DateTime) + " UTC", until: s.ResumeAt}
	case s.Quarantined != "" && s.ProbeAt.After(g.now()):
		return &shutError{why: s.Quarantine(), until: s.ProbeAt}
	}
	return nil
}

// maintained is until when the target is worked on.
func (g *gate) maintained() time.Time {
	if g.maintenance == nil {
		return time.Time{}
	}
	return g.maintenance(g.now())
}

// read brings the state up to date when it is no longer fresh.
func (g *gate) read(ctx context.Context) error {
	now := g.now()
	if !g.readAt.IsZero() && now.Sub(g.readAt) < fresh {
		return nil
	}
	s, err := g.queue.ConnectorState(ctx, g.name)
	if err != nil {
		return err
	}
	g.state, g.readAt = s, now
	return nil
}

// change writes what edit changes of the state as it is now in the database.
func (g *gate) change(ctx context.Context, edit func(*store.ConnectorState)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.readAt = time.Time{}
	if err := g.read(ctx); err != nil {
		return err
	}
	s := g.state
	edit(&s)
	if s == g.state {
		return nil
	}
	if err := g.queue.SetConnectorState(ctx, s, actor, g.now()); err != nil {
		return err
	}
	g.say(&g.state, &s)
	g.readAt = time.Time{}
	return g.read(ctx)
}

// say logs what begins to keep the connector from sending, and what is over.
func (g *gate) say(was, is *store.ConnectorState) {
	if was.Stopped == "" && is.Stopped != "" {
		g.log.Error("nothing is sent any more before a person has acted", "reason", is.Stopped)
	}
	switch down := is.Failures >= breakerAt; {
	case down && was.Failures < breakerAt:
		g.log.Warn("the target is down; now and then one operation is tried", "failures", is.Failures, "next", is.ResumeAt)
	case !down && was.Failures >= breakerAt:
		g.log.Info("the target is up again", "failures", was.Failures)
	}
	switch {
	case was.Quarantined == "" && is.Quarantined != "":
		g.log.Warn("the connector is in quarantine; only single operations are tried", "reason", is.Quarantined, "next", is.ProbeAt)
	case was.Quarantined != "" && is.Quarantined == "":
		g.log.Info("the quarantine is over", "lasted", g.now().Sub(was.QuarantinedAt).Round(time.Second))
	}
}

// failures is how often in a row the target was down when that was last written.
func (g *gate) failures() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state.Failures
}

// resumeAt is until when the target is left alone.
func (g *gate) resumeAt() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	if at := g.state.ProbeAt; g.state.Quarantined != "" && at.After(g.state.ResumeAt) {
		return at
	}
	return g.state.ResumeAt
}

// quarantined reports whether only single operations are tried.
func (g *gate) quarantined() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state.Quarantined != ""
}

// drained reports whether somebody drains the connector.
func (g *gate) drained() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state.DrainedBy != ""
}

// look reads the state anew, whether or not something may be sent.
func (g *gate) look(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.readAt = time.Time{}
	return g.read(ctx)
}
