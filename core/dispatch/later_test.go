package dispatch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

func TestAManagerWhoComesLater(t *testing.T) { // QUIRKS HR-26, Q-12
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 1 })
		b.enqueue(joiner("1001", change("manager", "", "1002"), gain("it")), // made before the manager is
			joiner("1002", change("manager", "", "1001")), // who in turn reports to 1001
			joiner("1003", change("manager", "", "1003")), // nobody's report
			joiner("1004", change("manager", "", "9999"))) // unknown
		if s := b.drain(); s.Done != 3 || s.Retrying != 1 {
			t.Errorf("summary %v", s)
		}
		b.wants("create 1001", "grant u1 it", "create 1002", "create 1003", "update u3", "create 1004", "update u1")
		time.Sleep(24 * time.Hour)
		r := b.state("1004", store.OpRetry)
		if r.Attempts > 1 || r.LastError.Code != connector.CodeDependencyMissing || !strings.Contains(r.LastError.Message, "manager") {
			t.Errorf("after %d attempts: %v", r.Attempts, r.LastError)
		}
		b.enqueue(joiner("9999"))
		b.drain()
		b.state("1004", store.OpDone)
		if m := b.ledger("1004").Applied.Text("manager"); m != "9999" {
			t.Errorf("the ledger has the manager as %q, not as the plan does", m)
		}
	})
}

func TestWorkThatTheTargetFinishesLater(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.Patience = -1 })
		pending := connector.Result{Outcome: connector.OutcomePending, Continuation: []byte("job 1"), PollAfter: time.Minute}
		b.before = func(op connector.Operation, n int) *connector.Result {
			switch o := op.(type) {
			case connector.Create:
				return &pending
			case connector.Poll:
				switch {
				case string(o.Continuation) != "job 1":
					t.Errorf("polled with %q", o.Continuation)
				case n == 1:
					r := fail(connector.CodeUnavailable, scope(connector.ScopeInstance))
					return &r
				case n == 2:
					return &connector.Result{Outcome: connector.OutcomePending, PollAfter: time.Minute}
				}
				return &connector.Result{Outcome: connector.OutcomeApplied, Object: &connector.Object{Ref: connector.Ref{ID: "u1"}}}
			}
			return nil
		}
		b.objects["u1"] = &connector.Object{Ref: connector.Ref{ID: "u1"}}
		b.enqueue(joiner("1001", gain("it")))
		if s := b.drain(); s.Pending != 1 || s.Unknown != 0 || s.String() != "crm: 0 done, 1 accepted and not finished" {
			t.Errorf("summary %v", s)
		}
		for range 3 { // each a new process
			b.state("1001", store.OpUnknown)
			time.Sleep(2 * time.Minute)
			b.restart()
			b.drain()
		}
		if r := b.state("1001", store.OpDone); r.Attempts > 2 {
			t.Errorf("polling cost %d attempts", r.Attempts)
		}
		if b.counts[connector.VerbCreate] != 1 || b.gets != 0 {
			t.Errorf("calls %v, %d lookups", b.calls, b.gets)
		}
		b.wants("grant u1 it")
	})
}

func TestAnInvitationWaitsForAPerson(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		b.before = nth(connector.VerbCreate, 1, connector.Result{Outcome: connector.OutcomeActionRequired, ExpiresAt: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC),
			Err: &connector.Error{Code: connector.CodePolicy, Message: "the invitation must be accepted"}, Object: &connector.Object{Ref: connector.Ref{ID: "u1"}}})
		b.objects["u1"] = &connector.Object{Ref: connector.Ref{ID: "u1"}}
		b.enqueue(joiner("1001"))
		b.drain()
		r := b.state("1001", store.OpParked)
		if want := "the invitation must be accepted (before 2026-04-01 00:00:00 UTC)"; r.LastError.Message != want {
			t.Errorf("helpdesk is told %q", r.LastError.Message)
		}
		if err := b.RetryOperation(t.Context(), r.ID, "helpdesk", time.Now()); err != nil {
			t.Fatal(err)
		}
		b.drain()
		b.wants("rename u1", "update u1", "enable u1")
		b.state("1001", store.OpDone)
	})
}

// strict has the target refuse whoever names a manager that is not there.
func strict(b *bench) {
	b.moves = true
	b.before = func(op connector.Operation, _ int) *connector.Result {
		var named connector.Attributes
		switch o := op.(type) {
		case connector.Create:
			named = o.Attributes
		case connector.Update:
			for _, c := range o.Changes {
				named = append(named, connector.Attribute{Name: c.Name, Values: c.Replace})
			}
		}
		for _, v := range named.Get("manager") {
			if ref, ok := v.(connector.Ref); ok && b.objects[ref.ID] == nil {
				r := fail(connector.CodeDependencyMissing)
				return &r
			}
		}
		return nil
	}
}

// A manager whose rename gives them another id is named by that one, also by who was
// taken from the queue before.
func TestAManagerWhoMoves(t *testing.T) { // QUIRKS HR-26
	for _, inFlight := range []int{1, 8} {
		t.Run(fmt.Sprint(inFlight), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b := newBench(t, func(o *Options) { o.InFlight, o.Patience = inFlight, needWaitMin/2 })
				b.enqueue(joiner("1001"), joiner("1002"))
				b.drain()
				strict(b)
				b.took = 100 * time.Millisecond
				b.enqueue(of("1001", plan.Update, change("login", "u1001", "eve")), of("1002", plan.Update, change("manager", "", "1001")), joiner("1003", change("manager", "", "1001")))
				if s := b.drain(); s.Done != 3 {
					t.Fatalf("summary %v", s)
				}
				for _, id := range []string{"u2", b.ledger("1003").Ref.ID} {
					if m := b.objects[id].Attributes.Get("manager"); len(m) != 1 || m[0].(connector.Ref).ID != "eve" {
						t.Errorf("the manager of %s is %v", id, m)
					}
				}
			})
		})
	}
}
