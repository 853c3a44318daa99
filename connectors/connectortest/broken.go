package connectortest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/faultproxy"
)

// maxExchanges bounds how many exchanges of a create lose their reply in turn.
const maxExchanges = 16

// brokenBefore breaks connections before the request of a create: nobody
// listens any more; then somebody does, and hangs up at once.
func (e *Env) brokenBefore(ctx context.Context) error {
	k, err := e.proxied(ctx, "broken")
	if err != nil {
		return err
	}
	t, err := e.creatable()
	if err != nil {
		return err
	}
	for _, kind := range []faultproxy.Kind{faultproxy.Refuse, faultproxy.Reset} {
		for wait := noticed; ; wait *= 10 {
			told, err := k.breakBefore(ctx, e, t, kind, wait)
			if err != nil {
				return fmt.Errorf("%s: %w", kind, err)
			}
			if told == nil {
				break
			}
			if wait >= 100*noticed {
				return fmt.Errorf("%s: %w", kind, told)
			}
		}
	}
	return nil
}

// breakBefore breaks the connections, and sends a create when the connector had wait
// to see it. told is what is wrong with its answer, which may come from a connection
// whose end it had not seen yet.
func (e *Env) breakBefore(ctx context.Context, outside *Env, t connector.ObjectType, kind faultproxy.Kind, wait time.Duration) (told, err error) {
	if _, _, err := e.create(ctx, t, false); err != nil { // so that there is a connection to break
		return nil, err
	}
	if err := e.arm(faultproxy.Fault{Kind: kind}); err != nil {
		return nil, err
	}
	time.Sleep(wait)
	c, err := e.creation(ctx, t, false)
	if err != nil {
		return nil, err
	}
	r, err := e.one(ctx, c)
	if err != nil {
		return nil, err
	}
	// Who is hung up on cannot know whether the request was read.
	if kind != faultproxy.Reset || r.Outcome != connector.OutcomeUnknown {
		told = failed(c, r, connector.CodeUnavailable)
	}
	if err := e.heal(); err != nil {
		return nil, err
	}
	if err := outside.gone(ctx, connector.Ref{Type: t.Name, By: c.Correlate}); err != nil {
		return nil, err
	}
	return told, e.recovers(ctx, t)
}

// recovers makes sure that the instance works again. The first calls may meet a
// connection that has broken.
func (e *Env) recovers(ctx context.Context, t connector.ObjectType) error {
	var err error
	for began := time.Now(); time.Since(began) < patience; time.Sleep(noticed) {
		if _, _, err = e.create(ctx, t, false); err == nil {
			return nil
		}
	}
	return fmt.Errorf("the target is back, and the connector does not find it: %w", err)
}

// everyReplyLost loses the reply to each exchange of a create in turn. Whatever
// the connector says must be so, and sending the create again must leave one
// object.
func (e *Env) everyReplyLost(ctx context.Context) error {
	k, err := e.proxied(ctx, "lossy")
	if err != nil {
		return err
	}
	t, err := e.creatable()
	if err != nil {
		return err
	}
	inDoubt := 0
	for nth := 1; nth <= maxExchanges; nth++ {
		struck, unsure, err := k.loseReply(ctx, e, t, nth)
		if err != nil {
			return fmt.Errorf("with the reply of exchange %d lost: %w", nth, err)
		}
		if unsure {
			inDoubt++
		}
		if !struck {
			break
		}
	}
	if inDoubt == 0 {
		e.leftOut("no lost reply left a create in doubt")
	}
	return nil
}

// loseReply creates an object while one reply is lost, and looks from outside at
// what happened. unsure: it took effect, and the connector cannot tell.
func (e *Env) loseReply(ctx context.Context, outside *Env, t connector.ObjectType, nth int) (struck, unsure bool, err error) {
	c, err := e.creation(ctx, t, false)
	if err != nil {
		return false, false, err
	}
	if c.Correlate.IsZero() {
		return false, false, skip("objects of type %s cannot be found again: no correlation attribute", t.Name)
	}
	if err := e.arm(faultproxy.Fault{Kind: faultproxy.LoseReply, Nth: nth}); err != nil {
		return false, false, err
	}
	r, err := e.one(ctx, c)
	if err != nil {
		return false, false, err
	}
	struck = e.proxy.Stats().Struck > 0
	if err := e.heal(); err != nil {
		return struck, false, err
	}
	there, err := outside.isThere(ctx, t, c)
	switch {
	case err != nil:
		return struck, false, err
	case there && r.Outcome == connector.OutcomeFailed:
		return struck, false, fmt.Errorf("the create took effect and is told as %s", told(r))
	case !there && r.Outcome.Done():
		return struck, false, fmt.Errorf("the create took no effect and is told as %s", r.Outcome)
	}
	if err := outside.resend(ctx, c); err != nil {
		return struck, false, err
	}
	return struck, there && !r.Outcome.Done(), outside.justOne(ctx, t, c)
}

func (e *Env) isThere(ctx context.Context, t connector.ObjectType, c connector.Create) (bool, error) {
	_, err := e.read(ctx, connector.Ref{Type: t.Name, By: c.Correlate})
	if connector.IsCode(err, connector.CodeNotFound) {
		return false, nil
	}
	return err == nil, err
}

// listingCut cuts the connection in the middle of a listing: less than all must
// never be told as complete.
func (e *Env) listingCut(ctx context.Context, t connector.ObjectType) error {
	k, err := e.proxied(ctx, "cut")
	if err != nil {
		return err
	}
	before := k.proxy.Stats().Down
	full, _, err := k.list(ctx, connector.ListQuery{Type: t.Name})
	if err != nil {
		return err
	}
	size := k.proxy.Stats().Down - before
	for part := int64(1); part < 8; part++ {
		if err := k.arm(faultproxy.Fault{Kind: faultproxy.CutReply, After: size * part / 8}); err != nil {
			return err
		}
		all, end, err := k.list(ctx, connector.ListQuery{Type: t.Name})
		if err == nil && end.GetComplete() && len(all) < len(full) {
			return fmt.Errorf("the connection ended after %d of %d bytes, and %w", size*part/8, size, errCutComplete)
		}
		if err := k.heal(); err != nil {
			return err
		}
	}
	e.leftOut("a limit of the target: it gives no config with the fault %s", Truncated)
	return nil
}

var errCutComplete = errors.New("a listing that was cut short is told as complete: whoever is missing in it would be taken as deleted")
