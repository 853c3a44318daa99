package pluginhost

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// supervise keeps the instance running until it is told to stop.
func (in *Instance) supervise(l *live) {
	defer close(in.done)
	defer in.cancel()
	waits := in.newBackoff()
	for l != nil {
		switch e := in.watch(l); e.kind {
		case stopAsked:
			in.enter(StateDraining)
			in.shutDown(l, e.grace)
			in.enter(StateStopped)
			return
		case resting:
			in.log.Info("the plugin is not needed and is stopped until it is")
			in.shutDown(l, killGrace)
			l = in.wakeUp(waits, true)
		case outgrown:
			in.log.Warn("the plugin is started anew: "+e.cause, "limit", in.cfg.MemoryMax)
			in.shutDown(l, in.cfg.Timeout+in.cfg.Times.AnswerGrace)
			l = in.wakeUp(waits, false)
		case died:
			if time.Since(l.since) > in.cfg.Times.Settled {
				waits.Reset()
			}
			in.bury(l, e.cause)
			l = in.restart(waits)
		}
	}
}

func (in *Instance) newBackoff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = in.cfg.Times.RestartFirst, in.cfg.Times.RestartMax
	b.Multiplier, b.RandomizationFactor = 2, 0.5
	b.MaxElapsedTime = 0 // for ever; the default gives up after 15 minutes
	b.Reset()
	return b
}

// restart waits and tries until the plugin is ready. It returns nil when a
// stop was asked for, or when the binary is not the pinned one any more.
func (in *Instance) restart(waits backoff.BackOff) *live {
	for {
		wait := waits.NextBackOff()
		in.log.Info("the plugin is started again soon", "wait", wait.Round(time.Millisecond))
		select {
		case <-in.stop:
			in.enter(StateStopped)
			return nil
		case <-time.After(wait):
		}
		if l, over := in.tryAgain(); l != nil || over {
			return l
		}
	}
}

// wakeUp starts the plugin after a rest, which lasts until a call needs it,
// unless rest is false.
func (in *Instance) wakeUp(waits backoff.BackOff, rest bool) *live {
	if rest {
		select {
		case <-in.stop:
			in.enter(StateStopped)
			return nil
		case <-in.wake:
		}
	}
	if l, over := in.tryAgain(); l != nil || over {
		return l
	}
	return in.restart(waits)
}

// tryAgain brings the plugin up once more. over means that no further try
// makes sense.
func (in *Instance) tryAgain() (l *live, over bool) {
	l, err := in.bringUp(in.base)
	if err == nil {
		in.mu.Lock()
		in.restarts++
		in.mu.Unlock()
		in.goLive(l)
		return l, false
	}
	if in.base.Err() != nil {
		in.enter(StateStopped)
		return nil, true
	}
	return nil, in.failed(err)
}

// failed records why a restart failed and reports whether there is no point in
// another one.
func (in *Instance) failed(err error) (final bool) {
	text := in.redact.Text(err.Error())
	mismatch, final := errors.AsType[*MismatchError](err)
	in.mu.Lock()
	in.lastError = text
	if final {
		in.alarm = mismatch.Error()
	}
	in.mu.Unlock()
	in.log.Error("the plugin did not start", "error", text)
	if final {
		in.enter(StateQuarantined)
	} else {
		in.enter(StateBackoff)
	}
	return final
}

// shutDown ends a process in good order. What the plugin does not answer
// within grace is unknown.
func (in *Instance) shutDown(l *live, grace time.Duration) {
	l.stream.close()
	if grace > 0 {
		in.drain(l, grace)
	}
	l.proc.stop(min(grace, killGrace))
	l.stream.fail(errors.New("the plugin was stopped"))
	l.stream.loops.Wait()
	_, _, defects := l.stream.remains()
	in.mu.Lock()
	in.defects += defects
	in.unlive()
	in.mu.Unlock()
}

// drain lets the plugin answer what it has and close its target.
func (in *Instance) drain(l *live, grace time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := l.proc.drain(ctx, grace); err != nil && l.proc.run.exitStatus() == "" {
		in.log.Warn("the plugin did not drain", "error", in.rpcError(ctx, err))
	}
	for !l.stream.idle() && ctx.Err() == nil && l.stream.why() == nil {
		time.Sleep(time.Millisecond) // the last answers are on their way
	}
	_, _ = l.proc.rpc.Release(ctx, &pluginv1.ReleaseRequest{InstanceId: in.cfg.InstanceID})
}
