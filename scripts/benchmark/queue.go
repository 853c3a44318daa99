package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// listMost is what every list may take, from the start of the process to its end.
const listMost = 200 * time.Millisecond

// queue measures what people look at in a long queue, each by the program itself.
func queue(ctx context.Context, b *bench) error {
	env, err := setUp(fastServers, "PG_ADMIN_URL") // nothing is written while lists are measured
	if err != nil {
		return err
	}
	for _, name := range []string{"SQLite", "PostgreSQL"} {
		s := setting{Plugin: "memory", Attributes: inMemory}
		if name == "PostgreSQL" {
			if s.State, err = b.newDatabase(ctx, env["PG_ADMIN_URL"]); err != nil {
				return err
			}
		}
		site, err := b.newSite(ctx, s)
		if err != nil {
			return err
		}
		b.progress("queue, state in %s: filling it with %s operations", name, digits(float64(b.sizes.queue)))
		if err := site.fillQueue(ctx, b.sizes.queue); err != nil {
			return err
		}
		b.progress("queue, state in %s: %d lists", name, len(queueLists(b.sizes.queue)))
		for _, args := range queueLists(b.sizes.queue) {
			if err := b.measureList(ctx, site, name, args); err != nil {
				return err
			}
		}
		site.remove()
		if err := dropDatabase(ctx, env["PG_ADMIN_URL"], site.State); err != nil {
			return err
		}
	}
	return nil
}

// fillQueue makes the site's state with n operations in its queue.
func (s *site) fillQueue(ctx context.Context, n int) error {
	st, err := store.Open(ctx, s.State)
	if err != nil {
		return err
	}
	if err := st.Close(); err != nil {
		return err
	}
	q := storetest.LargeQueue
	q.Org, q.Operations = "bench", n
	return storetest.FillQueue(ctx, s.State, q)
}

// queueLists are the lists of a queue of n operations, as arguments of the program.
func queueLists(n int) (lists [][]string) {
	deep := fmt.Sprint(n * 9 / 10)
	for _, text := range []string{
		"ops causes", "ops causes --connector app07",
		"ops list", "ops list --newest", "ops list --after " + deep, "ops list --limit 1000",
		"ops list --all", "ops list --all --newest", "ops list --all --before " + deep,
		"ops list --state parked", "ops list --state parked --after " + deep, "ops list --state ready", "ops list --state skipped --newest",
		"ops list --connector app07", "ops list --connector app07 --all --after " + deep, "ops list --connector app07 --state parked --newest",
		"ops list --person p1003 --all", "ops list --cause 000000000005", "ops list --code TIMEOUT", "ops list --code TIMEOUT --after " + deep,
		"ops list --code QUOTA", "ops list --lane leaver", "ops list --kind disable --state parked", "ops list --kind delete --all", "ops list --with ops",
		"ops list --plan plan5 --all", "ops list --since 2027-01-01 --all --newest", "ops list --older 0s --state parked",
		"ops show 0000103-", "connector list",
	} {
		lists = append(lists, strings.Fields(text))
	}
	return lists
}

// measureList measures one list several times.
func (b *bench) measureList(ctx context.Context, s *site, state string, args []string) error {
	var walls, cpus []time.Duration
	for range max(b.sizes.rounds, 3) {
		u, _, err := s.provhub(ctx, args...)
		if err != nil {
			return err
		}
		walls, cpus = append(walls, u.wall), append(cpus, u.cpu)
	}
	l := line{Section: "queue", What: fmt.Sprintf("state in %s, %s operations: %s", state, digits(float64(b.sizes.queue)), strings.Join(args, " ")),
		Ours: inSeconds(median(walls)), CPU: inSeconds(median(cpus))}
	if !b.quick {
		l.Goal = below(*inSeconds(listMost))
	}
	b.add(l, median(walls).Seconds())
	return nil
}
