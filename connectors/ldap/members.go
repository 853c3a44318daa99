package ldap

import (
	"context"
	"slices"
	"sync"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connector/span"
)

// memberQueue gathers the changes of one group's members. While one request is
// under way the next changes wait, and go out together in one.
type memberQueue struct {
	s  *session
	m  *model
	t  *objectType
	id string

	mu      sync.Mutex
	dn      ldap.DN
	waiting []*memberChange
	busy    bool
}

// memberChange is one account that comes or goes.
type memberChange struct {
	op    ldap.Op
	value string
	ctx   context.Context // of the call, for its trace
	done  chan struct{}
	err   error
}

// queue returns the queue of a group. Its entry is read once, and again after it
// was not found under its name.
func (s *session) queue(ctx context.Context, m *model, gt *objectType, ref connector.Ref) (*memberQueue, error) {
	if ref.ID != "" {
		s.mu.Lock()
		q := s.groups[gt.name+"/"+ref.ID]
		s.mu.Unlock()
		if q != nil && q.m == m {
			return q, nil
		}
	}
	e, err := s.resolve(ctx, m, gt, ref)
	if err != nil {
		return nil, err
	}
	if err := m.mayWrite(e.DN, e); err != nil {
		return nil, err
	}
	full, err := m.ref(gt, *e)
	if err != nil {
		return nil, err
	}
	key := gt.name + "/" + full.ID
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.groups[key]
	if q == nil || q.m != m {
		q = &memberQueue{s: s, m: m, t: gt, id: full.ID}
		s.groups[key] = q
	}
	q.mu.Lock()
	q.dn = e.DN
	q.mu.Unlock()
	return q, nil
}

func (q *memberQueue) name() ldap.DN {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dn
}

// change waits until the membership is changed. A call that ends early may have
// been sent already.
func (q *memberQueue) change(ctx context.Context, op ldap.Op, value string) error {
	c := &memberChange{op: op, value: value, ctx: ctx, done: make(chan struct{})}
	q.mu.Lock()
	q.waiting = append(q.waiting, c)
	if !q.busy {
		q.busy = true
		go q.run()
	}
	q.mu.Unlock()
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return connector.Unknown(connector.Errorf(connector.CodeTimeout, "the membership was not changed within the time limit: %w", ctx.Err()))
	}
}

// run sends batches until nobody waits any more.
func (q *memberQueue) run() {
	for {
		batch, dn := q.take()
		if batch == nil {
			return
		}
		calls := make([]context.Context, len(batch))
		for i, c := range batch {
			calls[i] = c.ctx
		}
		q.send(span.Along(context.Background(), calls...), dn, batch)
		for _, c := range batch {
			close(c.done)
		}
	}
}

// take returns the changes that go out together: all of one kind.
func (q *memberQueue) take() ([]*memberChange, ldap.DN) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.busy = false
		return nil, q.dn
	}
	op := q.waiting[0].op
	var batch, rest []*memberChange
	for _, c := range q.waiting {
		if c.op == op && len(batch) < q.m.dir.MemberBatch && !slices.ContainsFunc(rest, func(r *memberChange) bool { return r.value == c.value }) {
			batch = append(batch, c)
		} else {
			rest = append(rest, c)
		}
	}
	q.waiting = rest
	return batch, q.dn
}

// send changes the members of a batch. When the server refuses it for the sake of
// one of them, the batch is halved until that one is alone; each gets its own answer.
func (q *memberQueue) send(ctx context.Context, dn ldap.DN, batch []*memberChange) {
	err := q.modify(ctx, dn, batch)
	if len(batch) > 1 && q.concernsOne(err) {
		q.send(ctx, dn, batch[:len(batch)/2])
		q.send(ctx, dn, batch[len(batch)/2:])
		return
	}
	if len(batch) == 1 {
		err = q.single(ctx, dn, batch[0], err)
	}
	for _, c := range batch {
		c.err = err
	}
}

// concernsOne reports whether the server refused a batch for something that may
// be the matter of a single member.
func (q *memberQueue) concernsOne(err error) bool {
	if err == nil || connector.ResultOf("", connector.Ref{}, err).Outcome != connector.OutcomeFailed {
		return false
	}
	_, answered := ldap.ResultCode(err)
	class := connector.AsError(err).Class()
	return answered && class != connector.ClassInstance && class != connector.ClassTransient
}

func (q *memberQueue) modify(ctx context.Context, dn ldap.DN, batch []*memberChange) error {
	values := make([]string, len(batch))
	for i, c := range batch {
		values[i] = c.value
	}
	op := batch[0].op
	mods := []ldap.Mod{{Op: op, Name: q.t.member, Values: values}}
	var controls []ldap.Control
	if q.m.permissive {
		controls = append(controls, ldap.Permissive())
	}
	err := q.s.Modify(ctx, dn, mods, controls...)
	if code, _ := ldap.ResultCode(err); code == resultObjectClassViolation && op == ldap.OpDelete && q.t.needsMember {
		// They are the last ones: the placeholder stands in (QUIRKS LDAP-23).
		mods = append(mods, ldap.Mod{Op: ldap.OpAdd, Name: q.t.member, Values: []string{orElse(q.t.placeholder, dn.String())}})
		err = q.s.Modify(ctx, dn, mods, controls...)
	}
	return err
}

// single answers a change that was sent alone. That it was so already is asked of
// the server, not believed (QUIRKS LDAP-9).
func (q *memberQueue) single(ctx context.Context, dn ldap.DN, c *memberChange, err error) error {
	code, _ := ldap.ResultCode(err)
	switch {
	case c.op == ldap.OpAdd && ldap.HasValue(err), c.op == ldap.OpDelete && ldap.LacksValue(err):
		in, asked := q.s.Compare(ctx, dn, q.t.member, c.value)
		if asked != nil && !ldap.LacksValue(asked) {
			return asked
		}
		if in == (c.op == ldap.OpAdd) {
			return connector.Unchanged
		}
	case code == resultNoSuchObject:
		return q.vanished(ctx, dn, err)
	}
	return q.t.renamed(err)
}

// vanished tells whether it is the group that is gone, or the account. A group
// that goes by another name by now is found by its id the next time.
func (q *memberQueue) vanished(ctx context.Context, dn ldap.DN, err error) error {
	if q.s.exists(ctx, dn) {
		return err
	}
	q.s.mu.Lock()
	delete(q.s.groups, q.t.name+"/"+q.id)
	q.s.mu.Unlock()
	return missingGroup(q.t, connector.Ref{Name: q.name().String()}, err)
}
