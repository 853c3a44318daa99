package daemon

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/jobs"
	"github.com/provhub/provhub/core/store"
)

// term is the time for which the node has the serving role.
type term struct {
	n    *Node
	role *store.Role
	// ctx ends when nothing more may begin, calls when what is under way is to be given
	// up.
	ctx, calls context.Context
	senders    *senders

	mu     sync.Mutex
	runner jobs.Runner // nil: it does not run now
}

// giveUpWithin is how long the answers of calls may take that were given up.
const giveUpWithin = 5 * time.Second

// serve works for as long as role holds, and ctx.
func (n *Node) serve(ctx context.Context, role *store.Role) {
	begin, stop := context.WithCancel(ctx)
	calls, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer role.Release()
	defer giveUp()
	defer stop()
	t := &term{n: n, role: role, ctx: begin, calls: calls}
	t.senders = &senders{t: t, all: map[string]*sender{}}
	n.term.Store(t)
	var parts sync.WaitGroup
	for _, part := range []func(context.Context){t.own, t.ring, t.runJobs, t.lead, t.beat} {
		parts.Go(func() { part(begin) })
	}
	ended := make(chan struct{})
	select {
	case <-role.Lost():
		n.log.Error("the serving role is lost; nothing more is sent until it is taken again", "error", role.Why())
		giveUp()
	case <-ctx.Done():
		within := n.Hub().Config().Serve.StopWithin
		n.log.Info("stopping: nothing more is begun", "within", within)
		late := time.AfterFunc(within, func() {
			n.log.Warn("what is still under way is given up; it is looked up by whoever comes next")
			giveUp()
		})
		defer late.Stop()
	}
	stop()
	go func() {
		parts.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-role.Lost(): // while it was stopping
		giveUp()
		<-ended
	}
	n.term.Store(nil)
}

// lock takes a named lock for the job runner.
func (t *term) lock(ctx context.Context, name, _ string) (jobs.Lock, error) {
	return t.role.Lock(ctx, name)
}

// ask has something run as soon as possible.
func (t *term) ask(ctx context.Context, kind, subject, why string) error {
	t.mu.Lock()
	r := t.runner
	t.mu.Unlock()
	if r == nil {
		return hub.ErrNotServing
	}
	err := r.Ask(ctx, kind, subject, why)
	if errors.Is(err, jobs.ErrStopped) {
		return hub.ErrNotServing // until the next one has begun
	}
	return err
}
