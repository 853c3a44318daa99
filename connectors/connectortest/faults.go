package connectortest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

var faultChecks = []Check{
	{ID: "G1", Title: "a connection that breaks before the request is UNAVAILABLE, and made anew", Func: resetBefore},
	{ID: "G2", Title: "a reply that was lost never makes a second object", Func: lostReply},
	{ID: "G3", Title: "a plugin killed in the middle of a batch leaves no duplicates", Process: true, Own: true, Func: killed, Limit: heavyLimit},
	{ID: "G4", Title: "a target that is busy is told as such, and not waited for", Func: refused},
	{ID: "G5", Title: "a target that never answers does not make the plugin hang", Func: neverAnswers},
	{ID: "G6", Title: "ten thousand operations wait in bounded memory", Own: true, Func: boundedMemory, Limit: heavyLimit},
}

func resetBefore(ctx context.Context, e *Env) error {
	if e.Target.Faults[Reset] == nil {
		return e.brokenBefore(ctx)
	}
	broken, err := e.withFault(ctx, Reset)
	if err != nil {
		return err
	}
	t, c, err := e.newcomer(ctx, broken)
	if err != nil {
		return err
	}
	r, err := broken.one(ctx, c)
	if err != nil {
		return err
	}
	if err := failed(c, r, connector.CodeUnavailable); err != nil {
		return err
	}
	if err := e.gone(ctx, connector.Ref{Type: t.Name, By: c.Correlate}); err != nil {
		return err
	}
	_, _, err = broken.create(ctx, t, false)
	return err
}

func refused(ctx context.Context, e *Env) error {
	var skips []error
	for _, f := range []struct {
		fault Fault
		codes []connector.Code
	}{
		{RateLimited, []connector.Code{connector.CodeRateLimited}},
		{Busy, []connector.Code{connector.CodeBusy, connector.CodeUnavailable}},
	} {
		err := e.refusedBy(ctx, f.fault, f.codes)
		if reason, ok := skipReason(err); ok {
			skips = append(skips, err)
			e.leftOut("%s", reason)
		} else if err != nil {
			return fmt.Errorf("%s: %w", f.fault, err)
		}
	}
	if len(skips) == 2 {
		return skips[0]
	}
	return nil
}

func (e *Env) refusedBy(ctx context.Context, fault Fault, codes []connector.Code) error {
	k, err := e.withFault(ctx, fault)
	if err != nil {
		return err
	}
	took, err := fastest(5, refusalLimit, func() error {
		t, c, err := e.newcomer(ctx, k)
		if err != nil {
			return err
		}
		r, err := k.one(ctx, c)
		if err != nil {
			return err
		}
		if err := failed(c, r, codes...); err != nil {
			return err
		}
		if fault == RateLimited && r.Err.RetryAfter <= 0 {
			return errors.New("the answer does not say when to come back")
		}
		return e.gone(ctx, connector.Ref{Type: t.Name, By: c.Correlate})
	})
	if err == nil && took > refusalLimit {
		err = fmt.Errorf("answered after %v: the plugin waits and tries again, which is the hub's task", took.Round(time.Millisecond))
	}
	return err
}

// refusalLimit is how long it may take to be told that the target is busy, and to
// see that nothing was done.
const refusalLimit = 2 * time.Second
