package connectortest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// rounds is how often max_in_flight operations are sent at once: several, so that
// running all of them together shows on a busy machine, too.
const rounds = 4

// bursts is how often that is done at most: the machine may be busy. Two that ran in
// parallel are enough.
const bursts = 5

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
	alone := time.Duration(n) * slow.delay() // one by one, on the fastest machine
	fast, seen := time.Hour, 0
	for range bursts {
		took, err := slow.burst(ctx, t, n)
		if err != nil {
			return err
		}
		if took < rounds*slow.delay() {
			return fmt.Errorf("%d operations took %v: more than max_in_flight (%d) ran at once", n, took, limit)
		}
		fast = min(fast, took)
		if limit > 2 && took >= alone {
			continue
		}
		if seen++; seen == 2 {
			return nil
		}
	}
	if seen > 0 {
		return nil
	}
	usual := time.Duration(0) // at worst: it may not be as busy all the time
	for range bursts {
		took, err := e.burst(ctx, t, n)
		if err != nil {
			return err
		}
		usual = max(usual, took)
	}
	if usual > alone/2 {
		e.leftOut("whether operations run in parallel: this machine needs %v for %d of them on a target that is not slow", usual.Round(time.Millisecond), n)
		return nil
	}
	return fmt.Errorf("%d operations took %v, one by one they would take %v: they do not run in parallel (max_in_flight is %d)", n, fast, alone, limit)
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
	t, err := e.creatable()
	if err != nil {
		return err
	}
	for _, limit := range []time.Duration{hangLimit, slowHang} {
		c, err := hang.creation(ctx, t, false)
		if err != nil {
			return err
		}
		c.Timeout = limit
		began := time.Now()
		r, err := hang.one(ctx, c)
		if err == nil && limit < slowHang && notBegun(r) {
			continue
		}
		if err == nil {
			err = errors.Join(inTime(time.Since(began), limit), hang.unknown(r, connector.CodeTimeout))
		}
		if err != nil {
			return fmt.Errorf("time limit: %w", err)
		}
		break
	}
	if err := hang.cancelled(ctx, t); err != nil {
		return fmt.Errorf("cancel: %w", err)
	}
	if hang.stream.cause() != nil && isEnded(hang.stream) {
		return fmt.Errorf("the stream ended: %w", hang.stream.cause())
	}
	_, _, err = e.create(ctx, t, false) // another instance of the same plugin
	return err
}

// notBegun reports whether an operation was over before anything was sent to the target:
// on a busy machine there is little time for that.
func notBegun(r connector.Result) bool {
	return r.Outcome == connector.OutcomeCancelled || r.Outcome == connector.OutcomeFailed && r.Err != nil && r.Err.Code == connector.CodeTimeout
}

func isEnded(s *stream) bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// cancelled cancels an operation that hangs.
func (e *Env) cancelled(ctx context.Context, t connector.ObjectType) error {
	for wait := hangLimit / 4; ; wait *= 8 {
		c, err := e.creation(ctx, t, false)
		if err != nil {
			return err
		}
		c.Timeout = 2 * patience
		s, err := e.apply(ctx)
		if err == nil {
			err = s.send(c)
		}
		if err != nil {
			return err
		}
		time.Sleep(wait) // until it hangs
		began := time.Now()
		if err := s.cancel(c.ID); err != nil {
			return err
		}
		r, err := s.wait(ctx, c.ID)
		if err != nil {
			return err
		}
		if err := inTime(time.Since(began), 0); err != nil {
			return err
		}
		if notBegun(r) && wait < slowHang {
			continue
		}
		return e.unknown(r, connector.CodeTimeout, connector.CodeUnavailable)
	}
}

// unknown checks the answer to an operation whose target hangs: the outcome must
// be told as unknown.
func (e *Env) unknown(r connector.Result, codes ...connector.Code) error {
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
