package connectortest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/faultproxy"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// Env is what a check works with: a plugin that runs, an instance of the target
// and data for it. Its methods that talk to the plugin return an error when the
// protocol is broken; what the target answers is in the results.
type Env struct {
	Target *Target
	// Caps and Schema are those of the open instance.
	Caps   connector.Capabilities
	Schema connector.Schema
	// Scale multiplies the numbers of operations of the heavy checks.
	Scale float64

	host     host
	run      running
	name     string // of a second instance; "": the check's own
	instance string
	prefix   string // begins every value that must be unique
	stream   *stream
	proxy    *faultproxy.Proxy // between plugin and target; nil: none
	oracle   Oracle            // that of the target; nil: none
	story    *story

	mu      sync.Mutex
	seq     int
	made    []connector.Ref
	helpers map[string]connector.Ref
	opened  []string
	kids    []*Env
}

func newEnv(t *Target, h host, r running, id string, scale float64) *Env {
	b := make([]byte, 3)
	_, _ = rand.Read(b) // never fails
	return &Env{Target: t, Scale: scale, host: h, run: r, instance: "kit-" + strings.ToLower(id),
		prefix: t.begin() + hex.EncodeToString(b), helpers: map[string]connector.Ref{}, story: &story{}, oracle: t.Oracle}
}

// kid makes a second instance of the same target, to be opened by the caller.
func (e *Env) kid(name string) *Env {
	k := newEnv(e.Target, e.host, e.run, name, e.Scale)
	k.name, k.instance, k.story = name, e.instance+"-"+name, e.story
	k.prefix = e.prefix + k.prefix[len(k.prefix)-2:]
	e.kids = append(e.kids, k)
	return k
}

// begin is what every name begins with.
func (t *Target) begin() string {
	if t.prefix != "" {
		return t.prefix
	}
	return "zz"
}

// scaled returns n, reduced when the suite is to be quick.
func (e *Env) scaled(n int) int { return max(20, int(float64(n)*e.Scale)) }

// configure opens the instance called id with a config.
func (e *Env) configure(ctx context.Context, id string, config json.RawMessage, secrets map[string]connector.Secret) (*pluginv1.ConfigureResponse, error) {
	e.opened = append(e.opened, id)
	return e.run.rpc().Configure(ctx, &pluginv1.ConfigureRequest{InstanceId: id, ConfigJson: config, ConfigSchemaVersion: 1, Secrets: protocol.ToProtoSecrets(secrets)})
}

// open opens the instance of the check, with the good config.
func (e *Env) open(ctx context.Context) error {
	return e.openWith(ctx, e.Target.Config, e.Target.Secrets)
}

func (e *Env) openWith(ctx context.Context, config json.RawMessage, secrets map[string]connector.Secret) error {
	r, err := e.configure(ctx, e.instance, config, secrets)
	if err != nil {
		return fmt.Errorf("Configure: %w", err)
	}
	for _, f := range protocol.FromProtoFindings(r.GetDiagnostics()) {
		if !f.Warning {
			return fmt.Errorf("Configure: the config is refused: %s: %s", f.Path, f.Summary)
		}
	}
	if e := protocol.FromProtoError(r.GetError()); e != nil {
		return fmt.Errorf("Configure: %w", e)
	}
	e.Caps = protocol.FromProtoCapabilities(r.GetCapabilities())
	s, err := e.run.rpc().DiscoverSchema(ctx, &pluginv1.DiscoverSchemaRequest{InstanceId: e.instance})
	if err != nil {
		return fmt.Errorf("DiscoverSchema: %w", err)
	}
	if e := protocol.FromProtoError(s.GetError()); e != nil {
		return fmt.Errorf("DiscoverSchema: %w", e)
	}
	e.Schema = protocol.FromProtoSchema(s.GetObjectTypes())
	return nil
}

// second opens a second instance.
func (e *Env) second(ctx context.Context, name string, config json.RawMessage, secrets map[string]connector.Secret) (*Env, error) {
	k := e.kid(name)
	return k, k.openWith(ctx, config, secrets)
}

// restart kills the plugin and starts another one, with the same instance.
func (e *Env) restart(ctx context.Context) error {
	e.kill()
	run, err := e.host.start(ctx)
	if err != nil {
		return fmt.Errorf("start the plugin again: %w", err)
	}
	e.run, e.stream = run, nil
	return e.open(ctx)
}

// kill ends the plugin at once.
func (e *Env) kill() {
	if l, ok := e.run.(*launched); ok {
		l.p.Kill()
	}
	e.run.stop()
}

// cleanUp removes what the check made and closes its instances.
func (e *Env) cleanUp(ctx context.Context) {
	for _, k := range e.kids {
		k.run = e.run
		if k.proxy != nil {
			defer k.proxy.Close()
			_ = k.proxy.Heal() // what cannot be reached is not cleaned up
		}
		k.cleanUp(ctx)
	}
	if e.Caps.Can(connector.VerbDelete) && len(e.made) > 0 {
		slices.Reverse(e.made)
		var ops []connector.Operation
		for _, ref := range e.made {
			if e.can(ref.Type, connector.VerbDelete) {
				ops = append(ops, connector.Delete{Call: e.call(), Target: ref})
			}
		}
		_, _ = e.do(ctx, ops...) // what is left is the prefix's to find
	}
	if e.stream != nil {
		e.stream.close()
	}
	for _, id := range e.opened {
		_, _ = e.run.rpc().Release(ctx, &pluginv1.ReleaseRequest{InstanceId: id})
	}
}

// can reports whether verb can be done with objects of a type.
func (e *Env) can(typ string, verb connector.Verb) bool {
	t, ok := e.Schema.Type(typ)
	return ok && e.Caps.Can(verb) && (len(t.Verbs) == 0 || slices.Contains(t.Verbs, verb))
}

// types returns the object types under test with which all verbs can be done.
func (e *Env) types(verbs ...connector.Verb) ([]connector.ObjectType, error) {
	var out []connector.ObjectType
	for _, t := range e.Schema {
		fits := len(e.Target.Types) == 0 || slices.Contains(e.Target.Types, t.Name)
		for _, v := range verbs {
			fits = fits && e.can(t.Name, v)
		}
		if fits {
			out = append(out, t)
		}
	}
	if len(out) == 0 {
		return nil, skip("no object type can %s", strings.Join(words(verbs), " and "))
	}
	return out, nil
}

func words[T ~string](ts []T) []string {
	out := make([]string, len(ts))
	for i, t := range ts {
		out[i] = string(t)
	}
	return out
}
