package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/provhub/provhub/connectors/connector"
)

func TestWhatAConnectorReturnsBecomesTheAnswer(t *testing.T) {
	ref := connector.Ref{ID: "7"}
	for _, tt := range []struct {
		name    string
		op      connector.Operation
		err     error
		outcome connector.Outcome
		code    connector.Code
	}{
		{"nothing", update("1"), nil, connector.OutcomeApplied, 0},
		{"unchanged", update("1"), connector.Unchanged, connector.OutcomeUnchanged, 0},
		{"a coded error", update("1"), connector.Errorf(connector.CodeInvalidValue, "no"), connector.OutcomeFailed, connector.CodeInvalidValue},
		{"a wrapped coded error", update("1"), fmt.Errorf("update: %w", connector.Errorf(connector.CodeBusy, "no")), connector.OutcomeFailed, connector.CodeBusy},
		{"an error without a code", update("1"), io.ErrUnexpectedEOF, connector.OutcomeUnknown, connector.CodeInternal},
		{"a lost answer", update("1"), os.ErrDeadlineExceeded, connector.OutcomeUnknown, connector.CodeTimeout},
		{"partial", update("1"), connector.Partial(connector.Errorf(connector.CodePolicy, "no"), "mail"), connector.OutcomePartial, connector.CodePolicy},
		{"deleting what is gone", connector.Delete{Call: connector.Call{ID: "1"}, Target: ref}, connector.Errorf(connector.CodeNotFound, "no"), connector.OutcomeUnchanged, 0},
		{"updating what is gone", update("1"), connector.Errorf(connector.CodeNotFound, "no"), connector.OutcomeFailed, connector.CodeNotFound},
		{"not knowing whether a delete worked", connector.Delete{Call: connector.Call{ID: "1"}}, connector.Unknown(connector.Errorf(connector.CodeNotFound, "?")), connector.OutcomeUnknown, connector.CodeNotFound},
		{"a verb it does not have", connector.Rename{Call: connector.Call{ID: "1"}}, nil, connector.OutcomeFailed, connector.CodeUnsupported},
		{"polling without a poller", connector.Poll{Call: connector.Call{ID: "1"}}, nil, connector.OutcomeFailed, connector.CodeUnsupported},
		{"a dry run it cannot do", update("1", dry), nil, connector.OutcomeFailed, connector.CodeUnsupported},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, lab{func(context.Context, connector.Operation) error { return tt.err }}, 4, 0)
				r.send(tt.op)
				synctest.Wait()
				r.want("1", tt.outcome, tt.code)
			})
		})
	}
}

func TestACreateTellsTheIDAndFailsTheContractWithoutOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, lab{done}, 4, 0)
		r.send(connector.Create{Call: connector.Call{ID: "1"}, Type: "user", Correlate: connector.Correlation{Attribute: "userName", Value: "ann"}})
		synctest.Wait()
		got := r.want("1", connector.OutcomeApplied, 0)
		if want := (connector.Ref{Type: "user", ID: "id-of-ann"}); got.Object == nil || got.Object.Ref != want {
			t.Errorf("got %+v; want %+v", got.Object, want)
		}

		r = newRig(t, forgetful{}, 4, 0)
		r.send(connector.Create{Call: connector.Call{ID: "1"}, Type: "user"})
		synctest.Wait()
		r.want("1", connector.OutcomeUnknown, connector.CodeInternal)
	})
}

// forgetful makes objects and does not say which.
type forgetful struct{ bare }

func (forgetful) Create(context.Context, connector.Create) (connector.Ref, error) {
	return connector.Ref{}, nil
}

func TestADryRunSaysWhatItWouldDoAndDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, renamer{lab{func(context.Context, connector.Operation) error { t.Error("it did it"); return nil }}}, 4, 0)
		r.send(update("1", dry))
		synctest.Wait()
		if got := r.want("1", connector.OutcomeWouldApply, 0); got.Preview != "would update" {
			t.Errorf("got %q", got.Preview)
		}
	})
}

func TestOperationsOfOneAccountGoInOrderOthersInParallelUpToTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		var order journal
		r := newRig(t, lab{func(_ context.Context, op connector.Operation) error {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			time.Sleep(time.Second)
			if op.Meta().OrderingKey == "ann" {
				order.add("%s", op.Meta().ID)
			}
			return nil
		}}, 3, 0)
		for i := range 4 {
			r.send(update(fmt.Sprintf("ann-%d", i), key("ann")))
		}
		for i := range 8 {
			r.send(update(fmt.Sprintf("other-%d", i)))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(r.collect()); n != 12 {
			t.Errorf("%d of 12 answered", n)
		}
		if d := cmp.Diff([]string{"ann-0", "ann-1", "ann-2", "ann-3"}, order.all()); d != "" {
			t.Errorf("order (-want +got):\n%s", d)
		}
		if most.Load() != 3 {
			t.Errorf("%d calls at once; want 3", most.Load())
		}
	})
}

func TestAConnectorThatIgnoresItsDeadlineIsAnsweredFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		r := newRig(t, lab{func(_ context.Context, op connector.Operation) error {
			if op.Meta().ID == "hangs" {
				<-release
			}
			return nil
		}}, 2, 0)
		r.send(update("hangs", key("ann"), within(2*time.Second)), update("behind", key("ann")), update("other"))
		time.Sleep(3 * time.Second) // the limit and a second
		synctest.Wait()
		r.want("hangs", connector.OutcomeUnknown, connector.CodeTimeout)
		// It may still write: nothing else may touch the account.
		r.want("behind", connector.OutcomeCancelled, connector.CodeBusy)
		r.want("other", connector.OutcomeApplied, 0)
		r.send(update("late", key("ann")))
		synctest.Wait()
		r.want("late", connector.OutcomeCancelled, connector.CodeBusy)

		close(release)
		synctest.Wait()
		r.send(update("after", key("ann")))
		synctest.Wait()
		r.want("after", connector.OutcomeApplied, 0)
		r.want("hangs", connector.OutcomeUnknown, connector.CodeTimeout) // and no second answer
	})
}

func TestATargetThatHangsDoesNotPileUpCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var calls atomic.Int32
		r := newRig(t, lab{func(context.Context, connector.Operation) error {
			calls.Add(1)
			<-release
			return nil
		}}, 2, 0)
		r.send(update("1"), update("2"), update("3"), update("4"))
		time.Sleep(defaultTimeout + time.Second)
		synctest.Wait()
		r.want("1", connector.OutcomeUnknown, connector.CodeTimeout)
		r.want("2", connector.OutcomeUnknown, connector.CodeTimeout)
		got := r.want("3", connector.OutcomeCancelled, connector.CodeUnavailable)
		if got.Err.Scope != connector.ScopeInstance {
			t.Errorf("scope %q; the whole target hangs", got.Err.Scope)
		}
		r.send(update("5"))
		synctest.Wait()
		r.want("5", connector.OutcomeCancelled, connector.CodeUnavailable)
		if calls.Load() != 2 {
			t.Errorf("%d calls; want 2", calls.Load())
		}
		close(release)
		synctest.Wait()
		r.send(update("6"))
		synctest.Wait()
		r.want("6", connector.OutcomeApplied, 0)
	})
}

func TestATimeoutHiddenByALibraryIsStillATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, lab{func(ctx context.Context, _ connector.Operation) error {
			<-ctx.Done()
			return errors.New("acme: request failed")
		}}, 2, 0)
		r.send(update("1", within(time.Second)))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		r.want("1", connector.OutcomeUnknown, connector.CodeTimeout)
	})
}

func TestAPanicIsOneOperationThatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, lab{func(_ context.Context, op connector.Operation) error {
			if op.Meta().ID == "1" {
				panic("index out of range, canary-token")
			}
			return nil
		}}, 2, 0)
		r.send(update("1"), update("2"))
		synctest.Wait()
		got := r.want("1", connector.OutcomeUnknown, connector.CodeInternal)
		if !strings.Contains(got.Err.Message, "panicked") {
			t.Errorf("got %q", got.Err.Message)
		}
		r.want("2", connector.OutcomeApplied, 0)
		lines := logLines(t, r.log.String())
		if len(lines) != 1 || lines[0]["@level"] != "error" || lines[0]["operation_id"] != "1" || !strings.Contains(fmt.Sprint(lines[0]["stack"]), "engine_test.go") {
			t.Errorf("log: %v", lines)
		}
		if strings.Contains(r.log.String(), "canary") {
			t.Errorf("the secret is in the log: %s", r.log)
		}
	})
}

func TestSecretsNeverReachAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, lab{func(_ context.Context, op connector.Operation) error {
			o := op.(connector.SetCredential)
			return &connector.Error{Code: connector.CodePolicy, Message: "refused " + o.Credential.Reveal(), Detail: "token=canary-token", NativeCode: o.Credential.Reveal()}
		}}, 2, 0)
		r.send(connector.SetCredential{Call: connector.Call{ID: "1"}, Credential: connector.NewSecret("canary-password")})
		synctest.Wait()
		got := r.want("1", connector.OutcomeFailed, connector.CodePolicy)
		if s := fmt.Sprintf("%+v", got.Err); strings.Contains(s, "canary") {
			t.Errorf("got %s", s)
		}
	})
}

func TestCancelTakesBackWhatWaitsAndStopsWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		r := newRig(t, lab{func(ctx context.Context, op connector.Operation) error {
			calls.Add(1)
			<-ctx.Done()
			return ctx.Err()
		}}, 1, 0)
		r.send(update("runs"), update("waits"), update("stubborn"))
		synctest.Wait()
		r.in.engine.cancel(r.out, "waits")
		r.in.engine.cancel(r.out, "never heard of")
		r.want("waits", connector.OutcomeCancelled, connector.CodeUnavailable)
		r.in.engine.cancel(r.out, "runs")
		synctest.Wait()
		r.want("runs", connector.OutcomeUnknown, connector.CodeUnavailable)
		if calls.Load() != 2 {
			t.Errorf("%d calls; want those for runs and stubborn", calls.Load())
		}
		r.in.engine.cancel(r.out, "stubborn")
		synctest.Wait()
		r.want("stubborn", connector.OutcomeUnknown, connector.CodeUnavailable)
	})
}

func TestACancelledCallThatDoesNotComeBackIsAnsweredFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer func() { close(release); synctest.Wait() }()
		r := newRig(t, lab{func(context.Context, connector.Operation) error { <-release; return nil }}, 1, 0)
		r.send(update("1"))
		synctest.Wait()
		r.in.engine.cancel(r.out, "1")
		time.Sleep(time.Second)
		synctest.Wait()
		r.want("1", connector.OutcomeUnknown, connector.CodeUnavailable)
	})
}

func TestTheSameOperationSentTwiceIsDoneOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		r := newRig(t, lab{func(context.Context, connector.Operation) error {
			calls.Add(1)
			time.Sleep(time.Second)
			return nil
		}}, 2, 0)
		r.send(update("1"), update("1"))
		time.Sleep(time.Minute)
		synctest.Wait()
		r.want("1", connector.OutcomeApplied, 0)
		if calls.Load() != 1 {
			t.Errorf("%d calls", calls.Load())
		}
		r.send(update("1")) // a retry, after the answer
		time.Sleep(time.Minute)
		synctest.Wait()
		if r.collect(); r.n["1"] != 2 || calls.Load() != 2 {
			t.Errorf("%d answers, %d calls after a retry", r.n["1"], calls.Load())
		}
	})
}

func TestABrokenStreamLeavesNobodyRunningButTheCallsItStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen journal
		release := make(chan struct{})
		r := newRig(t, lab{func(ctx context.Context, op connector.Operation) error {
			seen.add("%s", op.Meta().ID)
			if op.Meta().ID == "1" {
				<-ctx.Done()
				<-release // the target is slow to let go
			}
			return nil
		}}, 1, 0)
		r.send(update("1", key("ann")), update("2", key("ann")), update("3"))
		synctest.Wait()
		r.in.engine.leave(r.out)

		again := *r
		again.out = newOutbox()
		again.send(update("1b", key("ann")))
		synctest.Wait()
		again.wantOpen("1b") // the old call still holds the account
		close(release)
		synctest.Wait()
		again.want("1b", connector.OutcomeApplied, 0)
		if d := cmp.Diff([]string{"1", "1b"}, seen.all()); d != "" {
			t.Errorf("calls (-want +got):\n%s", d)
		}
		if results, _, _ := r.out.take(); len(results) != 0 {
			t.Errorf("answers on the broken stream: %v", results)
		}
	})
}

func TestAFullQueueStopsReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		r := newRig(t, lab{func(context.Context, connector.Operation) error { <-release; return nil }}, 1, 0)
		sent := make(chan struct{})
		go func() {
			for i := range maxWaiting + 10 {
				r.send(update(fmt.Sprint(i), within(time.Hour)))
			}
			close(sent)
		}()
		synctest.Wait()
		select {
		case <-sent:
			t.Error("everything was taken in")
		default:
		}
		close(release)
		synctest.Wait()
		<-sent
		synctest.Wait()
		if n := len(r.collect()); n != maxWaiting+10 {
			t.Errorf("%d answered", n)
		}
	})
}

func TestARateLimitOfTheHubIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, lab{done}, 8, 0)
		r.in.engine.configure(connector.Capabilities{MaxInFlight: 8}, limits{perSecond: 10})
		for i := range 20 {
			r.send(update(fmt.Sprint(i)))
		}
		time.Sleep(950 * time.Millisecond)
		synctest.Wait()
		if n := len(r.collect()); n != 10 {
			t.Errorf("%d in the first second; want 10", n)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := len(r.collect()); n != 20 {
			t.Errorf("%d in two seconds; want 20", n)
		}
	})
}

func TestAThrottledInstanceTellsTheHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, lab{func(context.Context, connector.Operation) error {
			return &connector.Error{Code: connector.CodeRateLimited, Scope: connector.ScopeInstance, RetryAfter: 7 * time.Second, Message: "slow down"}
		}}, 1, 0)
		r.send(update("1"))
		synctest.Wait()
		if _, throttle, _ := r.out.take(); throttle.GetRetryAfter().AsDuration() != 7*time.Second {
			t.Errorf("got %v", throttle)
		}
	})
}
