package pluginhost

import (
	"context"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// acquire returns the running process for one call, after which release must
// be called. It wakes an instance that rests and waits for it. Without a
// process it returns why there is none.
func (in *Instance) acquire(ctx context.Context) (*live, *connector.Error) {
	for {
		l, changed, why := in.use()
		if l != nil || changed == nil {
			return l, why
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, why
		}
	}
}

// use takes the process, or returns what to wait for when it is being woken.
func (in *Instance) use() (*live, <-chan struct{}, *connector.Error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.live != nil {
		in.uses++
		return in.live, nil, nil
	}
	if !in.asleep {
		return nil, nil, in.notReady()
	}
	select {
	case in.wake <- struct{}{}:
	default:
	}
	return nil, in.changed, in.notReady()
}

func (in *Instance) release() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.uses--
	in.used = time.Now()
}

// rest puts the instance to sleep when nobody has needed it for long enough.
func (in *Instance) rest() bool {
	in.mu.Lock()
	due := in.cfg.IdleAfter > 0 && in.uses == 0 && time.Since(in.used) >= in.cfg.IdleAfter
	if due {
		in.unlive()
		in.set(StateIdle)
	}
	in.mu.Unlock()
	if due {
		in.tell(StateIdle)
	}
	return due
}

// notReady says why no call can be made. The lock is held.
func (in *Instance) notReady() *connector.Error {
	if in.state == StateQuarantined {
		e := connector.Errorf(connector.CodeConfiguration, "the plugin of %s is quarantined: %s", in.cfg.InstanceID, in.lastError)
		e.Scope = connector.ScopeInstance
		return e
	}
	return unavailable("the plugin of %s is not ready (%s)", in.cfg.InstanceID, in.state)
}

// WaitReady waits until the plugin is ready, at most until ctx ends; it wakes
// one that rests. It fails at once when the instance is stopped or quarantined.
func (in *Instance) WaitReady(ctx context.Context) error {
	for {
		l, changed, _ := in.use()
		if l != nil {
			in.release()
			return nil
		}
		if changed == nil {
			in.mu.Lock()
			changed = in.changed
			if in.state == StateStopped || in.state == StateQuarantined {
				defer in.mu.Unlock()
				return in.notReady()
			}
			in.mu.Unlock()
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// enter changes the state, together with what change does, and tells about it.
func (in *Instance) enter(s State, change ...func()) {
	in.mu.Lock()
	for _, f := range change {
		f()
	}
	in.set(s)
	in.mu.Unlock()
	in.tell(s)
}

// set changes the state. The lock is held.
func (in *Instance) set(s State) {
	in.state, in.since = s, time.Now()
	switch s {
	case StateIdle:
		in.asleep = true
	case StateStarting, StateConfiguring: // asleep until it is known how that ends
	default:
		in.asleep = false
	}
	close(in.changed)
	in.changed = make(chan struct{})
}

func (in *Instance) tell(s State) {
	in.log.Debug("plugin state", "state", string(s))
	if in.cfg.OnState != nil {
		in.cfg.OnState(s)
	}
}

// goLive opens the instance for calls.
func (in *Instance) goLive(l *live) {
	in.enter(StateReady, func() {
		in.live, in.used = l, time.Now()
		select {
		case <-in.wake: // of callers that waited for this
		default:
		}
	})
}

// unlive closes it again. The lock is held.
func (in *Instance) unlive() { in.live = nil }
