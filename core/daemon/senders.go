package daemon

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/provhub/provhub/core/store"
)

// senders are the connectors that this node sends for.
type senders struct {
	t *term

	mu  sync.Mutex
	all map[string]*sender
	wg  sync.WaitGroup
}

// names returns the connectors, sorted.
func (ss *senders) names() []string {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	return slices.Sorted(maps.Keys(ss.all))
}

// has reports whether this node sends to a connector.
func (ss *senders) has(name string) bool {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	return ss.all[name] != nil
}

// list returns the senders by name.
func (ss *senders) list() []*sender {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	out := make([]*sender, 0, len(ss.all))
	for _, name := range slices.Sorted(maps.Keys(ss.all)) {
		out = append(out, ss.all[name])
	}
	return out
}

// wake tells the sender of a connector, where it is on this node, that there may be
// work.
func (ss *senders) wake(name string) {
	ss.mu.Lock()
	s := ss.all[name]
	ss.mu.Unlock()
	if s != nil {
		s.ring()
	}
}

// end stops sending to a connector, and returns when what was under way has ended.
func (ss *senders) end(name string) {
	ss.mu.Lock()
	s := ss.all[name]
	ss.mu.Unlock()
	if s == nil {
		return
	}
	s.stop()
	<-s.ended
}

// begin has a connector sent for by this node, which has its lock.
func (ss *senders) begin(name string, lock *store.Lock) {
	ctx, stop := context.WithCancel(ss.t.ctx)
	s := &sender{t: ss.t, name: name, stop: stop, bell: make(chan struct{}, 1), ended: make(chan struct{})}
	ss.mu.Lock()
	ss.all[name] = s
	ss.mu.Unlock()
	ss.wg.Go(func() {
		defer close(s.ended)
		s.run(ctx)
		stop()
		// First the lock, so that nobody finds the connector in neither place.
		lock.Release()
		ss.mu.Lock()
		delete(ss.all, name)
		ss.mu.Unlock()
	})
}
