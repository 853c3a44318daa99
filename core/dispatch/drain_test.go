package dispatch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// inBubble runs a test whose clock moves only when everything waits.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
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

func TestAJoinerAndALeaver(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		b.enqueue(joiner("1001", gain("it"), gain("vpn")))
		if s := b.drain(); s.Done != 1 || s.String() != "crm: 1 done" {
			t.Errorf("summary %v", s)
		}
		b.wants("create 1001", "grant u1 it", "grant u1 vpn")
		a := b.ledger("1001")
		if a.Ref.ID != "u1" || a.Ownership != identity.Created || a.Enabled != connector.IsEnabled || len(a.Grants) != 2 || a.Applied.Text("login") != "u1001" {
			t.Errorf("ledger %+v", a)
		}
		b.enqueue(of("1001", plan.Disable, lose("it"), lose("vpn")))
		b.drain()
		b.wants("create 1001", "grant u1 it", "grant u1 vpn", "disable u1", "revoke u1 it", "revoke u1 vpn")
		if a := b.ledger("1001"); a.Enabled != connector.IsDisabled || a.DisabledAt.IsZero() || len(a.Grants) != 0 {
			t.Errorf("ledger %+v", a)
		}
		if r := b.state("1001", store.OpDone); r.StepsDone != 3 || r.Attempts != 1 {
			t.Errorf("%d steps in %d attempts", r.StepsDone, r.Attempts)
		}
	})
}

func TestAccountsGoInParallelAfterTheFirst(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 8 })
		b.took = time.Second
		var ops []plan.Operation
		for i := range 100 {
			ops = append(ops, joiner(fmt.Sprint(1000+i)))
		}
		b.enqueue(ops...)
		begun := time.Now()
		if s := b.drain(); s.Done != 100 {
			t.Errorf("summary %v", s)
		}
		// 1 + 2 + 4, then 93 by eights.
		if took := time.Since(begun).Round(time.Second); took != 15*time.Second || b.peak != 8 {
			t.Errorf("took %v with at most %d at once", took, b.peak)
		}
	})
}

func TestALeaverOvertakes(t *testing.T) { // QUIRKS Q-7
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 1 })
		b.enqueue(joiner("1001"))
		b.drain()
		leaver := of("1001", plan.Disable)
		leaver.Lane = plan.LaneLeaver
		b.enqueue(joiner("1002"), leaver)
		b.drain()
		b.wants("create 1001", "disable u1", "create 1002")
	})
}

func TestARetryWaitsLongerEachTime(t *testing.T) { // QUIRKS Q-9
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.Patience = time.Hour })
		var at []time.Duration
		begun := time.Now()
		b.before = func(op connector.Operation, n int) *connector.Result {
			at = append(at, time.Since(begun).Round(100*time.Millisecond))
			if n < 4 {
				r := fail(connector.CodeBusy)
				return &r
			}
			return nil
		}
		b.enqueue(joiner("1001"))
		b.drain()
		if fmt.Sprint(at) != "[0s 2s 6s 14s]" {
			t.Errorf("tried at %v", at)
		}
		if r := b.state("1001", store.OpDone); r.Attempts != 4 {
			t.Errorf("%d attempts", r.Attempts)
		}
	})
}

func TestAnOperationIsGivenUpAlone(t *testing.T) { // QUIRKS Q-10
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.Patience, o.Retry.Attempts = time.Hour, 3 })
		b.before = func(op connector.Operation, n int) *connector.Result {
			var r connector.Result
			switch c, _ := op.(connector.Create); c.Correlate.Value {
			case "1001":
				r = fail(connector.CodeBusy)
			case "1002":
				r = fail(connector.CodeInvalidValue)
			case "1003":
				r = fail(connector.CodeInternal)
			default:
				return nil
			}
			return &r
		}
		b.enqueue(joiner("1001"), joiner("1002"), joiner("1003"), joiner("1004"))
		s := b.drain()
		if want := "crm: 1 done, 3 parked: BUSY 1, INTERNAL 1, INVALID_VALUE 1"; s.String() != want {
			t.Errorf("summary %q, want %q", s, want)
		}
		if r := b.state("1001", store.OpParked); r.Attempts != 3 || !strings.HasPrefix(r.LastError.Message, "given up after 3 attempts") {
			t.Errorf("%d attempts, %v", r.Attempts, r.LastError)
		}
		b.state("1002", store.OpParked)
		b.state("1003", store.OpParked)
	})
}

func TestAGrantThatCannotBeMadeHoldsNothingBack(t *testing.T) { // QUIRKS Q-14
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		b.before = nth(connector.VerbGrant, 1, fail(connector.CodeDependencyMissing))
		b.enqueue(joiner("1001", gain("it"), gain("vpn"), gain("wiki")))
		b.opts.Patience = -1
		b.restart()
		if s := b.drain(); s.Retrying != 1 || s.NextAt.IsZero() {
			t.Errorf("summary %v", s)
		}
		b.wants("create 1001", "grant u1 vpn", "grant u1 wiki")
		if gs := b.ledger("1001").Grants; len(gs) != 2 || gs[0].Entitlement != "vpn" {
			t.Errorf("the ledger has %v", gs)
		}
		time.Sleep(time.Minute)
		b.drain()
		b.wants("create 1001", "grant u1 vpn", "grant u1 wiki", "grant u1 it")
		if b.counts[connector.VerbGrant] != 4 || b.counts[connector.VerbCreate] != 1 {
			t.Errorf("calls %v", b.calls)
		}
		b.state("1001", store.OpDone)
	})
}

func TestNothingIsGainedBeforeAllIsLost(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.Patience = -1 })
		b.enqueue(joiner("1001", gain("a"), gain("b")))
		b.drain()
		b.before = nth(connector.VerbRevoke, 1, fail(connector.CodeBusy))
		b.enqueue(of("1001", plan.Update, lose("a"), lose("b"), gain("c")))
		b.drain()
		b.wants("create 1001", "grant u1 a", "grant u1 b", "revoke u1 b")
		time.Sleep(time.Minute)
		b.drain()
		b.wants("create 1001", "grant u1 a", "grant u1 b", "revoke u1 b", "revoke u1 a", "grant u1 c")
	})
}

func TestAPersonMissingInTheTargetIsPlannedAnew(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		b.enqueue(joiner("1001"), joiner("1002"), joiner("1003"))
		b.drain()
		clear(b.objects)
		b.enqueue(of("1001", plan.Update, change("mail", "", "a@x")), of("1002", plan.Disable), of("1003", plan.Delete))
		if s := b.drain(); s.Replanned != 1 || s.Done != 2 {
			t.Errorf("summary %v", s)
		}
		b.state("1001", store.OpSuperseded)
		b.state("1002", store.OpDone)
		b.state("1003", store.OpDone)
		for _, anchor := range []string{"1001", "1002"} {
			if a := b.ledger(anchor); !a.Absent {
				t.Errorf("the ledger believes in %+v", a)
			}
		}
	})
}

func TestACreateThatMeetsAnAccount(t *testing.T) {
	foreign := func(b *bench, anchor string) {
		b.objects["f"] = &connector.Object{Ref: connector.Ref{ID: "f"}, Attributes: connector.Attributes{{Name: "externalId", Values: texts(anchor)}, {Name: "login", Values: texts("u1001")}}}
	}
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		foreign(b, "1001")
		b.enqueue(joiner("1001", change("mail", "", "a@x")))
		b.drain()
		b.wants("update f", "enable f")
		if a := b.ledger("1001"); a.Ref.ID != "f" || a.Applied.Text("mail") != "a@x" {
			t.Errorf("ledger %+v", a)
		}
	})
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		foreign(b, "2002")
		b.before = func(op connector.Operation, _ int) *connector.Result {
			r := fail(connector.CodeAlreadyExists, func(e *connector.Error) { e.Conflicting = &connector.Ref{ID: "f"} })
			return &r
		}
		b.enqueue(joiner("1001"))
		if s := b.drain(); s.Parked["ALREADY_EXISTS"] != 1 {
			t.Errorf("summary %v", s)
		}
		b.wants()
		if r := b.state("1001", store.OpParked); r.LastError.Conflicting.ID != "f" {
			t.Errorf("helpdesk is told %v", r.LastError)
		}
		if a := b.ledger("1001"); a.Rev != 0 {
			t.Errorf("ledger %+v", a)
		}
	})
}

func TestAnAdoptionWithNothingToDoIsRecorded(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		b.objects["f"] = &connector.Object{Ref: connector.Ref{ID: "f"}}
		b.enqueue(of("1001", plan.Adopt, change("login", "jane", "jane"), func(o *plan.Operation) { o.Target = connector.Ref{ID: "f"} }))
		b.drain()
		b.wants()
		if a := b.ledger("1001"); a.Ref.ID != "f" || a.Ownership != identity.Adopted || a.Applied.Text("login") != "jane" {
			t.Errorf("ledger %+v", a)
		}
	})
}

func TestAnAtomicTargetTakesTheAccountWhole(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		b.shape.Atomic = true
		b.enqueue(joiner("1001", gain("it"), gain("vpn")))
		b.drain()
		b.wants("create 1001", "grant u1 it", "grant u1 vpn")
		if len(b.last) != 3 {
			t.Errorf("the last call had %d steps", len(b.last))
		}
		b.state("1001", store.OpDone)
	})
}

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

func TestAnInterruptionGivesBackWhatWasNotSent(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 2 })
		b.took = 10 * time.Second
		var ops []plan.Operation
		for i := range 20 {
			ops = append(ops, joiner(fmt.Sprint(1000+i), gain("it")))
		}
		b.enqueue(ops...)
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
		defer cancel()
		s, err := b.d.Drain(ctx)
		if err != nil || s.Stopped != "" {
			t.Fatalf("%v, %v", s, err)
		}
		counts, err := b.OperationCounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// 0–20 s: 1000, alone; 20–30 s: the creates of two more, whose grants are left.
		if got := fmt.Sprint(counts["crm"]); got != "map[done:1 ready:19]" {
			t.Errorf("counts %v", got)
		}
		if a := b.ledger("1001"); a.Ref.ID == "" {
			t.Error("what was done of 1001 is not in the ledger")
		}
		b.drain()
		for i := range 20 {
			if n := b.count(fmt.Sprint("create ", 1000+i)); n != 1 {
				t.Errorf("%d was created %d times", 1000+i, n)
			}
		}
	})
}

func TestRunFindsNewWorkAndEnds(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- b.d.Run(ctx) }()
		time.Sleep(10*time.Minute + 500*time.Millisecond)
		b.enqueue(joiner("1001"))
		b.d.Wake()
		synctest.Wait()
		time.Sleep(100 * time.Millisecond)
		b.wants("create 1001")
		b.enqueue(joiner("1002"))
		time.Sleep(2 * time.Second)
		b.wants("create 1001", "create 1002")
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})
}

func TestProgressIsTold(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var told []int
		b := newBench(t, func(o *Options) { o.Progress = func(s Summary) { told = append(told, s.Done) } })
		b.took = time.Second
		b.enqueue(joiner("1001"), joiner("1002"), joiner("1003"))
		b.drain()
		if len(told) < 2 || !slices.IsSorted(told) || told[len(told)-1] != 3 {
			t.Errorf("progress %v", told)
		}
	})
}

func TestALongOperationGoesOnUnderANewLease(t *testing.T) { // QUIRKS Q-6
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 1 })
		b.took = 20 * time.Second
		var grants []func(*plan.Operation)
		for i := range 40 {
			grants = append(grants, gain(fmt.Sprintf("g%02d", i)))
		}
		b.enqueue(joiner("1001", grants...), joiner("1002", grants...))
		if s := b.drain(); s.Done != 2 {
			t.Errorf("summary %v", s)
		}
		if r := b.row("1001"); r.Fence < 2 || r.Attempts != 1 {
			t.Errorf("done under lease %d in %d attempts", r.Fence, r.Attempts)
		}
		if len(b.effects) != 82 {
			t.Errorf("%d effects", len(b.effects))
		}
	})
}

func TestWhatTookEffectIsNotSentAgain(t *testing.T) { // QUIRKS Q-14
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		b.enqueue(joiner("1001"))
		b.drain()
		var sent []string
		b.before = func(op connector.Operation, n int) *connector.Result {
			for _, c := range op.(connector.Update).Changes {
				sent = append(sent, c.Name)
			}
			if n > 1 {
				return nil
			}
			r := fail(connector.CodeBusy)
			r.Outcome, r.Applied = connector.OutcomePartial, []string{"mail"}
			return &r
		}
		b.enqueue(of("1001", plan.Update, change("mail", "", "a@x"), change("phones", "", "1 2")))
		b.drain()
		if fmt.Sprint(sent) != "[mail phones phones]" {
			t.Errorf("sent %v", sent)
		}
		if a := b.ledger("1001"); a.Applied.Text("mail") != "a@x" || len(a.Applied.Get("phones")) != 2 {
			t.Errorf("ledger %+v", a)
		}
	})
}

func TestALeaverDoesNotWaitBehindABulkLoad(t *testing.T) { // QUIRKS Q-7
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.InFlight = 4 })
		b.took = 5 * time.Second
		b.enqueue(joiners(101)...)
		ended := make(chan Summary)
		go func() { ended <- b.drain() }()
		time.Sleep(time.Minute + time.Second)
		leaver := of("1001", plan.Disable)
		leaver.Lane = plan.LaneLeaver
		b.enqueue(leaver)
		at := time.Now()
		for b.count("disable u1") == 0 {
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(at); took > 2*b.took {
			t.Errorf("a leaver waited %v", took)
		}
		<-ended
	})
}

func TestATargetThatAttemptsNothingIsGivenUp(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.Patience = time.Hour })
		b.before = func(connector.Operation, int) *connector.Result {
			return &connector.Result{Outcome: connector.OutcomeCancelled}
		}
		b.enqueue(joiner("1001"))
		b.drain()
		if r := b.state("1001", store.OpParked); r.Attempts != 8 || r.MaybeApplied {
			t.Errorf("%d attempts, maybe applied %t", r.Attempts, r.MaybeApplied)
		}
	})
}
