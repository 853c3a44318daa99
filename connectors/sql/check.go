package sql

import (
	"context"
	"fmt"
	"strings"

	"github.com/provhub/provhub/clients/tcp"
	"github.com/provhub/provhub/connectors/connector"
)

// Check implements [connector.Target].
func (t *Target) Check(ctx context.Context) error {
	steps, _ := t.CheckSteps(ctx)
	return connector.CheckFailure(steps)
}

// CheckSteps implements [connector.Checker]: resolve, connect, tls, login, tables,
// privileges. The first failure ends it.
func (t *Target) CheckSteps(ctx context.Context) (steps []connector.CheckStep, product string) {
	db, release := t.use()
	defer release()
	ctx, cancel := context.WithTimeout(ctx, t.cfg.timeout())
	defer cancel()
	c := &check{t: t, db: db}
	c.Classify = func(err error) error { return faultError(db.d, err) }
	c.Step(ctx, "resolve", c.resolve)
	c.Step(ctx, "connect", c.dial)
	c.Step(ctx, "tls", c.tls)
	c.Step(ctx, "login", c.login)
	c.Step(ctx, "tables", c.tables)
	c.Step(ctx, "privileges", c.privileges)
	return c.Steps(), c.product
}

// check is one check under way.
type check struct {
	connector.CheckRun
	t       *Target
	db      *database
	m       *model
	product string
}

func (c *check) resolve(ctx context.Context) (string, error) {
	if e := c.db.h.Endpoint; e.Network != "tcp" {
		return "local: " + orElse(e.Network, "file"), nil
	}
	return c.server().Resolve(ctx)
}

func (c *check) dial(ctx context.Context) (string, error) {
	if c.db.h.Endpoint.Network != "tcp" {
		return "", nil
	}
	return c.server().Connect(ctx)
}

func (c *check) server() tcp.Server {
	return tcp.Server{Address: c.db.h.Endpoint.Address(), What: "database", Key: "the secret dsn"}
}

func (c *check) tls(context.Context) (string, error) {
	e := c.db.h.Endpoint
	switch {
	case e.TLS:
		return "the server's certificate is checked at every login", nil
	case e.Network != "tcp":
		return "not needed: the connection stays on this machine", nil
	}
	return c.Warn("the connection to " + e.Host + " does not check the server's certificate"), nil
}

func (c *check) login(ctx context.Context) (string, error) {
	if err := c.db.h.DB.PingContext(ctx); err != nil {
		return "", err
	}
	v, err := c.db.d.ServerVersion(ctx, c.db.h.DB)
	c.product = v
	return v, err
}

func (c *check) tables(ctx context.Context) (message string, err error) {
	if c.m, err = c.db.refresh(ctx, &c.t.cfg); err != nil {
		return "", err
	}
	if c.t.cfg.custom() {
		return "not needed: the statements of the config are run as they are", nil
	}
	switch u := c.m.users; {
	case !u.key.unique:
		return c.Warn(fmt.Sprintf("no unique index covers %s.%s alone: two creates at once could both succeed", u.table.Name, u.key.Name)), nil
	case u.table.ReusesIDs && u.anchor == nil && u.surrogate() && u.id.Type == connector.TypeInteger:
		return c.Warn(fmt.Sprintf("SQLite gives the id of a deleted row of %s to the next new one; declare it INTEGER PRIMARY KEY AUTOINCREMENT, or set users.anchor", u.table.Name)), nil
	}
	return "every name of the config is in the catalogue", nil
}

func (c *check) privileges(ctx context.Context) (string, error) {
	if c.t.cfg.custom() {
		return c.Warn("what the statements need is only known when they run"), nil
	}
	var missing []string
	for _, n := range c.m.wanted(&c.t.cfg) {
		t, err := c.db.d.ReadTable(ctx, c.db.h.DB, n.schema, n.table)
		if err != nil {
			return "", err
		}
		lacking, err := c.db.d.MissingRights(ctx, c.db.h.DB, t, n.rights)
		if err != nil {
			return "", err
		}
		if len(lacking) > 0 {
			missing = append(missing, strings.Join(lacking, ", ")+" on "+t.Name)
		}
	}
	if len(missing) > 0 {
		return "", &connector.Error{Code: connector.CodePermission, Message: "the login lacks " + strings.Join(missing, "; ") + "; grant it, or take the feature out of the config"}
	}
	return "the login may do all that the config asks for", nil
}

// right is what a table must allow.
type right struct {
	schema, table string
	rights        []string
}

// wanted lists the rights that the config needs, and no more.
func (m *model) wanted(cfg *Config) []right {
	users := []string{"SELECT", "INSERT", "UPDATE"}
	if cfg.Users.SoftDelete == nil {
		users = append(users, "DELETE")
	}
	out := []right{{m.users.table.Schema, m.users.table.Name, users}}
	for i, g := range m.groups {
		rights := []string{"SELECT"}
		if g.kind == connector.KindGroup {
			rights = append(rights, "INSERT", "UPDATE", "DELETE")
		}
		j := &cfg.Groups[i].Join
		out = append(out, right{g.table.Schema, g.table.Name, rights},
			right{orElse(j.Schema, cfg.Schema), j.Table, []string{"SELECT", "INSERT", "DELETE"}})
	}
	if h := cfg.History; h != nil {
		out = append(out, right{orElse(h.Schema, cfg.Schema), h.Table, []string{"INSERT"}})
	}
	return out
}
