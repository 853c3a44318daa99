package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/core/store/storetest"
)

// lab is a target in memory that goes wrong on demand.
type lab struct {
	shape Shape
	// before may answer in the target's place, and after may lose or change the
	// answer to what took effect. Both see the operation's verb and its number
	// among those of that verb, from 1; nil leaves things as they are.
	before, after func(op connector.Operation, nth int) *connector.Result
	// arriving may hold a call up before it is carried out; nil: it does not.
	arriving func(op connector.Operation)
	// took is how long each call takes.
	took time.Duration
	// moves: a rename gives another id, as in a directory.
	moves bool
	// lookup answers a Get in the target's place.
	lookup func(n int) *connector.Error

	mu      sync.Mutex
	objects map[string]*connector.Object
	effects []string // what changed, in order: "create 1001", "grant 1001 it"
	calls   []string // verbs as they came in
	counts  map[connector.Verb]int
	gets    int
	busy    int
	peak    int         // most calls at once
	begun   []time.Time // when calls came in
	last    []connector.Operation
}

func newLab() *lab {
	return &lab{shape: crm(), objects: map[string]*connector.Object{}, counts: map[connector.Verb]int{}}
}

func (l *lab) Capabilities() connector.Capabilities { return l.shape.Capabilities }
func (l *lab) Schema() connector.Schema             { return l.shape.Schema }

func (l *lab) Apply(ctx context.Context, ops []connector.Operation) []connector.Result {
	l.mu.Lock()
	l.busy++
	l.peak = max(l.peak, l.busy)
	l.begun = append(l.begun, time.Now())
	l.mu.Unlock()
	select {
	case <-time.After(l.took):
	case <-ctx.Done():
		return l.cut(ops)
	}
	if l.arriving != nil {
		for _, op := range ops {
			l.arriving(op)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy--
	l.last = ops
	var rs []connector.Result
	for _, op := range ops {
		r := l.apply(op)
		r.ID = op.Meta().ID
		rs = append(rs, r)
	}
	return rs
}

// cut answers operations whose call was cancelled.
func (l *lab) cut(ops []connector.Operation) (rs []connector.Result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy--
	for _, op := range ops {
		rs = append(rs, connector.Result{ID: op.Meta().ID, Outcome: connector.OutcomeUnknown, Err: connector.Errorf(connector.CodeUnavailable, "the call was cancelled")})
	}
	return rs
}

// lastBegun is when the last call came in.
func (l *lab) lastBegun() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.begun[len(l.begun)-1]
}

func (l *lab) apply(op connector.Operation) connector.Result {
	l.calls = append(l.calls, string(op.Verb()))
	l.counts[op.Verb()]++
	n := l.counts[op.Verb()]
	if l.before != nil {
		if r := l.before(op, n); r != nil {
			return *r
		}
	}
	r := l.effect(op)
	if l.after != nil {
		if s := l.after(op, n); s != nil {
			return *s
		}
	}
	return r
}

func (l *lab) effect(op connector.Operation) connector.Result {
	did := func(format string, args ...any) connector.Result {
		l.effects = append(l.effects, fmt.Sprintf(format, args...))
		return connector.Result{Outcome: connector.OutcomeApplied}
	}
	same := connector.Result{Outcome: connector.OutcomeUnchanged}
	switch o := op.(type) {
	case connector.Create:
		if old := l.find(connector.Ref{By: o.Correlate}); old != nil {
			if o.Adopt || o.MaybeApplied {
				return connector.Result{Outcome: connector.OutcomeAdopted, Object: clone(old)}
			}
			return connector.Result{Outcome: connector.OutcomeFailed, Err: &connector.Error{Code: connector.CodeAlreadyExists, Message: "exists", Conflicting: &old.Ref}}
		}
		obj := &connector.Object{Ref: connector.Ref{Type: o.Type, ID: fmt.Sprint("u", len(l.objects)+1)}, Enabled: o.Enabled,
			Attributes: slices.Clone(o.Attributes), Grants: []connector.Ref{}}
		l.objects[obj.Ref.ID] = obj
		r := did("create %s", o.Attributes.Text("externalId"))
		r.Object = clone(obj)
		return r
	case connector.Update:
		obj := l.find(o.Target)
		if obj == nil {
			return fail(connector.CodeNotFound)
		}
		for _, c := range o.Changes {
			obj.Attributes = set(obj.Attributes, c.Name, c.Replace)
		}
		return did("update %s", o.Target.ID)
	case connector.Rename:
		obj := l.find(o.Target)
		if obj == nil {
			return fail(connector.CodeNotFound)
		}
		obj.Attributes = set(obj.Attributes, "login", connector.Values{o.NewName})
		if l.moves {
			delete(l.objects, o.Target.ID)
			obj.Ref.ID = o.NewName
			l.objects[o.NewName] = obj
		}
		r := did("rename %s", o.Target.ID)
		r.Object = clone(obj)
		return r
	case connector.SetEnabled:
		obj := l.find(o.Target)
		switch {
		case obj == nil:
			return fail(connector.CodeNotFound)
		case obj.Enabled == connector.EnabledIf(o.Enabled):
			return same
		}
		obj.Enabled = connector.EnabledIf(o.Enabled)
		return did("%s %s", op.Verb(), o.Target.ID)
	case connector.Grant:
		obj := l.find(o.Principal)
		if obj == nil {
			return fail(connector.CodeNotFound)
		}
		if slices.ContainsFunc(obj.Grants, func(r connector.Ref) bool { return r.Name == o.Entitlement.Name }) {
			return same
		}
		obj.Grants = append(obj.Grants, o.Entitlement)
		return did("grant %s %s", obj.Ref.ID, o.Entitlement.Name)
	case connector.Revoke:
		obj := l.find(o.Principal)
		if obj == nil {
			return fail(connector.CodeNotFound)
		}
		n := len(obj.Grants)
		obj.Grants = slices.DeleteFunc(obj.Grants, func(r connector.Ref) bool { return r.Name == o.Entitlement.Name })
		if len(obj.Grants) == n {
			return same
		}
		return did("revoke %s %s", obj.Ref.ID, o.Entitlement.Name)
	case connector.Delete:
		if l.find(o.Target) == nil {
			return same
		}
		delete(l.objects, o.Target.ID)
		return did("delete %s", o.Target.ID)
	}
	return fail(connector.CodeUnsupported)
}

func (l *lab) find(ref connector.Ref) *connector.Object {
	if ref.ID != "" {
		return l.objects[ref.ID]
	}
	for _, o := range l.objects {
		if !ref.By.IsZero() && o.Attributes.Text(ref.By.Attribute) == ref.By.Value {
			return o
		}
	}
	return nil
}

func clone(o *connector.Object) *connector.Object {
	c := *o
	c.Attributes, c.Grants = slices.Clone(o.Attributes), slices.Clone(o.Grants)
	return &c
}

func (l *lab) Get(_ context.Context, ref connector.Ref, _ []string) (connector.Object, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gets++
	if l.lookup != nil {
		if err := l.lookup(l.gets); err != nil {
			return connector.Object{}, err
		}
	}
	if o := l.find(ref); o != nil {
		return *clone(o), nil
	}
	return connector.Object{}, connector.Errorf(connector.CodeNotFound, "no such object")
}

// count is how often an effect took place.
func (l *lab) count(effect string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, e := range l.effects {
		if e == effect {
			n++
		}
	}
	return n
}

// bench is a dispatcher on a real store.
type bench struct {
	t *testing.T
	*store.Org
	*lab
	d    *Dispatcher
	opts Options
	n    int // plans made
}

func newBench(t *testing.T, with ...func(*Options)) *bench {
	t.Helper()
	b := &bench{t: t, Org: storetest.New(t), lab: newLab()}
	b.opts = Options{Connector: "crm", Queue: b.Org, Target: b.lab, Owner: "test", Log: slog.New(slog.DiscardHandler), Random: func() float64 { return 1 }}
	for _, w := range with {
		w(&b.opts)
	}
	b.restart()
	return b
}

// restart is what a new process does.
func (b *bench) restart() {
	b.t.Helper()
	if _, _, err := b.Recover(b.t.Context(), "test", time.Now()); err != nil {
		b.t.Fatal(err)
	}
	b.d = New(b.opts)
}

// enqueue puts operations into the queue, in the order given.
func (b *bench) enqueue(ops ...plan.Operation) {
	b.t.Helper()
	b.n++
	for i := range ops {
		a, err := b.Accounts(b.t.Context(), "hr", ops[i].AccountKey.Kind, []string{ops[i].Anchor})
		if err != nil {
			b.t.Fatal(err)
		}
		ops[i].AccountRev = a[ops[i].AccountKey].Rev
		if ops[i].Target.ID == "" && ops[i].Kind != plan.Create {
			ops[i].Target = a[ops[i].AccountKey].Ref
		}
	}
	p := &plan.Plan{Inputs: plan.Inputs{Source: "hr", Snapshot: fmt.Sprint(b.n)}, Operations: ops}
	plan.Seal(p)
	if _, err := b.SavePlan(b.t.Context(), p, store.PlanProposed, "test", time.Now()); err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.ApplyPlan(b.t.Context(), p.Hash, "test", time.Now()); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) drain() Summary {
	b.t.Helper()
	s, err := b.d.Drain(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// row is the open or last operation of an anchor.
func (b *bench) row(anchor string) store.OpRow {
	b.t.Helper()
	rows, err := b.Operations(b.t.Context(), store.OpFilter{Connector: "crm", Anchor: anchor, States: append(slices.Clone(store.OpenStates), store.OpDone, store.OpSuperseded)})
	if err != nil || len(rows) == 0 {
		b.t.Fatalf("no operation of %s: %v", anchor, err)
	}
	return rows[len(rows)-1]
}

func (b *bench) ledger(anchor string) identity.Account {
	b.t.Helper()
	a, err := b.Accounts(b.t.Context(), "hr", identity.Person, []string{anchor})
	if err != nil {
		b.t.Fatal(err)
	}
	return a[identity.AccountKey{Source: "hr", Connector: "crm", Kind: identity.Person, Anchor: anchor}]
}

// wants checks effects, in order, whatever the accounts.
func (b *bench) wants(effects ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if got := strings.Join(b.effects, ", "); got != strings.Join(effects, ", ") {
		b.t.Errorf("effects: %s\n   want: %s", got, strings.Join(effects, ", "))
	}
}

func (b *bench) state(anchor string, want store.OpState) store.OpRow {
	b.t.Helper()
	r := b.row(anchor)
	if r.State != want {
		b.t.Errorf("operation of %s is %s, want %s (%v)", anchor, r.State, want, r.LastError)
	}
	return r
}

// joiner is the create of one person.
func joiner(anchor string, with ...func(*plan.Operation)) plan.Operation {
	o := op(plan.Create, append([]func(*plan.Operation){change("externalId", "", anchor), change("login", "", "u"+anchor)}, with...)...)
	o.ID, o.Anchor, o.Correlate.Value = "", anchor, anchor
	return o
}

func of(anchor string, kind plan.Kind, with ...func(*plan.Operation)) plan.Operation {
	o := op(kind, with...)
	o.ID, o.Anchor = "", anchor
	return o
}

// inBubble runs a test whose clock moves only when everything waits. Not under the race
// detector: there a timer of simulated time now and then crashes the runtime (Go 1.26:
// SIGSEGV in maybeRunChan), and hours of it take minutes. The tests of core/daemon run
// the dispatcher under the detector in real time.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	if raced {
		t.Skip("simulated time and the race detector do not go together")
	}
	synctest.Test(t, test)
}

// nth answers the nth operation of a verb in the target's place.
func nth(verb connector.Verb, n int, r connector.Result) func(connector.Operation, int) *connector.Result {
	return func(op connector.Operation, k int) *connector.Result {
		if op.Verb() == verb && k == n {
			return &r
		}
		return nil
	}
}

func joiners(n int) []plan.Operation {
	var ops []plan.Operation
	for i := range n {
		ops = append(ops, joiner(fmt.Sprint(1001+i)))
	}
	return ops
}
