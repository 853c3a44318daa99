package dispatch

import (
	"strings"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

func TestALostReplyMakesNoSecondAccount(t *testing.T) { // QUIRKS
	lost := connector.Result{Outcome: connector.OutcomeUnknown, Err: &connector.Error{Code: connector.CodeTimeout, Message: "no answer"}}
	for _, c := range []struct {
		name          string
		before, after func(connector.Operation, int) *connector.Result
		shape         func(*Shape)
		attempts      int
	}{
		{name: "the create went through", after: nth(connector.VerbCreate, 1, lost), attempts: 2},
		{name: "the create did not", before: nth(connector.VerbCreate, 1, lost), attempts: 2},
		{name: "the grant went through", after: nth(connector.VerbGrant, 1, lost), attempts: 2},
		{name: "the grant did not", before: nth(connector.VerbGrant, 2, lost), attempts: 2},
		{name: "the plugin died", after: nth(connector.VerbCreate, 1, connector.Result{}), attempts: 2},
		{name: "the target cannot be searched and knows the key", after: nth(connector.VerbCreate, 1, lost),
			shape: func(s *Shape) { s.Get, s.Idempotency = false, connector.IdempotencyKeyed }, attempts: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b := newBench(t)
				b.before, b.after = c.before, c.after
				if c.shape != nil {
					c.shape(&b.shape)
				}
				b.enqueue(joiner("1001", gain("it"), gain("vpn")))
				b.drain()
				b.wants("create 1001", "grant u1 it", "grant u1 vpn")
				if r := b.state("1001", store.OpDone); r.Attempts > c.attempts || r.MaybeApplied {
					t.Errorf("%d attempts, maybe applied %t", r.Attempts, r.MaybeApplied)
				}
				if a := b.ledger("1001"); a.Ownership != "created" || len(a.Grants) != 2 || a.Applied.Text("login") == "" {
					t.Errorf("ledger %+v", a)
				}
			})
		})
	}
}

// QUIRKS Q-2: whatever the call, that it goes out is on disk before.
func TestSentIsCommittedBeforeTheCall(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		looked := 0
		b.arriving = func(connector.Operation) {
			looked++
			b.state("1001", store.OpSent)
		}
		b.enqueue(joiner("1001", gain("it")))
		b.drain()
		b.state("1001", store.OpDone)
		if looked != 2 {
			t.Errorf("%d calls were looked at, want the create and the grant", looked)
		}
	})
}

func TestABlindTargetsLostCreateNeedsAPerson(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		b.shape.Get = false
		b.after = nth(connector.VerbCreate, 1, connector.Result{Outcome: connector.OutcomeUnknown})
		b.enqueue(joiner("1001"), joiner("1002"))
		if s := b.drain(); s.Done != 1 || s.ParkedTotal() != 1 {
			t.Errorf("summary %v", s)
		}
		r := b.state("1001", store.OpParked)
		if !strings.Contains(r.LastError.Message, "look there, then retry or skip") {
			t.Errorf("helpdesk is told %q", r.LastError.Message)
		}
		if err := b.RetryOperation(t.Context(), r.ID, "helpdesk", time.Now()); err != nil {
			t.Fatal(err)
		}
		b.drain() // with MaybeApplied, so that the target looks
		if n := b.count("create 1001"); n != 1 {
			t.Errorf("created %d times", n)
		}
		b.state("1001", store.OpDone)
	})
}

// A create that a slow index does not show at once is not made again.
func TestAnAccountThatShowsLate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		b.after = nth(connector.VerbCreate, 1, connector.Result{Outcome: connector.OutcomeUnknown})
		begun := time.Now()
		b.lookup = func(int) *connector.Error {
			if time.Since(begun) < 1500*time.Millisecond {
				return &connector.Error{Code: connector.CodeNotFound}
			}
			return nil
		}
		b.enqueue(joiner("1001"))
		b.drain()
		b.state("1001", store.OpDone)
		if b.counts[connector.VerbCreate] != 1 || b.gets != 2 {
			t.Errorf("%v with %d lookups", b.calls, b.gets)
		}
	})
}

func TestDoubtThatNobodyCanClearEndsParked(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.Retry.Attempts, o.Patience = 3, time.Hour })
		b.before = func(op connector.Operation, _ int) *connector.Result {
			return &connector.Result{Outcome: connector.OutcomeUnknown, Err: &connector.Error{Code: connector.CodeTimeout, Message: "no answer"}}
		}
		b.enqueue(joiner("1001"))
		b.drain()
		if r := b.state("1001", store.OpParked); r.Attempts != 3 || r.LastError.Code != connector.CodeTimeout {
			t.Errorf("%d attempts: %v", r.Attempts, r.LastError)
		}
	})
}

func TestAnAccountThatSomebodyElseChanges(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		b.enqueue(joiner("1001"))
		b.drain()
		b.before = func(op connector.Operation, n int) *connector.Result {
			if op.Verb() != connector.VerbDisable || n > 1 {
				return nil
			}
			b.objects["u1"].Enabled = connector.IsDisabled
			r := fail(connector.CodeVersionConflict)
			return &r
		}
		b.enqueue(of("1001", plan.Disable))
		b.drain()
		b.state("1001", store.OpDone)
		b.wants("create 1001")
		if a := b.ledger("1001"); a.Enabled != connector.IsDisabled {
			t.Errorf("ledger %+v", a)
		}
	})
}

// What was not asked for yet is in the ledger as it was before the operation: a plan that
// takes its place goes by that.
func TestAnAccountHalfWayIsKnownToBeDisabled(t *testing.T) {
	for name, how := range map[string]func(b *bench){
		"the target refuses": func(b *bench) { b.before = nth(connector.VerbEnable, 1, fail(connector.CodeUnavailable)) },
		"the outcome is not known": func(b *bench) {
			b.before = nth(connector.VerbEnable, 1, connector.Result{Outcome: connector.OutcomeUnknown, Err: &connector.Error{Code: connector.CodeTimeout, Message: "no answer"}})
			b.lookup = func(int) *connector.Error {
				return &connector.Error{Code: connector.CodeUnavailable, Message: "not now"}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				b := newBench(t, func(o *Options) { o.Retry.First, o.Retry.Max, o.Patience = time.Hour, time.Hour, time.Second })
				b.enqueue(joiner("1001"))
				b.drain()
				b.enqueue(of("1001", plan.Disable))
				b.drain()
				how(b)
				b.enqueue(of("1001", plan.Enable, change("mail", "", "a@x")))
				b.drain()
				b.wants("create 1001", "disable u1", "update u1")
				if a := b.ledger("1001"); a.Enabled != connector.IsDisabled || a.DisabledAt.IsZero() || a.Applied.Text("mail") != "a@x" {
					t.Errorf("ledger %+v", a)
				}
			})
		})
	}
}

// Where a name is part of the id, a rename whose reply was lost leaves the
// account under an id that nobody has told us.
func TestALostRenameIsFoundByTheAnchor(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		b.enqueue(joiner("1001"))
		b.drain()
		b.after = func(op connector.Operation, _ int) *connector.Result {
			if op.Verb() != connector.VerbRename {
				return nil
			}
			o := b.objects["u1"]
			o.Ref.ID = "new"
			delete(b.objects, "u1")
			b.objects["new"] = o
			return &connector.Result{Outcome: connector.OutcomeUnknown}
		}
		b.enqueue(of("1001", plan.Update, change("login", "u1001", "jane"), change("mail", "", "a@x")))
		b.drain()
		b.wants("create 1001", "rename u1", "update new")
		b.state("1001", store.OpDone)
		if a := b.ledger("1001"); a.Ref.ID != "new" || a.Applied.Text("login") != "jane" {
			t.Errorf("ledger %+v", a)
		}
	})
}

func TestNotFoundIsNotBelievedOfWhatIsThere(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		b.enqueue(joiner("1001"))
		b.drain()
		b.before = nth(connector.VerbGrant, 1, fail(connector.CodeNotFound)) // means the group
		b.enqueue(of("1001", plan.Update, gain("it")))
		b.drain()
		b.state("1001", store.OpDone)
		if a := b.ledger("1001"); a.Absent || len(a.Grants) != 1 {
			t.Errorf("ledger %+v", a)
		}
	})
}
