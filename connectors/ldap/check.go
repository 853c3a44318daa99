package ldap

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/wording"
)

// Check implements [connector.Target].
func (t *Target) Check(ctx context.Context) error {
	steps, _ := t.CheckSteps(ctx)
	return connector.CheckFailure(steps)
}

// CheckSteps implements [connector.Checker]: resolve, connect, tls, bind, base,
// schema, rights. The first failure ends it. A bind that was refused before is
// tried once more, because a person asks.
func (t *Target) CheckSteps(ctx context.Context) (steps []connector.CheckStep, product string) {
	s, release := t.use()
	defer release()
	s.Forgive()
	c := &check{t: t, s: s}
	c.Step(ctx, "resolve", c.resolve)
	c.Step(ctx, "connect", c.connect)
	c.Step(ctx, "tls", c.tls)
	c.Step(ctx, "bind", c.bind)
	c.Step(ctx, "base", c.base)
	c.Step(ctx, "schema", c.schema)
	c.Step(ctx, "rights", c.rights)
	return c.Steps(), c.product
}

// check is one check under way.
type check struct {
	connector.CheckRun
	t       *Target
	s       *session
	m       *model
	reached ldap.Reached
	product string
}

func (c *check) resolve(ctx context.Context) (string, error) {
	var out []string
	for _, server := range c.s.Servers() {
		found, err := server.Resolve(ctx)
		if err != nil && len(c.s.Servers()) == 1 {
			return "", err
		}
		if err != nil {
			out = append(out, c.Warn(connector.AsError(err).Message))
			continue
		}
		out = append(out, found)
	}
	return strings.Join(out, "; "), nil
}

func (c *check) connect(ctx context.Context) (string, error) {
	var first error
	for _, server := range c.s.Servers() {
		reached, err := c.s.Reach(ctx, server)
		if err == nil {
			c.reached = reached
			if first != nil {
				return c.Warn(connector.AsError(first).Message + "; " + server.Address() + " answers"), nil
			}
			return server.Address() + " answers", nil
		}
		if connector.IsCode(err, connector.CodeConfiguration) {
			c.reached.Fault = err // the certificate: told by the next step
			return server.Address() + " answers", nil
		}
		if first == nil {
			first = err
		}
	}
	return "", first
}

func (c *check) tls(context.Context) (string, error) {
	switch {
	case c.reached.Fault != nil:
		return "", c.reached.Fault
	case c.reached.TLS == "":
		return c.Warn("the connection to " + c.reached.Server.Host + " is not encrypted: passwords can be read on the way"), nil
	case slices.Contains(c.t.cfg.AllowInsecure, c.reached.Server.Host):
		return c.Warn(c.reached.TLS + "; the certificate of " + c.reached.Server.Host + " is not checked"), nil
	}
	return c.reached.TLS + "; the server's certificate is checked at every connection", nil
}

func (c *check) bind(ctx context.Context) (string, error) {
	root, err := c.s.RootDSE(ctx)
	if err != nil {
		return "", err
	}
	c.product = root.Product
	who, err := c.s.WhoAmI(ctx)
	if _, answered := ldap.ResultCode(err); err != nil && !answered {
		return "", err
	}
	if err != nil || who == "" { // not every server tells
		return "the bind was accepted", nil
	}
	return "bound as " + who, nil
}

func (c *check) base(ctx context.Context) (string, error) {
	l, _ := arrange(&c.t.cfg)
	n := 0
	for _, t := range l.types() {
		for _, base := range t.bases {
			if _, err := c.s.Read(ctx, base, "objectClass"); err != nil {
				if connector.IsCode(err, connector.CodeNotFound) {
					err = noBase(base, err)
				}
				return "", err
			}
			n++
		}
	}
	return wording.Count(n, "place of the config exists", "places of the config exist"), nil
}

// schema holds the config against the published schema, which is a hint.
func (c *check) schema(ctx context.Context) (message string, err error) {
	if c.m, err = learn(ctx, c.s.Client, &c.t.cfg); err != nil {
		return "", err
	}
	if c.m.schema == nil {
		return c.Warn("the server does not show its schema: names are only known to be right when they are written"), nil
	}
	var faults []string
	for _, t := range c.m.types() {
		if unknown := c.m.schema.Unknown(t.classes); len(unknown) > 0 {
			faults = append(faults, "object classes "+strings.Join(unknown, ", "))
		}
		for _, a := range t.attrs {
			if c.m.schema.Attribute(a.ldap) == nil {
				faults = append(faults, "attribute "+a.ldap)
			}
		}
	}
	for _, s := range c.m.users.disable {
		if s.Attribute != "" && c.m.schema.Attribute(s.Attribute) == nil {
			faults = append(faults, "attribute "+s.Attribute+", which disabling writes")
		}
	}
	if len(faults) > 0 {
		return "", configuration("the directory's schema does not have: " + strings.Join(faults, "; "))
	}
	return c.notAllowed()
}

// notAllowed warns of attributes that no object class of the config allows:
// entries may have further classes.
func (c *check) notAllowed() (string, error) {
	var odd []string
	for _, t := range c.m.types() {
		for _, a := range t.attrs {
			if may, _ := c.m.schema.Allows(t.classes, a.ldap); !may && !c.m.schema.Attribute(a.ldap).Operation {
				odd = append(odd, fmt.Sprintf("%s of a %s", a.ldap, t.name))
			}
		}
	}
	if len(odd) > 0 {
		return c.Warn("the object classes of the config do not allow " + strings.Join(odd, ", ")), nil
	}
	return "every name of the config is in the directory's schema", nil
}

// rights asks Active Directory what may be created; other servers do not tell.
func (c *check) rights(ctx context.Context) (string, error) {
	if !c.m.dir.CreateDisabled {
		return c.Warn("what the account may write is only known when it writes"), nil
	}
	class := c.m.users.classes[len(c.m.users.classes)-1]
	e, err := c.s.Read(ctx, c.m.users.base, "allowedChildClassesEffective")
	if err != nil {
		return "", err
	}
	if e.Get("allowedChildClassesEffective") == nil {
		return c.Warn("the server does not tell what the account may create; it is only known when it writes"), nil
	}
	if !e.Has("allowedChildClassesEffective", class) {
		return "", &connector.Error{Code: connector.CodePermission, Message: fmt.Sprintf(
			"the account that provhub binds with may not create objects of class %s below %s; delegate that right, and to reset passwords and to write the attributes of the config", class, c.m.users.base)}
	}
	return "accounts may be created below " + c.m.users.base.String(), nil
}
