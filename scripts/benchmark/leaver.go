package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/provhub/provhub/core/store"
)

// leaverMost is how long after the push a leaver may keep an account while a bulk load
// is under way.
const leaverMost = 2 * time.Second

const (
	leavers = 10 // are pushed, one after the other
	// callTakes is how long the target takes for a write: the load is to last longer than
	// the measurement.
	callTakes = "20ms"
)

// leaver measures how soon a leaver who is pushed is disabled at the target while
// accounts are made for everybody else.
func leaver(ctx context.Context, b *bench) error {
	env, err := setUp(durableServers, "PG_ADMIN_URL")
	if err != nil {
		return err
	}
	for _, l := range []leaverBench{{b: b, name: "SQLite", nodes: 1}, {b: b, name: "PostgreSQL", nodes: 2, server: env["PG_ADMIN_URL"]}} {
		if err := l.measure(ctx); err != nil {
			return fmt.Errorf("state in %s: %w", l.name, err)
		}
	}
	return nil
}

// leaverBench measures with one database.
type leaverBench struct {
	b      *bench
	name   string
	nodes  int
	server string // URL; "": the state is a SQLite file
	site   *site
	state  *store.Org
	seen   int64 // how far the target's journal was read

}

func (l *leaverBench) measure(ctx context.Context) (err error) {
	s := setting{Plugin: "memory", Attributes: inMemory, Every: "20s"}
	if l.server != "" {
		if s.State, err = l.b.newDatabase(ctx, l.server); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, dropDatabase(ctx, l.server, s.State)) }()
	}
	s.Config = "{journal: " + l.b.dir + "/leaver-" + l.name + ".journal, faults: [{do: slow, calls: [write], wait: " + callTakes + "}]}"
	if l.site, err = l.b.newSite(ctx, s); err != nil {
		return err
	}
	defer l.site.remove()
	st, err := store.Open(ctx, l.site.State)
	if err != nil {
		return err
	}
	defer st.Close()
	l.state = st.Org("bench")
	nodes, err := l.load(ctx)
	defer func() {
		for _, n := range nodes {
			n.kill()
		}
	}()
	if err != nil {
		return err
	}
	return l.push(ctx, nodes)
}

// load starts nodes, lets them make accounts for the leavers, and then gives them the
// load.
func (l *leaverBench) load(ctx context.Context) (nodes []*node, err error) {
	l.b.progress("leaver, state in %s: accounts of %d leavers", l.name, leavers)
	if err := l.site.source(people{n: leavers}); err != nil {
		return nil, err
	}
	for i := range l.nodes {
		n, err := l.site.serve(ctx, fmt.Sprint("node", i+1))
		if err != nil {
			return nodes, err
		}
		nodes = append(nodes, n)
	}
	if err := l.until(ctx, func(c map[store.OpState]int) bool { return c[store.OpDone] >= leavers }); err != nil {
		return nodes, err
	}
	n := l.b.sizes.load
	l.b.progress("leaver, state in %s: a load of %s operations", l.name, digits(float64(n)))
	if err := l.site.source(people{n: leavers + n}); err != nil {
		return nodes, err
	}
	return nodes, l.until(ctx, func(c map[store.OpState]int) bool { return c[store.OpReady] > n/2 && c[store.OpDone] > leavers+n/100 })
}

// push pushes the leavers and measures how long each has an account still.
func (l *leaverBench) push(ctx context.Context, nodes []*node) error {
	var disabled, answered []time.Duration
	for i := range leavers {
		gone := make(chan error, 1)
		var at time.Time
		go func() { gone <- l.disabled(ctx, &at) }()
		began := time.Now()
		if err := nodes[i%len(nodes)].push(ctx, people{n: leavers}.row(i, "terminated")); err != nil {
			return err
		}
		answered = append(answered, time.Since(began))
		if err := <-gone; err != nil {
			return err
		}
		disabled = append(disabled, at.Sub(began))
		time.Sleep(time.Second)
	}
	counts, err := l.state.OperationCounts(ctx)
	if err != nil {
		return err
	}
	waiting := counts["app"][store.OpReady]
	if waiting == 0 {
		return errors.New("the load was over before the last leaver was pushed: nothing was measured")
	}
	what := fmt.Sprintf("state in %s, %d node(s): leaver pushed to disabled at the target, %s of %s operations waiting at the end", l.name, l.nodes,
		digits(float64(waiting)), digits(float64(l.b.sizes.load)))
	l.b.add(line{Section: "leaver", What: what + fmt.Sprintf(": median of %d", leavers), Ours: inSeconds(median(disabled))}, 0)
	worst := inSeconds(percentile(disabled, 100))
	l.b.add(line{Section: "leaver", What: what + ": the slowest", Ours: worst, Goal: below(*inSeconds(leaverMost))}, worst.N)
	l.b.add(line{Section: "leaver", What: fmt.Sprintf("state in %s: answer to the push: median", l.name), Ours: inSeconds(median(answered))}, 0)
	return nil
}

// disabled waits until the target's journal has one more disabled account, and says
// when that was seen.
func (l *leaverBench) disabled(ctx context.Context, at *time.Time) error {
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(2 * time.Millisecond) {
		n, err := l.news()
		if err != nil {
			return err
		}
		if n > 0 {
			*at = time.Now()
			return nil
		}
	}
	return errors.Join(ctx.Err(), errors.New("the account was not disabled within five minutes"))
}

// news counts the accounts that were disabled since it was last called.
func (l *leaverBench) news() (n int, err error) {
	f, err := os.Open(l.b.dir + "/leaver-" + l.name + ".journal")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if _, err := f.Seek(l.seen, io.SeekStart); err != nil {
		return 0, err
	}
	b, err := io.ReadAll(f)
	whole := bytes.LastIndexByte(b, '\n') + 1
	l.seen += int64(whole)
	return bytes.Count(b[:whole], []byte(`"verb":"disable"`)), err
}

// until waits for what the counts of operations say.
func (l *leaverBench) until(ctx context.Context, reached func(map[store.OpState]int) bool) error {
	for end := time.Now().Add(15 * time.Minute); time.Now().Before(end); {
		counts, err := l.state.OperationCounts(ctx)
		if err != nil {
			return err
		}
		if reached(counts["app"]) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
	return errors.New("it did not get so far within a quarter of an hour")
}
