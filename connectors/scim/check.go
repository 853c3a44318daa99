package scim

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// Check implements [connector.Target].
func (t *Target) Check(ctx context.Context) error {
	steps, _ := t.CheckSteps(ctx)
	return connector.CheckFailure(steps)
}

// CheckSteps implements [connector.Checker]: resolve, connect, tls, login,
// discovery, filter. The first failure ends it.
func (t *Target) CheckSteps(ctx context.Context) (steps []connector.CheckStep, product string) {
	u, err := url.Parse(t.cfg.BaseURL)
	if err != nil { // validate has seen to that
		return []connector.CheckStep{{Name: "resolve", Status: connector.CheckFail, Err: connector.AsError(err)}}, ""
	}
	c := &check{t: t, s: t.current(), base: u}
	c.Step(ctx, "resolve", c.resolve)
	c.Step(ctx, "connect", c.connect)
	c.Step(ctx, "tls", c.tls)
	c.Step(ctx, "login", c.login)
	c.Step(ctx, "discovery", c.discovery)
	c.Step(ctx, "filter", c.filter)
	if p := t.profile.Name; p != client.RootProfile {
		product = p
	}
	return c.Steps(), product
}

// check is one check under way.
type check struct {
	connector.CheckRun
	t    *Target
	s    *service
	base *url.URL
	m    *model
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
		message = fmt.Sprintf("profile %s holds for what the service does not tell: %s", p.Name, strings.Join(c.m.problems, "; "))
		if p.Discovery == client.DiscoveryOptional {
			c.Warn(message)
		}
		return message, nil
	}
	return "the service describes itself; profile " + p.Name + " adds what it does differently", nil
}

// filter proves that an account is found again by its anchor.
func (c *check) filter(ctx context.Context) (string, error) {
	a, ok := c.m.users.attr(c.m.users.anchor)
	if !ok {
		return c.Warn("accounts carry no anchor, so they are told apart by " + c.m.users.naming().Name + " alone"), nil
	}
	_, err := c.s.find(ctx, c.m.users, connector.Correlation{Attribute: a.Name, Value: "provhub-check-" + rand.Text()})
	switch {
	case connector.IsCode(err, connector.CodeUnsupported):
		return c.Warn("accounts cannot be looked up by " + a.Name + ": one whose creation was in doubt is found by " + c.m.users.naming().Name + " alone"), nil
	case err == nil:
		return "", configuration("the service ignores filters: it finds an account that is not there; override filter_ops with []")
	case !connector.IsCode(err, connector.CodeNotFound):
		return "", err
	}
	return "accounts can be looked up by " + a.Name, nil
}
