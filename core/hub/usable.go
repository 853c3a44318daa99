package hub

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/store"
)

// noteStart writes down whether the plugin of a connector could be used, and which
// target it leads to.
func (h *Hub) noteStart(ctx context.Context, c *config.Connector, r *running) error {
	if ctx.Err() != nil {
		return nil // interrupted: that says nothing about the plugin
	}
	s, err := h.org.ConnectorState(ctx, c.Name)
	if err != nil {
		return err
	}
	was := s
	switch {
	case r.err == nil:
		s.Unusable, s.UnusableAt = "", time.Time{}
		s = seen(s, r.instance.Fingerprint())
	case s.Unusable != r.err.Error():
		s.Unusable, s.UnusableAt = r.err.Error(), h.now()
	}
	if r.err != nil && connector.IsCode(r.err, connector.CodeAuthentication) && s.Stopped == "" {
		s.Stopped, s.StoppedAt = signIn+r.err.Error(), h.now()
	}
	if s == was {
		return nil
	}
	return h.org.SetConnectorState(ctx, s, store.Hub, h.now())
}

// signIn begins the reason of a stop after which the plugin is not even started.
const signIn = "its sign-in failed: "

// signInRefused is why the plugin of a connector is not started; nil when it is.
func signInRefused(s store.ConnectorState) error {
	if !strings.HasPrefix(s.Stopped, signIn) {
		return nil
	}
	return fmt.Errorf("%s; not tried again before `provhub connector check %s` passes", s.Stopped, s.Connector)
}

// seen compares the target that a connector leads to with the one that it is about.
// One that cannot tell who it is leaves things as they are.
func seen(s store.ConnectorState, target string) store.ConnectorState {
	switch target {
	case "":
	case s.Target:
		s.OtherTarget = ""
	default:
		if s.Target == "" {
			s.Target = target
		} else {
			s.OtherTarget = target
		}
	}
	return s
}

// AcceptTarget says that the target which a connector leads to now holds the same
// accounts as the one before: what is on record of them is true, and operations go
// out again. reason is kept in the audit trail. now is how the target names itself.
func (h *Hub) AcceptTarget(ctx context.Context, name, reason string) (now string, err error) {
	c, err := h.Connector(name)
	if err != nil {
		return "", err
	}
	if _, err := h.instance(ctx, c); err != nil {
		return "", ofConnector(name, err)
	}
	s, err := h.org.ConnectorState(ctx, name)
	if err != nil {
		return "", err
	}
	if s.OtherTarget == "" {
		return "", &UsageError{fmt.Sprintf("connector %s leads to the target that it always led to; there is nothing to accept", name)}
	}
	s.Target, s.OtherTarget, s.Reason = s.OtherTarget, "", reason
	return s.Target, h.org.SetConnectorState(ctx, s, h.opt.Actor, h.now())
}

// unusable says why the plugin of a connector could not run now, without starting
// it; "" when nothing speaks against it.
func (h *Hub) unusable(c *config.Connector) string {
	pc, err := h.pluginConfig(c)
	switch {
	case err != nil:
		return firstLine(err.Error())
	case pc.SHA256 != "" && h.sums.other(pc):
		return "the plugin's file is not the one that was pinned: `provhub plugin pin " + c.Plugin + "`"
	}
	return ""
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
