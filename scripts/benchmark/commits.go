package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

// commits counts the transactions of the hub's own state that creates take from
// the queue to the ledger.
func commits(ctx context.Context, b *bench) error {
	env, err := setUp(fastServers, "PG_ADMIN_URL") // counting needs no fsync
	if err != nil {
		return err
	}
	server := env["PG_ADMIN_URL"]
	for _, name := range []string{"SQLite", "PostgreSQL"} {
		var s setting
		if name == "PostgreSQL" {
			var err error
			if s.State, err = b.newDatabase(ctx, server); err != nil {
				return err
			}
		}
		b.progress("commits, state in %s", name)
		t, err := b.newPostgresSite(ctx, server, s)
		if err != nil {
			return err
		}
		counted, err := t.countCommits(ctx, b.sizes.commitsPeople)
		if err != nil {
			return err
		}
		b.reportCommits(name, counted)
		t.remove()
	}
	return nil
}

// countCommits makes n accounts and returns how many commits of each kind that took.
func (s *site) countCommits(ctx context.Context, n int) (map[string]int, error) {
	if err := s.source(people{n: n}); err != nil {
		return nil, err
	}
	cfg, err := s.load()
	if err != nil {
		return nil, err
	}
	for _, e := range s.env {
		name, v, _ := strings.Cut(e, "=")
		if err := os.Setenv(name, v); err != nil {
			return nil, err
		}
	}
	var mu sync.Mutex
	counted := map[string]int{}
	h, err := hub.Open(ctx, cfg, hub.Options{Actor: "benchmark", Store: []store.Option{store.WithCommittedHook(func(_ int, name string) {
		mu.Lock()
		defer mu.Unlock()
		counted[name]++
	})}})
	if err != nil {
		return nil, err
	}
	r, err := h.Sync(ctx, hub.PlanOptions{}, hub.DrainOptions{})
	if cerr := h.Close(); err == nil {
		err = cerr
	}
	if err == nil && (len(r.Drained) != 1 || r.Drained[0].Done != n) {
		err = fmt.Errorf("not everything was done: %+v", r.Drained)
	}
	return counted, err
}

func (b *bench) reportCommits(state string, counted map[string]int) {
	sum := 0
	var parts []string
	for _, name := range slices.SortedFunc(maps.Keys(counted), func(x, y string) int { return counted[y] - counted[x] }) {
		sum += counted[name]
		parts = append(parts, fmt.Sprintf("%s %d", name, counted[name]))
	}
	n := b.sizes.commitsPeople
	b.add(line{Section: "commits", What: fmt.Sprintf("state in %s: commits for each of %s creates (%s)", state, digits(float64(n)), strings.Join(parts, ", ")),
		Ours: &value{float64(sum) / float64(n), count}}, 0)
}
