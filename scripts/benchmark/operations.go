package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// operations measures creates and updates on their whole way: queue, plugin
// process, target, ledger and audit trail. The reference is psql with the same
// rows and nothing of that.
func operations(ctx context.Context, b *bench) error {
	durable, fast := os.Getenv("PROVHUB_BENCH_PG_DURABLE"), os.Getenv("PROVHUB_BENCH_PG_FAST")
	if durable == "" || fast == "" {
		return errNoPostgres
	}
	for _, s := range []struct {
		server, name string
		counts       bool
	}{{durable, "fsync on", true}, {fast, "fsync off", false}} {
		o := &operationsBench{b: b, server: s.server, name: s.name, counts: s.counts, took: map[string][]time.Duration{}}
		if err := o.measure(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
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
	counts bool // its goals are judged
	took   map[string][]time.Duration
}

// path is one combination of target and state.
type path struct{ target, state string }

var paths = []path{{"PostgreSQL", "SQLite"}, {"PostgreSQL", "PostgreSQL"}, {"SQLite", "SQLite"}, {"SQLite", "PostgreSQL"}}

// verbs are what is done to everybody, in this order.
var verbs = []string{"create", "update"}

// measure runs the reference and every path in turns.
func (o *operationsBench) measure(ctx context.Context) error {
	for round := range o.b.sizes.rounds {
		o.b.progress("operations, %s: psql, round %d of %d", o.name, round+1, o.b.sizes.rounds)
		if err := o.psql(ctx); err != nil {
			return err
		}
		for _, p := range paths {
			o.b.progress("operations, %s: target %s, state %s, round %d of %d", o.name, p.target, p.state, round+1, o.b.sizes.rounds)
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
		planned, _, err := s.provhub(ctx, "plan")
		if err != nil {
			return err
		}
		hash, err := s.newestPlan(ctx)
		if err != nil {
			return err
		}
		applied, _, err := s.provhub(ctx, "apply", hash) // fails when anything is left open
		if err != nil {
			return err
		}
		o.add(p.key(verb, "apply"), applied.wall)
		o.add(p.key(verb, "whole"), planned.wall+applied.wall)
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

func (o *operationsBench) add(key string, d time.Duration) { o.took[key] = append(o.took[key], d) }

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
		took, err := psql(ctx, dsn, file)
		if err != nil {
			return err
		}
		o.add("psql/"+r.verb+"/"+r.part, took)
	}
	return dropDatabase(ctx, o.server, dsn)
}

// report adds the lines.
func (o *operationsBench) report() {
	n := o.b.sizes.operations
	for _, verb := range verbs {
		each := median(o.took["psql/"+verb+"/each"])
		for _, p := range paths {
			what := fmt.Sprintf("%s: %s %ss in %s, state in %s", o.name, digits(float64(n)), verb, p.target, p.state)
			apply := median(o.took[p.key(verb, "apply")])
			l := line{Section: "operations", What: what + ": apply and send (reference: psql, a commit each)", Ours: rate(n, apply)}
			if p.target == "PostgreSQL" {
				l.Reference, l.Ratio = rate(n, each), apply.Seconds()/each.Seconds()
				if verb == "create" && o.counts && !o.b.quick {
					l.Goal = atMost(1)
				}
			} else {
				l.What = what + ": apply and send"
			}
			o.b.add(l, l.Ratio)
			o.b.add(line{Section: "operations", What: what + ": read, plan, apply and send", Ours: rate(n, median(o.took[p.key(verb, "whole")]))}, 0)
		}
	}
	o.b.add(line{Section: "operations", What: fmt.Sprintf("%s: psql, %s creates in one transaction, for comparison", o.name, digits(float64(n))),
		Ours: rate(n, median(o.took["psql/create/one transaction"]))}, 0)
}
