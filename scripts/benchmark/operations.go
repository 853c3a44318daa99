package main

import (
	"context"
	"fmt"
	"path/filepath"
)

// operations measures creates and updates on their whole way: queue, plugin
// process, target, ledger and audit trail. The reference is psql with the same
// rows and nothing of that.
func operations(ctx context.Context, b *bench) error {
	durable, err := setUp(durableServers, "PG_ADMIN_URL")
	if err != nil {
		return err
	}
	fast, err := setUp(fastServers, "PG_ADMIN_URL")
	if err != nil {
		return err
	}
	for _, o := range []*operationsBench{
		{b: b, server: durable["PG_ADMIN_URL"], name: "fsync on", rounds: b.sizes.rounds, counts: true,
			paths: []path{{"PostgreSQL", "SQLite"}, {"PostgreSQL", "PostgreSQL"}, {"SQLite", "SQLite"}, {"SQLite", "PostgreSQL"}}},
		{b: b, server: fast["PG_ADMIN_URL"], name: "fsync off", rounds: 1, paths: []path{{"PostgreSQL", "SQLite"}, {"PostgreSQL", "PostgreSQL"}}},
	} {
		o.took = takes{}
		if err := o.measure(ctx); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
		o.report()
	}
	return nil
}

// operationsBench measures with one PostgreSQL server.
type operationsBench struct {
	b      *bench
	server string
	name   string
	rounds int
	counts bool // it is what a user has: its goals are judged
	paths  []path
	took   takes
}

// path is one combination of target and state.
type path struct{ target, state string }

// verbs are what is done to everybody, in this order.
var verbs = []string{"create", "update"}

// measure runs the reference and every path in turns.
func (o *operationsBench) measure(ctx context.Context) error {
	for round := range o.rounds {
		o.b.progress("operations, %s: psql, round %d of %d", o.name, round+1, o.rounds)
		if err := o.psql(ctx); err != nil {
			return err
		}
		for _, p := range o.paths {
			o.b.progress("operations, %s: target %s, state %s, round %d of %d", o.name, p.target, p.state, round+1, o.rounds)
			if err := o.through(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// through plans and applies creates, and then updates, for everybody.
func (o *operationsBench) through(ctx context.Context, p path) error {
	s, err := o.site(ctx, p)
	if err != nil {
		return err
	}
	n := o.b.sizes.operations
	for round, verb := range verbs {
		if err := s.source(people{n: n, round: round, changed: func(int) bool { return round > 0 }}); err != nil {
			return err
		}
		planned, applied, err := s.planAndApply(ctx)
		if err != nil {
			return err
		}
		o.took.add(p.key(verb, "apply"), applied)
		o.took.add(p.key(verb, "whole"), usage{wall: planned.wall + applied.wall, cpu: planned.cpu + applied.cpu})
	}
	if got, err := s.rows(ctx); err != nil || got != n {
		return fmt.Errorf("the target holds %d accounts, not %d (%w)", got, n, err)
	}
	s.remove()
	if err := dropDatabase(ctx, o.server, s.DSN); err != nil {
		return err
	}
	return dropDatabase(ctx, o.server, s.State)
}

func (o *operationsBench) site(ctx context.Context, p path) (*site, error) {
	var s setting
	if p.state == "PostgreSQL" {
		var err error
		if s.State, err = o.b.newDatabase(ctx, o.server); err != nil {
			return nil, err
		}
	}
	if p.target == "PostgreSQL" {
		return o.b.newPostgresSite(ctx, o.server, s)
	}
	return o.b.newSQLiteSite(ctx, s)
}

func (p path) key(verb, part string) string {
	return p.target + "/" + p.state + "/" + verb + "/" + part
}

// psql does the same to the same rows, each its own transaction, and then the
// creates once more in one.
func (o *operationsBench) psql(ctx context.Context) error {
	dsn, err := o.b.newDatabase(ctx, o.server)
	if err != nil {
		return err
	}
	if err := onPostgres(ctx, dsn, fmt.Sprintf(appTable, "bigint GENERATED ALWAYS AS IDENTITY")); err != nil {
		return err
	}
	for _, r := range []struct {
		verb, part string
		write      func(q person) string
		once       bool
	}{
		{verb: "create", part: "each", write: insertStatement},
		{verb: "update", part: "each", write: updateStatement},
		{verb: "create", part: "one transaction", write: insertStatement, once: true},
	} {
		file := filepath.Join(o.b.dir, "reference.sql")
		if err := writeStatements(file, o.b.sizes.operations, r.write, r.once); err != nil {
			return err
		}
		if r.once {
			if err := onPostgres(ctx, dsn, "TRUNCATE app_user"); err != nil {
				return err
			}
		}
		u, err := psql(ctx, dsn, file)
		if err != nil {
			return err
		}
		o.took.add("psql/"+r.verb+"/"+r.part, u)
	}
	return dropDatabase(ctx, o.server, dsn)
}

// report adds the lines.
func (o *operationsBench) report() {
	n := o.b.sizes.operations
	measured := func(what, key string) line {
		wall, cpu := o.took.median(key)
		return line{Section: "operations", What: fmt.Sprintf("%s: %s %s", o.name, digits(float64(n)), what), Ours: rate(n, wall), CPU: inSeconds(cpu)}
	}
	for _, verb := range verbs {
		each, _ := o.took.median("psql/" + verb + "/each")
		for _, p := range o.paths {
			what := fmt.Sprintf("%ss in %s, state in %s: ", verb, p.target, p.state)
			l := measured(what+"apply and send", p.key(verb, "apply"))
			if p.target == "PostgreSQL" {
				l.What += " (reference: psql, a commit each)"
				l.Reference = rate(n, each)
				l.Ratio = l.Reference.N / l.Ours.N
				if verb == "create" && o.counts && !o.b.quick {
					l.Goal = atMost(1)
				}
			}
			o.b.add(l, l.Ratio)
			if o.counts {
				o.b.add(measured(what+"read, plan, apply and send", p.key(verb, "whole")), 0)
			}
		}
	}
	once := measured("creates by psql in one transaction, for comparison", "psql/create/one transaction")
	once.CPU = nil
	o.b.add(once, 0)
}
