package scim

import (
	"context"
	"sync"
	"time"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// maxMerged bounds what is sent together; what the target takes in one request
// is the client's affair.
const maxMerged = 1000

// merger turns single grants and revokes into few requests: while one request
// for a group is under way the next memberships gather; then they go out
// together. The first of an idle group goes out at once, alone.
type merger struct {
	// send carries out a batch and answers each of its changes, in order.
	send func(ctx context.Context, group string, b []client.MemberChange) []error

	mu    sync.Mutex
	lines map[string]*line
	runs  sync.WaitGroup
}

// line is what waits for one group. It exists while a request is under way.
type line struct{ waiting []*ticket }

// ticket is one change and whoever waits for its answer.
type ticket struct {
	change client.MemberChange
	ctx    context.Context
	sent   bool // guarded by merger.mu
	answer chan error
}

// do adds or removes one member and waits for the answer. When ctx ends first,
// what was not sent yet is withdrawn; what was sent is in doubt.
func (m *merger) do(ctx context.Context, group string, change client.MemberChange) error {
	t := &ticket{change: change, ctx: ctx, answer: make(chan error, 1)}
	m.mu.Lock()
	l, busy := m.lines[group]
	if !busy {
		l = &line{}
		if m.lines == nil {
			m.lines = map[string]*line{}
		}
		m.lines[group] = l
		m.runs.Add(1)
		go m.run(group, l)
	}
	l.waiting = append(l.waiting, t)
	m.mu.Unlock()

	select {
	case err := <-t.answer:
		return err
	case <-ctx.Done():
		return m.abandon(l, t)
	}
}

// abandon answers a ticket whose caller waits no longer.
func (m *merger) abandon(l *line, t *ticket) error {
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

// run sends what waits for a group until nothing does.
func (m *merger) run(group string, l *line) {
	defer m.runs.Done()
	for {
		tickets := m.next(group, l)
		if tickets == nil {
			return
		}
		b := make([]client.MemberChange, len(tickets))
		for i, t := range tickets {
			b[i] = t.change
		}
		ctx, cancel := lasting(tickets)
		for i, err := range m.send(ctx, group, b) {
			tickets[i].answer <- err
		}
		cancel()
	}
}

// next takes the next batch, or ends the line.
func (m *merger) next(group string, l *line) []*ticket {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := fitting(l.waiting)
	if n == 0 {
		delete(m.lines, group)
		return nil
	}
	taken := l.waiting[:n:n]
	l.waiting = l.waiting[n:]
	for _, t := range taken {
		t.sent = true
	}
	return taken
}

// fitting returns how many of the first tickets go out together. A member who
// is named again waits, so that adding and removing keep their order.
func fitting(waiting []*ticket) int {
	seen := map[string]bool{}
	for i, t := range waiting {
		if seen[t.change.ID] || i == maxMerged {
			return i
		}
		seen[t.change.ID] = true
	}
	return len(waiting)
}

// wait returns when no request is under way any more.
func (m *merger) wait() { m.runs.Wait() }

// lasting returns a context for a request that several callers wait for: it ends
// with the most patient of them. The first one lends it its values.
func lasting(tickets []*ticket) (context.Context, context.CancelFunc) {
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
