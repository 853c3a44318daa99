package scim

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// Check implements [connector.Target].
func (t *Target) Check(ctx context.Context) error {
	steps, _ := t.CheckSteps(ctx)
	for _, s := range steps {
		if s.Status == connector.CheckFail {
			return s.Err
		}
	}
	return nil
}

// CheckSteps implements [connector.Checker]: resolve, connect, tls, login,
// discovery, filter. The first failure ends it.
func (t *Target) CheckSteps(ctx context.Context) (steps []connector.CheckStep, product string) {
	u, err := url.Parse(t.cfg.BaseURL)
	if err != nil { // validate has seen to that
		return []connector.CheckStep{{Name: "resolve", Status: connector.CheckFail, Err: connector.AsError(err)}}, ""
	}
	c := &check{t: t, s: t.current(), base: u}
	for _, s := range []struct {
		name string
		run  func(context.Context) (string, error)
	}{
		{"resolve", c.resolve}, {"connect", c.connect}, {"tls", c.tls}, {"login", c.login}, {"discovery", c.discovery}, {"filter", c.filter},
	} {
		if c.stopped {
			steps = append(steps, connector.CheckStep{Name: s.name, Status: connector.CheckSkipped})
			continue
		}
		steps = append(steps, c.step(ctx, s.name, s.run))
	}
	if p := t.profile.Name; p != client.RootProfile {
		product = p
	}
	return steps, product
}

// check is one check under way.
type check struct {
	t       *Target
	s       *service
	base    *url.URL
	m       *model
	stopped bool
	warning bool // of the step that just ran
}

func (c *check) step(ctx context.Context, name string, run func(context.Context) (string, error)) connector.CheckStep {
	c.warning = false
	begin := time.Now()
	message, err := run(ctx)
	s := connector.CheckStep{Name: name, Status: connector.CheckPass, Message: message, Took: time.Since(begin)}
	switch {
	case err != nil:
		s.Status, s.Err = connector.CheckFail, connector.AsError(err)
		s.Message = s.Err.Message
		c.stopped = true
	case c.warning:
		s.Status = connector.CheckWarn
	}
	return s
}

// login looks for an account that nobody has: the answer "none" takes a login
// (QUIRKS SCIM-35).
func (c *check) login(ctx context.Context) (string, error) {
	_, err := c.s.Find(ctx, client.Users, "userName", "provhub-check-"+rand.Text(), client.Selection{})
	var refused *client.Fault
	switch {
	case connector.IsCode(err, connector.CodeUnsupported):
		err = c.s.lists(ctx)
	case connector.IsCode(err, connector.CodeNotFound) && errors.As(err, &refused):
		err = c.s.lists(ctx) // some say 404 for nobody, and all do for a wrong address
	case connector.IsCode(err, connector.CodeNotFound):
		err = nil
	}
	if err != nil {
		return "", err
	}
	return "the service answers and accepts the " + orElse(c.t.cfg.Auth.Kind, "bearer") + " login", nil
}

func (c *check) discovery(ctx context.Context) (message string, err error) {
	if c.m, err = c.s.model(ctx, true); err != nil {
		return "", err
	}
	p := c.s.Profile()
	if len(c.m.problems) > 0 {
		c.warning = p.Discovery == client.DiscoveryOptional
		return fmt.Sprintf("profile %s holds for what the service does not tell: %s", p.Name, strings.Join(c.m.problems, "; ")), nil
	}
	return "the service describes itself; profile " + p.Name + " adds what it does differently", nil
}

// filter proves that an account is found again by its anchor.
func (c *check) filter(ctx context.Context) (string, error) {
	a, ok := c.m.users.attr(c.m.users.anchor)
	if !ok {
		c.warning = true
		return "accounts carry no anchor, so they are told apart by " + c.m.users.naming().Name + " alone", nil
	}
	_, err := c.s.find(ctx, c.m.users, connector.Correlation{Attribute: a.Name, Value: "provhub-check-" + rand.Text()})
	switch {
	case connector.IsCode(err, connector.CodeUnsupported):
		c.warning = true
		return "accounts cannot be looked up by " + a.Name + ": one whose creation was in doubt is found by " + c.m.users.naming().Name + " alone", nil
	case err == nil:
		return "", configuration("the service ignores filters: it finds an account that is not there; override filter_ops with []")
	case !connector.IsCode(err, connector.CodeNotFound):
		return "", err
	}
	return "accounts can be looked up by " + a.Name, nil
}
