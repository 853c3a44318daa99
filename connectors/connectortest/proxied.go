package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/provhub/provhub/connectors/connectortest/faultproxy"
)

// proxyDelay is how much longer an exchange takes under [Slow], by the proxy.
const proxyDelay = 20 * time.Millisecond

// proxiedFaults are what the proxy can do for a fault that needs no more than
// one setting.
var proxiedFaults = map[Fault]faultproxy.Fault{
	Hang:        {Kind: faultproxy.Hang},
	Slow:        {Kind: faultproxy.Delay, Wait: proxyDelay},
	RateLimited: {Kind: faultproxy.Status, Status: 429, RetryAfter: 7 * time.Second},
	Busy:        {Kind: faultproxy.Status, Status: 503, RetryAfter: 7 * time.Second},
}

// proxied opens a second instance of the same target whose connections lead
// through a proxy without a fault so far. It is skipped where none can be put in
// between. Its objects are those of e.
func (e *Env) proxied(ctx context.Context, name string) (*Env, error) {
	p, config, err := e.front(ctx)
	if err != nil {
		return nil, err
	}
	k := e.kid(name)
	k.proxy = p
	if err := k.openWith(ctx, config, e.Target.Secrets); err != nil {
		return nil, fmt.Errorf("through a proxy that changes nothing: %w", err)
	}
	if bad := k.firstBadStep(ctx); bad != nil {
		return nil, fmt.Errorf("through a proxy that changes nothing: Check: %w", bad)
	}
	if p.Stats().Connections == 0 {
		return nil, skip("the connector does not connect to the address in its config")
	}
	return k, nil
}

// front puts a proxy before the target and returns the config that leads
// through it. The proxy is the caller's to close.
func (e *Env) front(ctx context.Context) (*faultproxy.Proxy, json.RawMessage, error) {
	if e.Target.prefix != "" {
		return nil, nil, skip("no faults are made in a live run")
	}
	p := faultproxy.New()
	fronts := map[string]string{}
	config, err := e.withEndpoints(ctx, func(hostPort string) (string, error) {
		if !isLocal(hostPort) {
			return "", skip("the target at %s is not on this machine, and the target gives no config with the fault", hostPort)
		}
		if fronts[hostPort] == "" {
			address, err := p.Front(hostPort)
			if err != nil {
				return "", err
			}
			fronts[hostPort] = address
		}
		// The name stays: certificates are made for it.
		host, _, _ := net.SplitHostPort(hostPort)
		_, port, _ := net.SplitHostPort(fronts[hostPort])
		return net.JoinHostPort(host, port), nil
	})
	if err != nil {
		p.Close()
		if errors.Is(err, errNoEndpoint) {
			err = skip("%v, and the target gives no config with the fault", err)
		}
		return nil, nil, err
	}
	return p, config, nil
}

// withFault opens a second instance of the same target with a fault switched
// on: by the config that the target gives for it, else by a proxy. Its objects
// are those of e.
func (e *Env) withFault(ctx context.Context, f Fault) (*Env, error) {
	if config, ok := e.Target.Faults[f]; ok {
		e.tell("fault: %s, by config", f)
		return e.second(ctx, string(f), config, e.Target.Secrets)
	}
	fault, ok := proxiedFaults[f]
	if !ok {
		return nil, skip("the target gives no config with the fault %s", f)
	}
	k, err := e.proxied(ctx, string(f))
	if err != nil {
		return nil, err
	}
	if fault.Kind == faultproxy.Status && !k.proxy.Stats().HTTP {
		return nil, skip("the target gives no config with the fault %s, and a proxy can make it only of HTTP in clear", f)
	}
	return k, k.arm(fault)
}

// arm sets what goes wrong from now on.
func (e *Env) arm(f faultproxy.Fault) error {
	e.tell("fault: %s", scheduled(f))
	return e.proxy.Arm(f)
}

// heal ends the fault of the proxy.
func (e *Env) heal() error {
	e.tell("fault: none")
	return e.proxy.Heal()
}

// scheduled says what a fault does, for the report.
func scheduled(f faultproxy.Fault) string {
	switch f.Kind {
	case faultproxy.LoseReply:
		return fmt.Sprintf("the reply of exchange %d from here is lost", f.Nth)
	case faultproxy.CutReply:
		return fmt.Sprintf("replies end after %d bytes", f.After)
	case faultproxy.Delay:
		return fmt.Sprintf("every exchange takes %v longer", f.Wait)
	case faultproxy.Status:
		return fmt.Sprintf("every request is answered with HTTP %d", f.Status)
	}
	return string(f.Kind)
}

// delay is how long a write takes at least under [Slow].
func (e *Env) delay() time.Duration {
	if e.proxy != nil {
		return proxyDelay
	}
	return e.Target.Delay
}

// slowed returns an instance on which work takes its time; e itself where that
// cannot be made.
func (e *Env) slowed(ctx context.Context) (*Env, error) {
	k, err := e.withFault(ctx, Slow)
	if _, ok := skipReason(err); ok {
		return e, nil
	}
	return k, err
}
