package dispatch

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

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
