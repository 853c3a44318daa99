package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

var hygieneChecks = []Check{
	{ID: "I1", Title: "no secret appears in logs, errors, previews, files, arguments or environment", Bare: true, Own: true, Func: canaries},
	{ID: "I2", Title: "log lines can be read by machines, and a panic is caught", Own: true, Func: logLines},
	{ID: "I3", Title: "after ten thousand operations nothing is left over", Own: true, Func: nothingLeft, Limit: heavyLimit},
	{ID: "I4", Title: "while it drains it takes nothing new and answers the rest", Own: true, Func: drains},
}

func logLines(ctx context.Context, e *Env) error {
	t, err := e.creatable()
	if err != nil {
		return err
	}
	if _, _, err := e.create(ctx, t, false); err != nil {
		return err
	}
	panicked := ""
	if e.Target.Faults[Panics] != nil {
		if panicked, err = e.provokePanic(ctx, t); err != nil {
			return err
		}
	}
	for began := time.Now(); !strings.Contains(e.run.log(), panicked) && time.Since(began) < patience; {
		time.Sleep(onItsWay)
	}
	time.Sleep(onItsWay)
	lines, found := 0, false
	for line := range strings.Lines(e.run.log()) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		lines++
		var fields map[string]any
		if json.Unmarshal([]byte(line), &fields) != nil {
			return fmt.Errorf("a log line is no JSON: %s", clip(line, 120))
		}
		if fields["@level"] == nil && fields["level"] == nil {
			return fmt.Errorf("a log line has no level: %s", clip(line, 120))
		}
		found = found || panicked != "" && fields["operation_id"] == panicked
	}
	switch {
	case panicked != "" && !found:
		return fmt.Errorf("no log line tells of the panic in operation %s", panicked)
	case lines == 0:
		return skip("the connector logged nothing")
	}
	return nil
}

// provokePanic returns the id of an operation in which the connector panicked.
func (e *Env) provokePanic(ctx context.Context, t connector.ObjectType) (string, error) {
	k, err := e.withFault(ctx, Panics)
	if err != nil {
		return "", err
	}
	c, err := k.creation(ctx, t, false)
	if err != nil {
		return "", err
	}
	r, err := k.one(ctx, c)
	if err != nil {
		return "", fmt.Errorf("a panic in one operation: %w", err)
	}
	if r.Outcome.Done() || r.Err == nil || r.Err.Class() != connector.ClassDefect {
		return "", fmt.Errorf("an operation in which the connector panicked: want a defect, got %s", told(r))
	}
	if _, _, err := e.create(ctx, t, false); err != nil {
		return "", fmt.Errorf("after a panic in another operation: %w", err)
	}
	return c.ID, nil
}

func drains(ctx context.Context, e *Env) error {
	t, err := e.creatable()
	if err != nil {
		return err
	}
	worker := e
	if e.Target.Delay <= 200*time.Millisecond {
		if worker, err = e.slowed(ctx); err != nil {
			return err
		}
	}
	ops, err := worker.creations(ctx, t, 2*max(4, e.Caps.MaxInFlight))
	if err != nil {
		return err
	}
	late, err := worker.creation(ctx, t, false)
	if err != nil {
		return err
	}
	s, err := worker.apply(ctx)
	if err != nil {
		return err
	}
	if err := s.send(ops...); err != nil {
		return err
	}
	if err := e.takenIn(ctx, s, ops); err != nil {
		return err
	}
	drained := make(chan error, 1)
	go func() {
		_, err := e.run.rpc().Drain(ctx, &pluginv1.DrainRequest{Grace: durationpb.New(time.Minute)})
		drained <- err
	}()
	if err := e.notServing(ctx); err != nil {
		return err
	}
	if len(s.answered(ids(ops))) == len(ops) {
		e.leftOut("Health in the middle of a drain: the machine is so busy that the drain was over before")
	}
	if err := errors.Join(e.lateIsRefused(ctx, s, late), <-drained); err != nil {
		return err
	}
	if err := worker.allDone(ctx, s, ops); err != nil {
		return fmt.Errorf("accepted before the drain: %w", err)
	}
	return e.restart(ctx) // to remove what was made
}

// takenIn waits until the plugin has accepted ops, which are all that it has to do:
// what is still on its way when the drain begins may be refused.
func (e *Env) takenIn(ctx context.Context, s *stream, ops []connector.Operation) error {
	for ctx.Err() == nil {
		answered := len(s.answered(ids(ops))) // first: what is answered is not under way any more
		h, err := e.run.rpc().Health(ctx, &pluginv1.HealthRequest{})
		if err != nil {
			return fmt.Errorf("Health: %w", err)
		}
		if answered == len(ops) || answered > 0 && answered+int(h.GetInFlight()) >= len(ops) {
			return nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	return ctx.Err()
}

// notServing waits until the plugin says that it drains.
func (e *Env) notServing(ctx context.Context) error {
	for began := time.Now(); time.Since(began) < patience; time.Sleep(10 * time.Millisecond) {
		h, err := e.run.rpc().Health(ctx, &pluginv1.HealthRequest{})
		if err != nil {
			return fmt.Errorf("Health while draining: %w", err)
		}
		if !h.GetServing() {
			return nil
		}
	}
	return fmt.Errorf("Health says that it serves, %v after Drain", patience)
}

func (e *Env) lateIsRefused(ctx context.Context, s *stream, late connector.Create) error {
	if err := s.send(late); err != nil {
		return nil // it does not even listen
	}
	r, err := s.wait(ctx, late.ID)
	if err != nil {
		return err
	}
	if r.Outcome != connector.OutcomeCancelled && r.Outcome != connector.OutcomeFailed {
		return fmt.Errorf("an operation that came while it drains: want cancelled or failed, got %s", told(r))
	}
	return nil
}
