package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/faultproxy"
)

// checkLimit is how long a check of a target that is down may take.
const checkLimit = 30 * time.Second

// noticed is how long a client has to see that an idle connection has broken.
const noticed = 50 * time.Millisecond

// down has the target unreachable in every way that can be made here.
func down(ctx context.Context, e *Env) error {
	var skips []error
	ways := []func(context.Context) error{e.downByConfig, e.connectionRefused, e.nameUnknown, e.strangerAnswers}
	for _, way := range ways {
		err := way(ctx)
		if reason, ok := skipReason(err); ok {
			skips = append(skips, err)
			e.leftOut("%s", reason)
		} else if err != nil {
			return err
		}
	}
	if len(skips) == len(ways) {
		return skips[0]
	}
	return nil
}

func (e *Env) downByConfig(ctx context.Context) error {
	config, ok := e.Target.Faults[Down]
	if !ok {
		return skip("the target gives no config with the fault %s", Down)
	}
	return e.saysUnreachable(ctx, "down", config)
}

func (e *Env) connectionRefused(ctx context.Context) error {
	if _, ok := e.Target.Faults[Down]; ok {
		return nil // the same by another way
	}
	p, config, err := e.front(ctx)
	if err != nil {
		return err
	}
	defer p.Close()
	e.tell("fault: connections to the target are refused")
	if err := p.Arm(faultproxy.Fault{Kind: faultproxy.Refuse}); err != nil {
		return err
	}
	return e.saysUnreachable(ctx, "refused", config)
}

// nameUnknown gives the target a name that cannot resolve (RFC 6761 §6.4).
func (e *Env) nameUnknown(ctx context.Context) error {
	config, err := e.withEndpoints(ctx, func(hostPort string) (string, error) {
		_, port, _ := net.SplitHostPort(hostPort)
		return net.JoinHostPort("no-such-host.invalid", port), nil
	})
	if errors.Is(err, errNoEndpoint) {
		return skip("%v", err)
	}
	if err != nil {
		return err
	}
	var options map[string]any
	if err := json.Unmarshal(config, &options); err != nil {
		return err
	}
	_, secrets, err := e.goodConfig(ctx)
	if err != nil {
		return err
	}
	if fs, err := e.findings(ctx, options, secrets); err != nil || len(fs) > 0 {
		return errors.Join(err, skip("a name that does not resolve: the config is refused: %s", listed(fs)))
	}
	e.tell("fault: the target's name does not resolve")
	return e.saysUnreachable(ctx, "name", config)
}

// saysUnreachable opens an instance whose target cannot be reached.
func (e *Env) saysUnreachable(ctx context.Context, name string, config json.RawMessage) error {
	began := time.Now()
	k, said, err := e.unchecked(ctx, name, config, e.Target.Secrets)
	if err != nil {
		return err
	}
	if said == nil {
		said = k.firstBadStep(ctx)
	}
	if took := time.Since(began); took > checkLimit {
		return fmt.Errorf("it took %v to find out that the target is down, want at most %v", took.Round(time.Second), checkLimit)
	}
	return unreachable("Check", said)
}

func unreachable(what string, said *connector.Error) error {
	if said == nil || !slices.Contains([]connector.Code{connector.CodeUnavailable, connector.CodeConfiguration}, said.Code) {
		return fmt.Errorf("with the target out of reach: want UNAVAILABLE or CONFIGURATION from %s, got %v", what, said)
	}
	return nil
}

// strangerAnswers has somebody else answer in the target's place.
func (e *Env) strangerAnswers(ctx context.Context) error {
	k, err := e.proxied(ctx, "stranger")
	if err != nil {
		return err
	}
	if s := k.proxy.Stats(); !s.TLS && !s.SSH {
		return skip("a bad certificate: the connection to the target is in clear")
	}
	var secrets []string
	for _, s := range e.Target.Secrets {
		secrets = append(secrets, s.Reveal())
	}
	if err := k.arm(faultproxy.Fault{Kind: faultproxy.BadCertificate}); err != nil {
		return err
	}
	k.proxy.Break()
	k.proxy.Watch(secrets...)
	time.Sleep(noticed)
	said := k.firstBadStep(ctx)
	t, c, err := e.newcomer(ctx, k)
	if err != nil {
		return err
	}
	r, err := k.one(ctx, c)
	if err != nil {
		return err
	}
	time.Sleep(noticed) // the handshake may still be under way
	switch s := k.proxy.Stats(); {
	case s.Trusted > 0:
		return errors.New("it goes on with a server whose certificate or host key nobody vouches for")
	case s.Sighted > 0:
		return errors.New("after a bad certificate it sends a secret in clear")
	case r.Outcome.Done():
		return errors.New("with a bad certificate: a create is told as done")
	}
	if err := unreachable("Check", said); err != nil {
		return fmt.Errorf("with a bad certificate: %w", err)
	}
	return e.gone(ctx, connector.Ref{Type: t.Name, By: c.Correlate})
}
