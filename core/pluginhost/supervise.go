package pluginhost

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// So many crashes within this time raise the alarm; the plugin is still
// started again, since its queue is safe.
const (
	alarmCrashes = 5
	alarmWithin  = 10 * time.Minute
)

// vitals are a plugin's answers to questions after its health.
type vitals struct {
	at               time.Time
	heap, goroutines int64
}

// supervise keeps the instance running until it is told to stop.
func (in *Instance) supervise(l *live) {
	defer close(in.done)
	defer in.cancel()
	waits := in.newBackoff()
	for l != nil {
		cause, grace := in.watch(l)
		if cause == "" {
			in.shutDown(l, grace)
			return
		}
		if time.Since(l.since) > in.cfg.Times.Settled {
			waits.Reset()
		}
		in.bury(l, cause)
		l = in.restart(waits)
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

// watch returns when the process should be replaced, with the cause, or when a
// stop was asked for, with no cause and the grace. With a cause the instance
// takes no more work.
func (in *Instance) watch(l *live) (cause string, grace time.Duration) {
	ask := time.NewTicker(in.cfg.Times.Health)
	defer ask.Stop()
	misses := 0
	for {
		select {
		case grace := <-in.stop:
			return "", grace
		case <-l.proc.run.exited:
			in.down()
			return "the process ended", 0
		case <-l.stream.ended:
			in.down()
			return in.streamEnd(l), 0
		case what := <-l.stream.stuck:
			in.down()
			l.proc.dump()
			return "the plugin " + what, 0
		case <-ask.C:
			if in.ask(l) {
				misses = 0
			} else if misses++; misses >= in.cfg.Times.HealthMisses {
				in.down()
				l.proc.dump()
				return "the plugin does not answer", 0
			}
		}
	}
}

// streamEnd tells a process that died, which ends its stream first, from one
// that only ended the stream.
func (in *Instance) streamEnd(l *live) string {
	l.proc.await(killGrace / 4)
	if l.proc.run.exitStatus() != "" {
		return "the process ended"
	}
	return "the stream broke: " + in.redact.Text(l.stream.why().Error())
}

func (s *stream) why() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// ask asks the plugin after its health and reports whether it answered in time.
func (in *Instance) ask(l *live) bool {
	ctx, cancel := context.WithTimeout(in.base, in.cfg.Times.HealthDeadline)
	defer cancel()
	r, err := l.proc.rpc.Health(ctx, &pluginv1.HealthRequest{})
	if err != nil {
		return in.base.Err() != nil // a stop was asked for: no miss
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.seen = vitals{at: time.Now(), heap: r.GetHeapBytes(), goroutines: r.GetGoroutines()}
	return true
}

// bury ends what is left of a process and records the incident.
func (in *Instance) bury(l *live, cause string) {
	l.proc.stop(0)
	l.stream.fail(errors.New(cause))
	l.stream.loops.Wait()
	inDoubt, alone, defects := l.stream.remains()
	in.suspects.died(inDoubt, alone)

	inc := Incident{
		At: time.Now(), Instance: in.cfg.InstanceID, PID: l.proc.run.pid(), Uptime: time.Since(l.proc.started),
		Cause: cause, Exit: l.proc.run.exitStatus(), Panic: in.book.takePanic(), Log: in.book.last(incidentLines), InFlight: inDoubt,
	}
	in.mu.Lock()
	inc.Version, inc.HeapBytes = in.desc.Version, in.seen.heap
	in.seen = vitals{}
	in.defects += defects
	in.incidents = append(in.incidents, inc)
	in.incidents = in.incidents[max(0, len(in.incidents)-keptIncidents):]
	in.lastError = inc.String()
	if n := len(in.incidents); n >= alarmCrashes && inc.At.Sub(in.incidents[n-alarmCrashes].At) < alarmWithin {
		in.alarm = "the plugin died 5 times within 10 minutes; see its incidents"
	}
	in.mu.Unlock()
	in.log.Error("the plugin died: "+inc.String(), "pid", inc.PID, "exit", inc.Exit, "in_flight", len(inDoubt))
}

// remains returns what an ended stream leaves behind: the operations in doubt,
// whether they were one unit alone, and the breaches of the protocol.
func (s *stream) remains() (inDoubt []string, alone bool, defects int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inDoubt, s.unitsInDoubt == 1, s.defects
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
		l, err := in.bringUp(in.base)
		if err == nil {
			in.mu.Lock()
			in.restarts++
			in.mu.Unlock()
			in.goLive(l)
			return l
		}
		if in.base.Err() != nil {
			in.enter(StateStopped)
			return nil
		}
		if in.failed(err) {
			return nil
		}
	}
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

// shutDown ends a process because somebody asked for it.
func (in *Instance) shutDown(l *live, grace time.Duration) {
	in.enter(StateDraining)
	l.stream.close()
	if grace > 0 {
		in.drain(l, grace)
	}
	l.proc.stop(min(grace, killGrace))
	l.stream.fail(errors.New("the plugin was stopped"))
	l.stream.loops.Wait()
	in.enter(StateStopped, in.unlive)
}

// drain lets the plugin answer what it has and close its target.
func (in *Instance) drain(l *live, grace time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := l.proc.drain(ctx, grace); err != nil && l.proc.run.exitStatus() == "" {
		in.log.Warn("the plugin did not drain", "error", in.rpcError(err))
	}
	for !l.stream.idle() && ctx.Err() == nil && l.stream.why() == nil {
		time.Sleep(time.Millisecond) // the last answers are on their way
	}
	_, _ = l.proc.rpc.Release(ctx, &pluginv1.ReleaseRequest{InstanceId: in.cfg.InstanceID})
}

// enter changes the state, together with what change does, and tells about it.
func (in *Instance) enter(s State, change ...func()) {
	in.mu.Lock()
	in.state, in.since = s, time.Now()
	for _, f := range change {
		f()
	}
	in.mu.Unlock()
	in.log.Debug("plugin state", "state", string(s))
	if in.cfg.OnState != nil {
		in.cfg.OnState(s)
	}
}

// goLive opens the instance for work.
func (in *Instance) goLive(l *live) {
	in.enter(StateReady, func() {
		in.live = l
		close(in.ready)
	})
}

// down closes it again because its process is to be replaced.
func (in *Instance) down() { in.enter(StateBackoff, in.unlive) }

// unlive is for enter. The lock is held.
func (in *Instance) unlive() {
	in.live = nil
	in.ready = make(chan struct{})
}
