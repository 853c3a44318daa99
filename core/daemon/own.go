package daemon

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/provhub/provhub/core/store"
)

const (
	// ownEvery is how often a node looks for connectors that nobody sends for.
	ownEvery = time.Second
	// waitsAfter is how long a connector may wait for a node that has less than its share;
	// then whoever sees it takes it.
	waitsAfter = 3 * time.Second
	// givenFor is how long a connector is not taken back that was given up for another
	// node.
	givenFor = 10 * time.Second
)

// owner shares the connectors out among the nodes.
type owner struct {
	*term
	free  map[string]time.Time // since when nobody has them
	given map[string]time.Time // when this node gave them up
}

// own takes the locks of connectors and sends for them, until ctx ends; then it waits
// for what is under way.
func (t *term) own(ctx context.Context) {
	o := &owner{term: t, free: map[string]time.Time{}, given: map[string]time.Time{}}
	every(ctx, ownEvery, func(ctx context.Context) {
		if err := o.once(ctx, time.Now()); err != nil && ctx.Err() == nil {
			t.n.log.Warn("the connectors could not be shared out", "error", err)
		}
	})
	t.senders.wg.Wait()
}

func (o *owner) once(ctx context.Context, now time.Time) error {
	cfg := o.n.Hub().Config()
	wanted := make([]string, len(cfg.Connectors))
	for i := range cfg.Connectors {
		wanted[i] = cfg.Connectors[i].Name
	}
	counts, err := o.counts(ctx)
	if err != nil {
		return err
	}
	mine := o.senders.names()
	counts[o.n.Hub().Node()] = len(mine)
	give, share := shares(o.n.Hub().Node(), counts, len(wanted))
	for _, name := range mine[:give] {
		o.n.log.Info("a connector is given up for another node", "connector", name)
		o.given[name] = now
		o.senders.wg.Go(func() { o.senders.end(name) })
	}
	return o.take(ctx, wanted, share-len(mine), now)
}

// counts returns how many connectors each of the other nodes sends for.
func (o *owner) counts(ctx context.Context) (map[string]int, error) {
	counts := map[string]int{}
	if o.role.Alone() {
		return counts, nil
	}
	nodes, err := o.n.Hub().State().Nodes(ctx)
	for _, n := range nodes {
		if !n.Gone() {
			counts[n.Name] = len(n.Connectors)
		}
	}
	return counts, err
}

// take takes up to n of the connectors that nobody has, and those for which nobody
// came in time.
func (o *owner) take(ctx context.Context, wanted []string, n int, now time.Time) error {
	locks := make([]string, len(wanted))
	for i, name := range wanted {
		locks[i] = lockOf(name)
	}
	free, err := o.role.Free(ctx, locks)
	if err != nil {
		return err
	}
	since := map[string]time.Time{}
	for _, name := range wanted {
		if !slices.Contains(free, lockOf(name)) {
			if !o.senders.has(name) {
				delete(o.given, name) // it was taken; should that node die, this one may have it again
			}
			continue
		}
		since[name] = now
		if at, ok := o.free[name]; ok {
			since[name] = at
		}
		late := now.Sub(since[name]) >= waitsAfter
		if now.Sub(o.given[name]) < givenFor || n <= 0 && !late {
			continue
		}
		lock, err := o.role.Lock(ctx, lockOf(name))
		if errors.Is(err, store.ErrBusy) {
			continue // another node was quicker
		}
		if err != nil {
			return err
		}
		o.n.log.Info("this node sends to a connector", "connector", name)
		o.senders.begin(name, lock)
		n--
	}
	o.free = since
	return nil
}

func lockOf(connector string) string { return "connector/" + connector }

// shares returns how many connectors the node called me is to give up of those it
// has, and how many it is to have at most. counts are what the nodes have that are
// there, me included; total is how many connectors there are.
//
// No node has more than its share, rounded up; and where one has less than its share
// rounded down, the one that has the most gives one up.
func shares(me string, counts map[string]int, total int) (give, share int) {
	nodes := len(counts)
	share = (total + nodes - 1) / nodes
	least := total / nodes
	mine := counts[me]
	if mine > share {
		return mine - share, share
	}
	poor, richest := false, true
	for name, n := range counts {
		poor = poor || n < least
		richest = richest && (n < mine || n == mine && name >= me)
	}
	if poor && richest && mine > least {
		return 1, mine - 1
	}
	return 0, share
}
