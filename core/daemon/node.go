package daemon

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/jobs"
	"github.com/provhub/provhub/core/store"
)

// Options are what a node needs besides its hub.
type Options struct {
	Version string
	// Ready is called once, when the node serves and listens at addr; nil: nobody asks.
	Ready func(addr net.Addr)
	// Ended, when set, is told of every run of this node that has ended. It must not block.
	Ended func(store.Run)
	// Reload reads the config anew and checks it whole; nil: it cannot be reloaded.
	Reload func(ctx context.Context) (*config.Config, error)
}

// Node serves an org. Add what it is to serve and run before Run.
type Node struct {
	o       Options
	log     *slog.Logger
	hub     atomic.Pointer[hub.Hub]
	term    atomic.Pointer[term] // nil: it has no serving role now
	mux     atomic.Pointer[http.ServeMux]
	started time.Time
	address atomic.Pointer[string]
	// running ends when the node is to stop. Requests are taken until what is under way
	// has ended.
	running atomic.Pointer[context.Context]

	work    map[string]jobs.Work
	entries []func(*hub.Hub) []jobs.Entry
	rooms   []room
	leads   []func(context.Context)
	mounts  []mount
	// problems are what stood in the way of the last plan of each source.
	problems sync.Map
	// restarts are of connectors that a reload has changed.
	restarts sync.WaitGroup

	mu     sync.Mutex
	reload chan struct{} // closed when the config was reloaded
}

// room is what another room runs as long as the node does.
type room struct {
	name string
	run  func(ctx context.Context) error
}

// New returns a node that works with h, which the caller closes after Run.
func New(h *hub.Hub, o Options) *Node {
	n := &Node{o: o, log: h.Log().With("node", h.Node()), started: h.Now(), work: map[string]jobs.Work{}, reload: make(chan struct{})}
	n.hub.Store(h)
	n.Handle("GET /healthz", http.HandlerFunc(n.healthz))
	n.Handle("GET /readyz", http.HandlerFunc(n.readyz))
	n.Work("cycle", n.cycle)
	n.Schedule(cycles)
	n.Work("reconcile", n.reconcile)
	n.Schedule(reconciliations)
	n.Work("retention", n.prune)
	n.Schedule(retention)
	return n
}

// Hub is the hub as the config is now. Ask for it when it is needed: after a reload it
// is another one.
func (n *Node) Hub() *hub.Hub { return n.hub.Load() }

// Handle serves requests that match pattern (see [http.ServeMux]).
func (n *Node) Handle(pattern string, handler http.Handler) {
	n.Mount(pattern, func(*hub.Hub) (http.Handler, error) { return handler, nil })
}

// Mount serves requests that match pattern with what of makes for a hub; nil: they are
// not served. A reload asks again, and its config is refused when of gives an error.
func (n *Node) Mount(pattern string, of func(*hub.Hub) (http.Handler, error)) {
	n.mounts = append(n.mounts, mount{pattern, of})
}

// Work says how runs of a kind are done; see [jobs.Options]. A run begins only while
// the node has the serving role, and is on one node at a time.
func (n *Node) Work(kind string, w jobs.Work) { n.work[kind] = w }

// Schedule adds what runs on a schedule; entries is asked again after a reload.
func (n *Node) Schedule(entries func(*hub.Hub) []jobs.Entry) { n.entries = append(n.entries, entries) }

// Background runs f as long as the node runs, whether it has the serving role or not.
// Should f end with an error, it is begun again after a while.
func (n *Node) Background(name string, f func(ctx context.Context) error) {
	n.rooms = append(n.rooms, room{name, f})
}

// Lead runs f on one node at a time, as long as that has the serving role.
func (n *Node) Lead(f func(ctx context.Context)) { n.leads = append(n.leads, f) }

// Name is this node's own among all.
func (n *Node) Name() string { return n.Hub().Node() }

// Ask has something run as soon as possible, on whichever node; why says who asked.
// [hub.ErrNotServing] while this node cannot ask.
func (n *Node) Ask(ctx context.Context, kind, subject, why string) error {
	if t := n.term.Load(); t != nil {
		return t.ask(ctx, kind, subject, why)
	}
	return hub.ErrNotServing
}

// Run serves until ctx ends, then stops in an orderly way: nothing more is begun, and
// what is under way may end within the time that the config gives. [store.ErrBusy]
// when the serving role is not to be had.
func (n *Node) Run(ctx context.Context) error {
	mux, err := n.routes(n.Hub())
	if err != nil {
		return err
	}
	n.mux.Store(mux)
	role, err := n.Hub().Serve(ctx)
	if err != nil {
		return err
	}
	n.running.Store(&ctx)
	web, err := n.listen(context.WithoutCancel(ctx))
	if err != nil {
		role.Release()
		return err
	}
	var rooms sync.WaitGroup
	for _, r := range n.rooms {
		rooms.Go(func() { n.keepUp(ctx, r) })
	}
	if n.o.Ready != nil {
		n.o.Ready(web.addr)
	}
	for role != nil {
		n.serve(ctx, role)
		role = n.retake(ctx)
	}
	err = web.close()
	rooms.Wait()
	n.restarts.Wait()
	return err
}

// retakeEvery is how often a node that lost its role tries to have it again.
const retakeEvery = time.Second

// retake takes the serving role again; nil when ctx has ended before.
func (n *Node) retake(ctx context.Context) *store.Role {
	for last := ""; ctx.Err() == nil; wait(ctx, retakeEvery) {
		try, cancel := context.WithTimeout(ctx, 5*time.Second)
		role, err := n.Hub().Serve(try)
		cancel()
		if err == nil {
			n.log.Info("the serving role is taken again")
			return role
		}
		if text := err.Error(); text != last && ctx.Err() == nil {
			n.log.Warn("the serving role is not to be had; nothing is sent meanwhile", "error", err)
			last = text
		}
	}
	return nil
}

// keepUp runs a room, and begins it again when it ends with an error.
func (n *Node) keepUp(ctx context.Context, r room) {
	pause := newPause()
	for ctx.Err() == nil {
		err := r.run(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		n.log.Error("a part of the node ended and is begun again", "part", r.name, "error", err)
		wait(ctx, pause.next())
	}
}
