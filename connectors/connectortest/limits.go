package connectortest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// rounds is how often max_in_flight operations are sent at once: several, so that
// running all of them together shows on a busy machine, too.
const rounds = 4

func parallel(ctx context.Context, e *Env) error {
	if e.Caps.PreferredBatch > 1 || e.Caps.Atomic {
		return skip("the connector works in batches")
	}
	slow, err := e.withFault(ctx, Slow)
	if err != nil {
		return err
	}
	if slow.delay() <= 0 {
		return skip("the target does not say how long a call takes when it is slow")
	}
	t, err := e.creatable()
	if err != nil {
		return err
	}
	limit := max(1, e.Caps.MaxInFlight)
	n := rounds * limit
	var took, alone time.Duration
	for range 3 { // the machine may be busy
		one, err := slow.burst(ctx, t, 1)
		if err != nil {
			return err
		}
		if took, err = slow.burst(ctx, t, n); err != nil {
			return err
		}
		if took < rounds*slow.delay() {
			return fmt.Errorf("%d operations took %v: more than max_in_flight (%d) ran at once", n, took, limit)
		}
		if alone = time.Duration(n) * one; limit <= 2 || took <= alone/2 {
			return nil
		}
	}
	return fmt.Errorf("%d operations took %v, one by one they would take %v: they do not run in parallel (max_in_flight is %d)", n, took, alone, limit)
}

// burst sends n creates at once and returns how long all of them took.
func (e *Env) burst(ctx context.Context, t connector.ObjectType, n int) (time.Duration, error) {
	var ops []connector.Operation
	for range n {
		c, err := e.creation(ctx, t, false)
		if err != nil {
			return 0, err
		}
		ops = append(ops, c)
	}
	began := time.Now()
	results, err := e.do(ctx, ops...)
	took := time.Since(began)
	for i, r := range results {
		if err == nil {
			err = done(ops[i], r)
		}
	}
	return took, err
}

func timeLimit(ctx context.Context, e *Env) error {
	hang, err := e.withFault(ctx, Hang)
	if err != nil {
		return err
	}
	t, limited, err := e.newcomer(ctx, hang)
	if err != nil {
		return err
	}
	limited.Timeout = hangLimit
	if err := hang.unknownWithin(ctx, limited, limited.Timeout+answerGrace, connector.CodeTimeout); err != nil {
		return fmt.Errorf("time limit: %w", err)
	}
	cancelled, err := hang.creation(ctx, t, false)
	if err != nil {
		return err
	}
	time.AfterFunc(100*time.Millisecond, func() { _ = hang.stream.cancel(cancelled.ID) })
	if err := hang.unknownWithin(ctx, cancelled, 100*time.Millisecond+answerGrace, connector.CodeTimeout, connector.CodeUnavailable); err != nil {
		return fmt.Errorf("cancel: %w", err)
	}
	if hang.stream.cause() != nil && isEnded(hang.stream) {
		return fmt.Errorf("the stream ended: %w", hang.stream.cause())
	}
	_, _, err = e.create(ctx, t, false) // another instance of the same plugin
	return err
}

func isEnded(s *stream) bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// unknownWithin sends an operation to a target that hangs: the outcome must be
// told as unknown, in time.
func (e *Env) unknownWithin(ctx context.Context, op connector.Operation, limit time.Duration, codes ...connector.Code) error {
	began := time.Now()
	r, err := e.one(ctx, op)
	if err != nil {
		return err
	}
	if took := time.Since(began); took > limit {
		return fmt.Errorf("answered after %v, want at most %v", took.Round(time.Millisecond), limit)
	}
	want := []connector.Outcome{connector.OutcomeUnknown}
	if e.proxy != nil {
		// Nothing gets through, and it may know that the write had not left yet.
		want, codes = append(want, connector.OutcomeFailed), append(codes, connector.CodeUnavailable)
	}
	if !slices.Contains(want, r.Outcome) || r.Err == nil || !slices.Contains(codes, r.Err.Code) {
		return fmt.Errorf("want %s with %v, got %s", strings.Join(words(want), " or "), codes, told(r))
	}
	return nil
}
