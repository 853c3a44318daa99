package hub

import (
	"context"
	"fmt"
	"time"

	"github.com/provhub/provhub/core/store"
)

// What a person may switch. All of it is in the store and audited, so that every node
// sees it within a second and a restart changes nothing.

// Pause stops sending to a connector until [Hub.Resume]; its queue is kept. A run
// that is under way sees it within a second.
func (h *Hub) Pause(ctx context.Context, name, reason string) error {
	return h.change(ctx, name, func(s *store.ConnectorState) {
		s.PausedBy, s.DrainedBy = h.because(reason), ""
	})
}

// Resume takes back a pause or a drain, and lets a connector try again that stood
// still or is in quarantine.
func (h *Hub) Resume(ctx context.Context, name string) error {
	return h.change(ctx, name, func(s *store.ConnectorState) {
		s.PausedBy, s.DrainedBy, s.Stopped, s.StoppedAt, s.ResumeAt, s.Failures = "", "", "", time.Time{}, time.Time{}, 0
		s.Quarantined, s.QuarantinedAt, s.ProbeAt, s.ProbesFailed, s.ProbesPassed = "", time.Time{}, time.Time{}, 0, 0
	})
}

// DrainOut has what is planned for a connector go out and nothing that is planned
// later; then the connector is paused. through is true when nothing was left to go
// out.
func (h *Hub) DrainOut(ctx context.Context, name, reason string) (through bool, err error) {
	if _, err := h.Connector(name); err != nil {
		return false, err
	}
	if err := h.org.Drain(ctx, name, h.because(reason), h.opt.Actor, h.now()); err != nil {
		return false, err
	}
	return h.org.EndDrain(ctx, name, h.now())
}

// Stop has nothing sent to any target until [Hub.Go], whatever else is switched.
// changed is false when everything was stopped already.
func (h *Hub) Stop(ctx context.Context, reason string) (changed bool, err error) {
	return h.org.SetStopped(ctx, h.because(reason), h.opt.Actor, h.now())
}

// Go takes back a stop. What is paused by itself stays so.
func (h *Hub) Go(ctx context.Context) (changed bool, err error) {
	return h.org.SetStopped(ctx, "", h.opt.Actor, h.now())
}

// because names who switches something, and why.
func (h *Hub) because(reason string) string { return fmt.Sprintf("%s: %s", h.opt.Actor, reason) }

func (h *Hub) change(ctx context.Context, name string, f func(*store.ConnectorState)) error {
	if _, err := h.Connector(name); err != nil {
		return err
	}
	s, err := h.org.ConnectorState(ctx, name)
	if err != nil {
		return err
	}
	s.Connector = name
	f(&s)
	return h.org.SetConnectorState(ctx, s, h.opt.Actor, h.now())
}
