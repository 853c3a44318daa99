package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// queueModel is the queue in a few lines: what the store must agree with after
// any sequence of plans, workers, outcomes, crashes and people.
type queueModel struct {
	o    *store.Org
	now  time.Time
	ops  map[string]*modelOp
	plan int
	// held is what workers have taken, under whichever fence, and may come back
	// with at any time, even when they have lost it.
	held []store.OpRow
}

type modelOp struct {
	id, anchor string
	state      store.OpState
	fence      int64 // of the lease; 0: none
	until      time.Time
	due        time.Time
	accepted   bool // by the target, which is to be asked after it
}

// open returns the open operation of an account.
func (m *queueModel) open(anchor string) *modelOp {
	for _, op := range m.ops {
		if op.anchor == anchor && slices.Contains(store.OpenStates, op.state) {
			return op
		}
	}
	return nil
}

var modelAnchors = []string{"1", "2", "3"}

// Plan applies a plan for some of the accounts.
func (m *queueModel) Plan(t *rapid.T) {
	some := rapid.SliceOfNDistinct(rapid.SampledFrom(modelAnchors), 1, len(modelAnchors), rapid.ID).Draw(t, "anchors")
	m.plan++
	p := creates(fmt.Sprintf("p%d", m.plan), "crm", some...)
	for i := range p.Operations {
		acc, err := m.o.Accounts(t.Context(), "hr", "person", []string{some[i]})
		require.NoError(t, err)
		p.Operations[i].AccountRev = acc[crm(some[i])].Rev
	}
	_, err := m.o.SavePlan(t.Context(), p, store.PlanProposed, "alice", m.now)
	require.NoError(t, err)
	_, err = m.o.ApplyPlan(t.Context(), p.Hash, "alice", m.now)
	require.NoError(t, err)
	for _, op := range p.Operations {
		is := &modelOp{id: op.ID, anchor: op.Anchor, state: store.OpReady}
		switch was := m.open(op.Anchor); {
		case was == nil:
		case was.state == store.OpSent || was.state == store.OpUnknown:
			is.state = store.OpSuperseded
		default:
			was.state, was.fence = store.OpSuperseded, 0
		}
		m.ops[op.ID] = is
	}
}

// Lease takes what is ready or due.
func (m *queueModel) Lease(t *rapid.T) {
	n := rapid.IntRange(1, 3).Draw(t, "n")
	ops, err := m.o.Lease(t.Context(), "crm", "w", n, m.now, time.Minute)
	require.NoError(t, err)
	free := 0
	for _, op := range m.ops {
		if op.state == store.OpReady || op.state == store.OpRetry && !op.due.After(m.now) {
			free++
		}
	}
	require.Len(t, ops, min(n, free), "all that is free, and nothing else")
	for _, op := range ops {
		is := m.ops[op.ID]
		require.Contains(t, []store.OpState{store.OpReady, store.OpRetry}, is.state)
		is.state, is.fence, is.until = store.OpLeased, op.Fence, m.now.Add(time.Minute)
		m.held = append(m.held, op)
	}
}

// Unknown takes what is to be settled, or asked after.
func (m *queueModel) Unknown(t *rapid.T) {
	accepted := rapid.Bool().Draw(t, "accepted")
	take := func() ([]store.OpRow, error) { return m.o.Unknown(t.Context(), "crm", "w", 2, m.now, time.Minute) }
	if accepted {
		take = func() ([]store.OpRow, error) {
			return m.o.Accepted(t.Context(), "crm", "w", 2, m.now, m.now, time.Minute)
		}
	}
	ops, err := take()
	require.NoError(t, err)
	free := 0
	for _, op := range m.ops {
		if op.state == store.OpUnknown && op.accepted == accepted && !op.due.After(m.now) && (op.fence == 0 || !op.until.After(m.now)) {
			free++
		}
	}
	require.Len(t, ops, min(2, free), "all that is free, and nothing else")
	for _, op := range ops {
		is := m.ops[op.ID]
		require.Equal(t, []any{store.OpUnknown, accepted}, []any{is.state, is.accepted})
		require.True(t, is.fence == 0 || !is.until.After(m.now), "nobody else has it")
		is.fence, is.until, is.due = op.Fence, m.now.Add(time.Minute), time.Time{}
		m.held = append(m.held, op)
	}
}

// GiveBack is the worker that knows of one of its operations and of no other.
func (m *queueModel) GiveBack(t *rapid.T) {
	var keep []string
	if len(m.held) > 0 {
		keep = []string{m.held[rapid.IntRange(0, len(m.held)-1).Draw(t, "held")].ID}
	}
	until := m.now.Add(time.Minute)
	n, err := m.o.GiveBack(t.Context(), "crm", "w", until, keep, m.now)
	require.NoError(t, err)
	for _, op := range m.ops {
		if op.fence == 0 || !op.until.Equal(until) || slices.Contains(keep, op.id) {
			continue
		}
		n--
		op.fence, op.due = 0, time.Time{}
		if op.state != store.OpUnknown {
			op.state = store.OpReady
		}
	}
	require.Zero(t, n)
}

// take draws something a worker has, or believes to have.
func (m *queueModel) take(t *rapid.T) (store.OpRow, *modelOp) {
	if len(m.held) == 0 {
		t.Skip("no worker has anything")
	}
	op := m.held[rapid.IntRange(0, len(m.held)-1).Draw(t, "held")]
	return op, m.ops[op.ID]
}

// Send is a worker about to send.
func (m *queueModel) Send(t *rapid.T) {
	op, is := m.take(t)
	kept, err := m.o.MarkSent(t.Context(), []store.OpRow{op}, m.now)
	require.NoError(t, err)
	if is.state != store.OpLeased || is.fence != op.Fence {
		require.Empty(t, kept, "%s is %s under fence %d", op.ID, is.state, is.fence)
		return
	}
	require.Len(t, kept, 1)
	is.state = store.OpSent
}

// Finish is a worker with an outcome.
func (m *queueModel) Finish(t *rapid.T) {
	op, is := m.take(t)
	end := rapid.SampledFrom([]store.OpState{store.OpDone, store.OpRetry, store.OpUnknown, store.OpParked, store.OpReady}).Draw(t, "end")
	f := done(op)
	f.State, f.NextAttemptAt, f.Now = end, m.now.Add(30*time.Second), m.now
	if end != store.OpDone {
		f.Account = nil
	}
	if end == store.OpUnknown && rapid.Bool().Draw(t, "accepted") {
		f.Continuation = []byte("job")
	}
	fenced, err := m.o.Finish(t.Context(), []store.Finish{f})
	require.NoError(t, err)
	if is.fence == 0 || is.fence != op.Fence {
		require.Equal(t, []string{op.ID}, fenced)
		return
	}
	require.Empty(t, fenced)
	is.state, is.fence, is.due, is.accepted = end, 0, f.NextAttemptAt, f.Continuation != nil
}

// Crash is a worker that dies: its leases end, and another one recovers.
func (m *queueModel) Crash(t *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second)
	unknown, ready, err := m.o.Recover(t.Context(), "w", m.now)
	require.NoError(t, err)
	for _, op := range m.ops {
		if op.fence == 0 || !op.until.Before(m.now) {
			continue
		}
		op.fence, op.due = 0, time.Time{}
		switch op.state {
		case store.OpLeased:
			op.state, ready = store.OpReady, ready-1
		case store.OpSent:
			op.state, unknown = store.OpUnknown, unknown-1
		}
	}
	require.Equal(t, []int{0, 0}, []int{unknown, ready}, "it recovers what had ended and nothing else")
}

// Person retries or skips.
func (m *queueModel) Person(t *rapid.T) {
	anchor := rapid.SampledFrom(modelAnchors).Draw(t, "anchor")
	op := m.open(anchor)
	if op == nil {
		t.Skip("nothing is open")
	}
	if rapid.Bool().Draw(t, "skip") {
		err := m.o.SkipOperation(t.Context(), op.id, "bob", "", m.now)
		if slices.Contains([]store.OpState{store.OpParked, store.OpRetry, store.OpReady}, op.state) {
			require.NoError(t, err)
			op.state = store.OpSkipped
		} else {
			require.ErrorIs(t, err, store.ErrState)
		}
		return
	}
	err := m.o.RetryOperation(t.Context(), op.id, "bob", m.now)
	if op.state == store.OpParked || op.state == store.OpRetry {
		require.NoError(t, err)
		op.state = store.OpReady
	} else {
		require.ErrorIs(t, err, store.ErrState)
	}
}

// Check compares every operation, so that none is lost, and looks at the rule of
// the house: one open operation per account.
func (m *queueModel) Check(t *rapid.T) {
	rows, err := m.o.Operations(t.Context(), store.OpFilter{Limit: 10000, States: append(slices.Clone(store.OpenStates),
		store.OpDone, store.OpSuperseded, store.OpSkipped, store.OpPlanned)})
	require.NoError(t, err)
	require.Len(t, rows, len(m.ops), "none is lost")
	open := map[string]string{}
	for _, row := range rows {
		require.Equal(t, m.ops[row.ID].state, row.State, row.ID)
		if slices.Contains(store.OpenStates, row.State) {
			require.Empty(t, open[row.Anchor], "two open operations of one account")
			open[row.Anchor] = row.ID
		}
	}
	_, n, err := m.o.NextDue(t.Context(), "crm")
	require.NoError(t, err)
	require.Equal(t, len(open), n)
	at, err := m.o.DueAt(t.Context(), "crm")
	require.NoError(t, err)
	require.Equal(t, m.dueAt(), at)
}

// dueAt is when the next operation can be taken.
func (m *queueModel) dueAt() (at time.Time) {
	for _, op := range m.ops {
		due := op.due
		switch {
		case op.state == store.OpReady, op.state == store.OpUnknown && op.fence == 0 && due.IsZero():
			due = time.UnixMicro(1).UTC()
		case op.state == store.OpRetry, op.state == store.OpUnknown && op.fence == 0:
		default:
			continue
		}
		if at.IsZero() || due.Before(at) {
			at = due
		}
	}
	return at
}

// QUIRKS Q-2: every way from state to state, whoever comes too late.
func TestTheQueueIsAsItsModel(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		s, err := store.Open(t.Context(), url)
		require.NoError(t, err)
		defer s.Close()
		orgs := 0
		rapid.Check(t, func(t *rapid.T) {
			orgs++
			m := &queueModel{o: s.Org(fmt.Sprintf("org%d", orgs)), now: now, ops: map[string]*modelOp{}}
			t.Repeat(rapid.StateMachineActions(m))
			_, err := m.o.AuditVerify(t.Context())
			require.NoError(t, err)
		})
	})
}
