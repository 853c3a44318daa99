package plan

import (
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
)

// model is a target with one account in it, and the ledger's row about it.
type model struct {
	exists  bool
	enabled connector.Enabled
	attrs   map[string]connector.Values
	grants  map[string]bool
	row     identity.Account
}

// apply does to the target what op says and writes the row, as dispatch does.
func (m *model) apply(op *Operation) {
	m.row.Rev++
	m.row.AccountKey = op.AccountKey
	switch op.Kind {
	case Delete:
		m.exists, m.row.Absent, m.row.Grants = false, true, nil
		return
	case Create:
		m.exists, m.enabled, m.attrs, m.grants = true, connector.IsEnabled, map[string]connector.Values{}, map[string]bool{}
		m.row = identity.Account{AccountKey: op.AccountKey, Rev: m.row.Rev, Ownership: identity.Created, Ref: connector.Ref{ID: "u1"}}
	case Adopt:
		m.row = identity.Account{AccountKey: op.AccountKey, Rev: m.row.Rev, Ownership: identity.Adopted, Ref: op.Target}
	}
	if op.Enabled != "" {
		m.enabled = op.Enabled
	}
	for _, c := range op.Changes {
		m.attrs[c.Name] = c.After
	}
	for _, g := range op.Grants {
		if m.grants[g.Entitlement] = !g.Remove; g.Remove {
			m.row.Grants = slices.DeleteFunc(m.row.Grants, func(x identity.Grant) bool { return x.Entitlement == g.Entitlement })
		} else {
			m.row.Grants = append(m.row.Grants, g.Grant)
		}
	}
	sortGrants(m.row.Grants)
	m.row.Applied = applied(m.row.Applied, op.Changes)
	m.row.Enabled = m.enabled
	if op.Kind == Disable {
		m.row.DisabledAt = now
	}
}

var (
	states    = []identity.State{identity.PreHire, identity.Active, identity.Active, identity.Suspended, identity.Leaver, identity.Gone}
	reactions = []Reaction{"", ReactDisable, ReactDelete, ReactKeep}
	names     = []string{"crew", "desk", "sales"}
)

func drawPolicy(t *rapid.T) Policy {
	p := Policy{
		OnLeave: rapid.SampledFrom(reactions).Draw(t, "on leave"), OnSuspend: rapid.SampledFrom(reactions).Draw(t, "on suspend"),
		OutOfScope: rapid.SampledFrom(reactions).Draw(t, "out of scope"), RevokeOnLeave: rapid.Bool().Draw(t, "revoke"),
		PreCreate: rapid.Bool().Draw(t, "precreate"), Recreate: rapid.Bool().Draw(t, "recreate"),
		DeleteAfter: rapid.SampledFrom([]time.Duration{0, time.Hour}).Draw(t, "delete after"),
		OnMatch:     rapid.SampledFrom([]MatchReaction{MatchAdopt, MatchPark}).Draw(t, "on match"),
	}
	if rapid.IntRange(0, 4).Draw(t, "protect") == 0 {
		p.Protected = []string{"1001"}
	}
	return p
}

func drawWant(t *rapid.T) *mapping.Result {
	if rapid.IntRange(0, 4).Draw(t, "scope") == 0 {
		return &mapping.Result{}
	}
	r := want(set("userName", rapid.SampledFrom([]any{"jane", "Jane ", "joan"}).Draw(t, "name")))
	for _, a := range []struct {
		name   string
		values []any
	}{{"phones", []any{"1", "2", "01"}}, {"title", []any{"Clerk", "clerk", "Boss", ""}}, {"type", []any{"employee", "Contractor"}}} {
		switch rapid.IntRange(0, 3).Draw(t, a.name) {
		case 0:
			r.Attributes = append(r.Attributes, unset(a.name))
		case 1:
			vs := rapid.SliceOfN(rapid.SampledFrom(a.values), 1, 1).Draw(t, "values")
			if a.name == "phones" {
				vs = rapid.Permutation(a.values).Draw(t, "phones")
			}
			r.Attributes = append(r.Attributes, set(a.name, vs...))
		}
	}
	slices.SortFunc(r.Attributes, func(x, y mapping.Desired) int { return compareText(x.Name, y.Name) })
	for _, g := range names {
		if rapid.Bool().Draw(t, g) {
			r.Grants = append(r.Grants, identity.Grant{Entitlement: g, Reason: "rule " + g})
		}
	}
	return r
}

func compareText(x, y string) int {
	if x < y {
		return -1
	}
	if x > y {
		return 1
	}
	return 0
}

// drawModel makes a target that came about by operations, perhaps of others.
func drawModel(t *rapid.T) *model {
	m := &model{attrs: map[string]connector.Values{}, grants: map[string]bool{}}
	for range rapid.IntRange(0, 3).Draw(t, "history") {
		s := subject(in(rapid.SampledFrom(states).Draw(t, "state")))
		s.Want, s.Have = drawWant(t), m.row
		if op := Diff(s, drawPolicy(t), schema).Operation; op != nil {
			m.apply(op)
		}
	}
	if m.row.Rev > 0 && rapid.Bool().Draw(t, "long disabled") && !m.row.DisabledAt.IsZero() {
		m.row.DisabledAt = now.Add(-2 * time.Hour)
	}
	return m
}

func drawSubject(t *rapid.T, m *model) Subject {
	s := subject(in(rapid.SampledFrom(states).Draw(t, "state")))
	s.Want, s.Have = drawWant(t), m.row
	s.Incomplete = rapid.IntRange(0, 3).Draw(t, "incomplete") == 0
	if m.row.Rev == 0 && rapid.Bool().Draw(t, "match") {
		s.Found = []connector.Object{object("x9", connector.Attribute{Name: "title", Values: connector.Values{"Clerk"}})}
	}
	return s
}

// Apply, then plan again: nothing may be left to do.
func TestApplyThenPlanIsEmpty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, p := drawModel(t), drawPolicy(t)
		s := drawSubject(t, m)
		op := Diff(s, p, schema).Operation
		if op == nil {
			return
		}
		if op.Kind == Adopt {
			m.exists, m.attrs["title"] = true, connector.Values{"Clerk"}
		}
		m.apply(op)
		s.Have, s.Found = m.row, nil
		if again := Diff(s, p, schema); again.Operation != nil || again.Withdraw != "" {
			t.Fatalf("after %q %s there is still %q", op.Reason, line(op), line(again.Operation))
		}
	})
}

// What Diff must never do, whatever comes in.
func TestNever(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, p := drawModel(t), drawPolicy(t)
		s := drawSubject(t, m)
		if m.row.Rev > 0 && rapid.Bool().Draw(t, "observed") {
			s.Have.Ownership = identity.Observed
		}
		op := Diff(s, p, schema).Operation
		if op == nil {
			return
		}
		loses := op.Kind == Disable || op.Kind == Delete
		switch {
		case s.Have.Ownership == identity.Observed && s.exists():
			t.Fatalf("an observed account is touched: %s", line(op))
		case loses && p.Protected != nil:
			t.Fatalf("a protected account: %s", line(op))
		case s.Incomplete && s.State == identity.Gone:
			t.Fatalf("absent from an incomplete reading: %s", line(op))
		case s.Incomplete && op.Cause == CauseExpired:
			t.Fatalf("deleted by time after an incomplete reading: %s", line(op))
		case loses && s.State == identity.Active && s.Want.InScope:
			t.Fatalf("somebody who works here: %s", line(op))
		case op.Kind == Delete && !s.exists():
			t.Fatalf("delete of what is not there: %s", line(op))
		case op.Kind != Create && op.Target.ID == "":
			t.Fatalf("no target: %s", line(op))
		}
		removed := true
		for _, g := range op.Grants {
			if g.Remove && !removed {
				t.Fatalf("gains before it loses: %s", line(op))
			}
			removed = g.Remove
		}
	})
}

func (s Subject) exists() bool { return s.Have.Rev > 0 && !s.Have.Absent }

// A queue in which operations wait, go out, are lost sight of and come back,
// between changes of mind of the source: in the end the target is as wanted.
func TestQueueConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{attrs: map[string]connector.Values{}, grants: map[string]bool{}}
		p := Policy{RevokeOnLeave: true, Recreate: true}
		s := subject()
		var queue *OpenOperation
		cycle := func() {
			s.Have, s.Open = m.row, queue
			step := Diff(s, p, schema)
			switch {
			case step.Operation != nil:
				if queue != nil && queue.Sent {
					t.Fatalf("%s replaces what was sent", line(step.Operation))
				}
				queue = &OpenOperation{Operation: *step.Operation}
				queue.ID = "op"
			case step.Withdraw != "":
				queue = nil
			}
		}
		finish := func() {
			if queue != nil {
				op := queue.Operation
				queue = nil
				m.apply(&op)
			}
		}
		for range rapid.IntRange(1, 12).Draw(t, "events") {
			switch rapid.SampledFrom([]string{"change", "change", "send", "finish"}).Draw(t, "event") {
			case "change":
				s.State, s.Want = rapid.SampledFrom(states).Draw(t, "state"), drawWant(t)
				cycle()
			case "send":
				if queue != nil {
					queue.Sent = true
				}
			case "finish":
				finish()
				cycle()
			}
		}
		for range 2 {
			finish()
			cycle()
		}
		s.Have = m.row
		if queue != nil {
			t.Fatalf("still open: %s", line(&queue.Operation))
		}
		if s.State == identity.Active && s.Want.InScope {
			for _, g := range names {
				if m.grants[g] != holds(s.Want.Grants, g) {
					t.Fatalf("grant %s: %v", g, m.grants[g])
				}
			}
			if !m.exists || m.enabled != connector.IsEnabled {
				t.Fatal("an active person has no usable account")
			}
		} else if s.State != identity.PreHire && m.exists && m.enabled != connector.IsDisabled {
			t.Fatalf("usable though %s", s.State)
		}
	})
}

// QUIRKS HR-1: neither the order of the file nor that of the work matters.
func TestOrderOfWorkDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p Plan
		for i := range rapid.IntRange(1, 12).Draw(t, "people") {
			m := drawModel(t)
			s := drawSubject(t, m)
			s.Anchor = string(rune('a' + i))
			s.Connector = rapid.SampledFrom([]string{"crm", "erp"}).Draw(t, "connector")
			step := Diff(s, drawPolicy(t), schema)
			p.Notes = append(p.Notes, step.Notes...)
			if step.Operation != nil {
				p.Operations = append(p.Operations, *step.Operation)
				p.Withdraw = append(p.Withdraw, "w"+s.Anchor)
			}
		}
		q := Plan{Inputs: Inputs{Snapshot: "the same people in another order"}}
		q.Operations, q.Withdraw, q.Notes = slices.Clone(p.Operations), slices.Clone(p.Withdraw), slices.Clone(p.Notes)
		r := rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed")))
		r.Shuffle(len(q.Operations), func(i, j int) { q.Operations[i], q.Operations[j] = q.Operations[j], q.Operations[i] })
		r.Shuffle(len(q.Withdraw), func(i, j int) { q.Withdraw[i], q.Withdraw[j] = q.Withdraw[j], q.Withdraw[i] })
		r.Shuffle(len(q.Notes), func(i, j int) { q.Notes[i], q.Notes[j] = q.Notes[j], q.Notes[i] })
		Seal(&p)
		Seal(&q)
		q.Inputs.Snapshot = ""
		if diff := cmp.Diff(p, q); diff != "" {
			t.Fatal(diff)
		}
	})
}
