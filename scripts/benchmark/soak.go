package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
)

// soakMain runs nodes under load for a while, one on each database, and looks whether
// they grow. It is an error when one does.
func soakMain(ctx context.Context, args []string) error {
	f := pflag.NewFlagSet("soak", pflag.ContinueOnError)
	minutes := f.Float64("minutes", 60, "how long; the first quarter is not judged")
	only := f.StringSlice("only", nil, "only with the state in these: sqlite, postgres")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return nil
		}
		return err
	}
	for _, name := range *only {
		if name != "sqlite" && name != "postgres" {
			return fmt.Errorf("--only: there is no state in %q; there are sqlite, postgres", name)
		}
	}
	if *minutes < 1 {
		return fmt.Errorf("--minutes is %g; expected at least 1", *minutes)
	}
	b, err := newBench(false, "")
	if err != nil {
		return err
	}
	defer b.close()
	var soaks []*soak
	for _, name := range []string{"sqlite", "postgres"} {
		if len(*only) == 0 || slices.Contains(*only, name) {
			soaks = append(soaks, &soak{b: b, name: name, lasts: time.Duration(*minutes * float64(time.Minute))})
		}
	}
	g, running := errgroup.WithContext(ctx)
	for _, s := range soaks {
		if err := s.begin(ctx); err != nil {
			return fmt.Errorf("state in %s: %w", s.name, err)
		}
		g.Go(func() error { return s.run(running) })
	}
	err = g.Wait()
	grows := 0
	for _, s := range soaks {
		grows += s.print(os.Stdout)
		err = errors.Join(err, s.end(context.WithoutCancel(ctx)))
	}
	if err == nil && grows > 0 {
		err = fmt.Errorf("%d figures grow or cannot be judged", grows)
	}
	return err
}

// soak is one node under load.
type soak struct {
	b       *bench
	name    string
	server  string // URL; "": the state is a SQLite file
	lasts   time.Duration
	site    *site
	node    *node
	samples []sample
	work    work
}

// soakPeople are in the source, soakChanged of them change each soakEvery; somebody is
// pushed each pushEvery and a page is read each pageEvery.
const (
	soakPeople  = 5000
	soakChanged = 200
	soakEvery   = 2 * time.Second
	pushEvery   = 200 * time.Millisecond
	pageEvery   = 250 * time.Millisecond
	sampleEvery = 5 * time.Second
)

// begin starts the node.
func (s *soak) begin(ctx context.Context) (err error) {
	// The target is reconciled all the time, too: what is the same is work as well.
	o := setting{Every: soakEvery.String(), More: `reconcile: {schedule: {cron: "@every 15s"}}
    guards: {disable: {max: 1000000}, day: {disable: {max: 1000000000}}}`}
	if s.name == "postgres" {
		env, err := setUp(fastServers, "PG_ADMIN_URL")
		if err != nil {
			return err
		}
		s.server = env["PG_ADMIN_URL"]
		if o.State, err = s.b.newDatabase(ctx, s.server); err != nil {
			return err
		}
	}
	if s.site, err = s.b.newSQLiteSite(ctx, o); err != nil {
		return err
	}
	if err := s.site.source(people{n: soakPeople}); err != nil {
		return err
	}
	if s.node, err = s.site.serve(ctx, "node"); err != nil {
		return err
	}
	return s.signIn(ctx)
}

// run loads the node and takes samples, for as long as it lasts.
func (s *soak) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	ctx, stop := context.WithTimeout(ctx, s.lasts)
	defer stop()
	for _, w := range []struct {
		every time.Duration
		do    func(context.Context) error
	}{{soakEvery, s.change}, {pushEvery, s.tolerate(s.push)}, {pageEvery, s.tolerate(s.page)}, {sampleEvery, s.tolerate(s.sample)}} {
		g.Go(func() error { return again(ctx, w.every, w.do) })
	}
	began := time.Now()
	err := g.Wait()
	s.lasts = time.Since(began).Round(time.Second)
	if err != nil {
		said, _ := os.ReadFile(s.site.path("node.log")) // without it the error is what there is
		return fmt.Errorf("state in %s: %w\nthe node's log ends with\n%s", s.name, err, tail(said))
	}
	return nil
}

// tolerate counts failures of do, and makes one only of too many: a machine that has much
// else to do may not answer in time, and what was interrupted is asked for again.
func (s *soak) tolerate(do func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		err := do(ctx)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		s.work.failures.CompareAndSwap(nil, &err)
		all := s.work.readings.Load() + s.work.pushes.Load() + s.work.pages.Load()
		if n := s.work.failed.Add(1); n > 20 && n > all/100 {
			return fmt.Errorf("%d of %d requests failed, the last: %w", n, all, err)
		}
		return nil
	}
}

// again does something again and again until ctx ends.
func again(ctx context.Context, every time.Duration, do func(context.Context) error) error {
	for t := time.NewTicker(every); ; {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			t.Stop()
			return err
		}
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
	}
}

// end stops the node and removes what was made.
func (s *soak) end(ctx context.Context) error {
	err := s.node.stop()
	if err != nil {
		err = fmt.Errorf("the node did not stop in an orderly way: %w", err)
	}
	state := s.site.State
	s.site.remove()
	if s.server != "" {
		err = errors.Join(err, dropDatabase(ctx, s.server, state))
	}
	return err
}
