package connectortest

import (
	"context"
	"fmt"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

var faultChecks = []Check{
	{ID: "G1", Title: "a connection that breaks before the request is UNAVAILABLE, and made anew", Func: resetBefore},
	{ID: "G2", Title: "a reply that was lost never makes a second object", Func: lostReply},
	{ID: "G3", Title: "a plugin killed in the middle of a batch leaves no duplicates", Process: true, Own: true, Func: killed, Limit: 3 * time.Minute},
	{ID: "G4", Title: "a target that is busy is told as such, and not waited for", Func: refused},
	{ID: "G5", Title: "a target that never answers does not make the plugin hang", Func: neverAnswers},
	{ID: "G6", Title: "ten thousand operations wait in bounded memory", Own: true, Func: boundedMemory, Limit: 3 * time.Minute},
}

func resetBefore(ctx context.Context, e *Env) error {
	broken, err := e.withFault(ctx, Reset)
	if err != nil {
		return err
	}
	t, err := e.creatable()
	if err != nil {
		return err
	}
	c, err := broken.creation(ctx, t, false)
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

func lostReply(ctx context.Context, e *Env) error {
	lossy, err := e.withFault(ctx, LostReply)
	if err != nil {
		return err
	}
	t, err := e.creatable()
	if err != nil {
		return err
	}
	c, err := lossy.creation(ctx, t, false)
	if err != nil {
		return err
	}
	r, err := lossy.one(ctx, c)
	if err != nil {
		return err
	}
	if err := outcome(c, r, connector.OutcomeUnknown); err != nil {
		return fmt.Errorf("with the reply lost: %w", err)
	}
	if _, err := e.read(ctx, connector.Ref{Type: t.Name, By: c.Correlate}); err != nil {
		return fmt.Errorf("the fault %s is meant to let the create take effect: %w", LostReply, err)
	}
	if err := e.resend(ctx, c); err != nil {
		return err
	}
	return e.justOne(ctx, t, c)
}

// resend sends a create again that may have taken effect.
func (e *Env) resend(ctx context.Context, c connector.Create) error {
	c.MaybeApplied = true
	c.Attempt++
	r, err := e.one(ctx, c)
	if err != nil {
		return err
	}
	if err := outcome(c, r, connector.OutcomeAdopted, connector.OutcomeUnchanged, connector.OutcomeApplied); err != nil {
		return fmt.Errorf("sent again with maybe_applied: %w", err)
	}
	if r.Object == nil || r.Object.Ref.ID == "" {
		return fmt.Errorf("sent again with maybe_applied: the result has no id")
	}
	return nil
}

func (e *Env) justOne(ctx context.Context, t connector.ObjectType, c connector.Create) error {
	if c.Correlate.IsZero() {
		return nil
	}
	n, err := e.count(ctx, t.Name, c.Correlate)
	if err == nil && n != 1 {
		err = fmt.Errorf("there are %d objects with %s %q, want one", n, c.Correlate.Attribute, c.Correlate.Value)
	}
	return err
}

func killed(ctx context.Context, e *Env) error {
	if !e.Target.Durable {
		return skip("the objects do not outlive the plugin's process")
	}
	t, err := e.creatable()
	if err != nil {
		return err
	}
	var creates []connector.Create
	var ops []connector.Operation
	for range e.scaled(300) {
		c, err := e.creation(ctx, t, false)
		if err != nil {
			return err
		}
		if c.Correlate.IsZero() {
			return skip("objects of type %s cannot be found again: no correlation attribute", t.Name)
		}
		creates, ops = append(creates, c), append(ops, c)
	}
	worker := e
	if e.Target.Faults[Slow] != nil {
		if worker, err = e.withFault(ctx, Slow); err != nil {
			return err
		}
	}
	s, err := worker.apply(ctx)
	if err != nil {
		return err
	}
	if err := s.send(ops...); err != nil {
		return err
	}
	if _, err := s.wait(ctx, ops[len(ops)/4].Meta().ID); err != nil {
		return err
	}
	if err := e.restart(ctx); err != nil {
		return err
	}
	<-s.ended
	unanswered := 0
	for _, c := range creates {
		if len(s.answered([]string{c.ID})) > 0 {
			continue
		}
		unanswered++
		if err := e.resend(ctx, c); err != nil {
			return err
		}
	}
	if unanswered == 0 {
		return skip("the plugin answered everything before it was killed; give a config with the fault %s", Slow)
	}
	return e.allOnce(ctx, t, creates)
}

// allOnce checks that each create made exactly one object.
func (e *Env) allOnce(ctx context.Context, t connector.ObjectType, creates []connector.Create) error {
	for _, c := range creates {
		obj, err := e.read(ctx, connector.Ref{Type: t.Name, By: c.Correlate})
		if err != nil {
			return fmt.Errorf("%s: %w", c.Correlate.Value, err)
		}
		e.made = append(e.made, connector.Ref{Type: t.Name, ID: obj.Ref.ID})
	}
	if !e.Caps.List {
		return nil
	}
	all, _, err := e.list(ctx, connector.ListQuery{Type: t.Name})
	if err != nil {
		return err
	}
	a, _ := t.Attr(creates[0].Correlate.Attribute)
	for _, c := range creates {
		n := 0
		for _, o := range all {
			if same(a, connector.Values{c.Correlate.Value}, o.Attributes.Get(a.Name)) {
				n++
			}
		}
		if n != 1 {
			return fmt.Errorf("%d objects with %s %q, want one", n, a.Name, c.Correlate.Value)
		}
	}
	return nil
}

func refused(ctx context.Context, e *Env) error {
	tried := 0
	for _, f := range []struct {
		fault Fault
		codes []connector.Code
	}{
		{RateLimited, []connector.Code{connector.CodeRateLimited}},
		{Busy, []connector.Code{connector.CodeBusy, connector.CodeUnavailable}},
	} {
		if e.Target.Faults[f.fault] == nil {
			continue
		}
		tried++
		if err := e.refusedBy(ctx, f.fault, f.codes); err != nil {
			return fmt.Errorf("%s: %w", f.fault, err)
		}
	}
	if tried == 0 {
		return skip("the target gives no config with the faults %s or %s", RateLimited, Busy)
	}
	return nil
}

func (e *Env) refusedBy(ctx context.Context, fault Fault, codes []connector.Code) error {
	k, err := e.withFault(ctx, fault)
	if err != nil {
		return err
	}
	t, err := e.creatable()
	if err != nil {
		return err
	}
	c, err := k.creation(ctx, t, false)
	if err != nil {
		return err
	}
	began := time.Now()
	r, err := k.one(ctx, c)
	if err != nil {
		return err
	}
	if err := failed(c, r, codes...); err != nil {
		return err
	}
	if took := time.Since(began); took > answerGrace {
		return fmt.Errorf("answered after %v: the plugin waits and tries again, which is the hub's task", took.Round(time.Millisecond))
	}
	if fault == RateLimited && r.Err.RetryAfter <= 0 {
		return fmt.Errorf("the answer does not say when to come back")
	}
	return e.gone(ctx, connector.Ref{Type: t.Name, By: c.Correlate})
}

// hangLimit is the time limit of operations that will not be answered.
const hangLimit = 250 * time.Millisecond

func neverAnswers(ctx context.Context, e *Env) error {
	hang, err := e.withFault(ctx, Hang)
	if err != nil {
		return err
	}
	t, err := e.creatable()
	if err != nil {
		return err
	}
	var ops []connector.Operation
	for range 2 * max(1, e.Caps.MaxInFlight) {
		c, err := hang.creation(ctx, t, false)
		if err != nil {
			return err
		}
		c.Timeout = hangLimit
		ops = append(ops, c)
	}
	s, err := hang.apply(ctx)
	if err != nil {
		return err
	}
	if err := s.send(ops...); err != nil {
		return err
	}
	time.Sleep(hangLimit / 4) // until all of them hang
	if err := e.healthy(ctx); err != nil {
		return err
	}
	for _, op := range ops {
		// In rounds of max_in_flight, each within the limit and its grace.
		limited, cancel := context.WithTimeout(ctx, 2*(hangLimit+answerGrace)+answerGrace)
		r, err := s.wait(limited, op.Meta().ID)
		cancel()
		if err != nil {
			return err
		}
		if r.Outcome.Done() {
			return fmt.Errorf("a create that the target never answered is told as %s", r.Outcome)
		}
	}
	return e.healthy(ctx)
}

// healthLimit is how long the plugin may take to answer Health.
const healthLimit = 100 * time.Millisecond

// healthy asks after the plugin's health, which it must know by heart. The
// best of three counts: the machine may be busy.
func (e *Env) healthy(ctx context.Context) error {
	var took time.Duration
	for range 3 {
		began := time.Now()
		if _, err := e.run.rpc().Health(ctx, &pluginv1.HealthRequest{}); err != nil {
			return fmt.Errorf("Health: %w", err)
		}
		if took = time.Since(began); took < healthLimit {
			return nil
		}
	}
	return fmt.Errorf("Health took %v, want less than %v", took.Round(time.Millisecond), healthLimit)
}

// memoryLimit is what waiting operations may cost.
const memoryLimit = 64 << 20

func boundedMemory(ctx context.Context, e *Env) error {
	slow, err := e.withFault(ctx, Slow)
	if err != nil {
		return err
	}
	t, err := e.creatable()
	if err != nil {
		return err
	}
	s, err := slow.apply(ctx)
	if err != nil {
		return err
	}
	before, err := e.heap(ctx)
	if err != nil {
		return err
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for range e.scaled(10_000) {
			c, err := slow.creation(ctx, t, false)
			if err != nil || s.send(c) != nil { // the stream is closed below
				return
			}
		}
	}()
	deadline := time.After(5 * time.Second)
	for waiting := true; waiting; {
		select {
		case <-sent:
			waiting = false
		case <-deadline: // the plugin pushes back, which is well
			waiting = false
		case <-time.After(100 * time.Millisecond):
		}
		now, err := e.heap(ctx)
		if err != nil {
			return err
		}
		if now-before > memoryLimit {
			return fmt.Errorf("the plugin's heap grew by %d MiB while operations wait, want at most %d", (now-before)>>20, memoryLimit>>20)
		}
	}
	s.close()
	<-sent
	return nil
}

func (e *Env) heap(ctx context.Context) (int64, error) {
	h, err := e.run.rpc().Health(ctx, &pluginv1.HealthRequest{})
	if err != nil {
		return 0, fmt.Errorf("Health: %w", err)
	}
	return h.GetHeapBytes(), nil
}
