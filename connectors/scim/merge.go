package scim

import (
	"context"
	"sync"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// maxMerged bounds what is sent together; what the target takes in one request
// is the client's affair.
const maxMerged = 1000

// merger turns single pieces of work into few requests: while as many requests
// as may be are under way for a key, the next pieces gather; then they go out
// together. The first of an idle key goes out at once, alone.
type merger[K comparable, W any] struct {
	// send carries out a batch and answers each of its pieces, in order.
	send func(ctx context.Context, key K, b []W) []error
	// subject names what a piece is about, of which a batch has one piece only;
	// nil: they do not concern each other.
	subject func(W) string
	// most pieces go out together; 0: maxMerged.
	most int

	mu    sync.Mutex
	lines map[K]*line[W]
	runs  sync.WaitGroup
}

// line is what waits for one key. It exists while a request is under way.
type line[W any] struct {
	waiting []*ticket[W]
	running int // requests under way
}

// ticket is one piece of work and whoever waits for its answer.
type ticket[W any] struct {
	work   W
	ctx    context.Context
	sent   bool // guarded by merger.mu
	answer chan error
}

// do has one piece of work done, by up to abreast requests at once for its key,
// and waits for the answer. When ctx ends first, what was not sent yet is
// withdrawn; what was sent is in doubt.
func (m *merger[K, W]) do(ctx context.Context, key K, work W, abreast int) error {
	t := &ticket[W]{work: work, ctx: ctx, answer: make(chan error, 1)}
	m.mu.Lock()
	l := m.lines[key]
	if l == nil {
		l = &line[W]{}
		if m.lines == nil {
			m.lines = map[K]*line[W]{}
		}
		m.lines[key] = l
	}
	l.waiting = append(l.waiting, t)
	if l.running < max(1, abreast) {
		l.running++
		m.runs.Add(1)
		go m.run(key, l)
	}
	m.mu.Unlock()

	select {
	case err := <-t.answer:
		return err
	case <-ctx.Done():
		return m.abandon(l, t)
	}
}

// abandon answers a ticket whose caller waits no longer.
func (m *merger[K, W]) abandon(l *line[W], t *ticket[W]) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := connector.AsError(t.ctx.Err())
	if t.sent {
		return connector.Unknown(err)
	}
	for i, w := range l.waiting {
		if w == t {
			l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
			break
		}
	}
	return err
}

// run sends what waits for a key until nothing does.
func (m *merger[K, W]) run(key K, l *line[W]) {
	defer m.runs.Done()
	for {
		tickets := m.next(key, l)
		if tickets == nil {
			return
		}
		b := make([]W, len(tickets))
		for i, t := range tickets {
			b[i] = t.work
		}
		ctx, cancel := lasting(tickets)
		for i, err := range m.send(ctx, key, b) {
			tickets[i].answer <- err
		}
		cancel()
	}
}

// next takes the next batch; nil when nothing waits. The last one ends the line.
func (m *merger[K, W]) next(key K, l *line[W]) []*ticket[W] {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.fitting(l.waiting)
	if n == 0 {
		if l.running--; l.running == 0 {
			delete(m.lines, key)
		}
		return nil
	}
	taken := l.waiting[:n:n]
	l.waiting = l.waiting[n:]
	for _, t := range taken {
		t.sent = true
	}
	return taken
}

// fitting returns how many of the first tickets go out together. A subject that
// is named again waits, so that what is done to it keeps its order.
func (m *merger[K, W]) fitting(waiting []*ticket[W]) int {
	n := min(len(waiting), orElse(m.most, maxMerged))
	if m.subject == nil {
		return n
	}
	seen := map[string]bool{}
	for i, t := range waiting[:n] {
		id := m.subject(t.work)
		if seen[id] {
			return i
		}
		seen[id] = true
	}
	return n
}

// wait returns when no request is under way any more.
func (m *merger[K, W]) wait() { m.runs.Wait() }

// lasting returns a context for a request that several callers wait for: it ends
// with the most patient of them. The first one lends it its values.
func lasting[W any](tickets []*ticket[W]) (context.Context, context.CancelFunc) {
	ctx := context.WithoutCancel(tickets[0].ctx)
	var last time.Time
	for _, t := range tickets {
		d, ok := t.ctx.Deadline()
		if !ok {
			return context.WithCancel(ctx)
		}
		if d.After(last) {
			last = d
		}
	}
	return context.WithDeadline(ctx, last)
}
