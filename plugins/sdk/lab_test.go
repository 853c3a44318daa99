package sdk

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/plugins/redact"
)

// lab is a target for tests. do stands for whatever a connector would do.
type lab struct {
	do func(ctx context.Context, op connector.Operation) error
}

func (l lab) Schema(context.Context) (connector.Schema, error) {
	return connector.Schema{{Name: "user", Kind: connector.KindAccount}}, nil
}
func (l lab) Check(context.Context) error { return nil }
func (l lab) Create(ctx context.Context, c connector.Create) (connector.Ref, error) {
	err := l.do(ctx, c)
	if err != nil {
		return connector.Ref{}, err
	}
	return connector.Ref{ID: "id-of-" + c.Correlate.Value}, nil
}
func (l lab) Update(ctx context.Context, u connector.Update) error         { return l.do(ctx, u) }
func (l lab) SetEnabled(ctx context.Context, s connector.SetEnabled) error { return l.do(ctx, s) }
func (l lab) Delete(ctx context.Context, d connector.Delete) error         { return l.do(ctx, d) }
func (l lab) Grant(ctx context.Context, g connector.Grant) error           { return l.do(ctx, g) }
func (l lab) Revoke(ctx context.Context, r connector.Revoke) error         { return l.do(ctx, r) }
func (l lab) SetCredential(ctx context.Context, s connector.SetCredential) error {
	return l.do(ctx, s)
}

// renamer also renames, and can say what it would do.
type renamer struct{ lab }

func (r renamer) Rename(ctx context.Context, op connector.Rename) (connector.Ref, error) {
	return connector.Ref{ID: op.NewName}, r.do(ctx, op)
}
func (r renamer) Preview(_ context.Context, op connector.Operation) (string, error) {
	return "would " + string(op.Verb()), nil
}

// bare can do nothing but be there.
type bare struct{}

func (bare) Schema(context.Context) (connector.Schema, error) { return nil, nil }
func (bare) Check(context.Context) error                      { return nil }

// batcher takes batches.
type batcher struct {
	bare
	apply func(ctx context.Context, ops []connector.Operation) []connector.Result
}

func (b batcher) ApplyBatch(ctx context.Context, ops []connector.Operation) []connector.Result {
	return b.apply(ctx, ops)
}
func (b batcher) Verbs() []connector.Verb {
	return []connector.Verb{connector.VerbCreate, connector.VerbUpdate, connector.VerbGrant}
}

// rig drives the engine of one instance without a wire in between, so that
// tests run on a clock of their own.
type rig struct {
	t   *testing.T
	in  *instance
	out *outbox
	log *bytes.Buffer

	got map[string]connector.Result
	n   map[string]int // answers seen, by id
}

// newRig serves target, with at most inFlight calls at once.
func newRig(t *testing.T, target connector.Target, inFlight, batch int) *rig {
	log := &bytes.Buffer{}
	red := redact.New(map[string]connector.Secret{"token": connector.NewSecret("canary-token")})
	in := newInstance("lab", &atomic.Bool{}, red, newLogger(&lockedWriter{w: log}, red, "lab"))
	o := &opened{target: target, log: in.log, closed: make(chan struct{})}
	o.caps = connector.CapabilitiesOf(target, &connector.Definition{MaxInFlight: inFlight, PreferredBatch: batch})
	in.replace(o)
	in.engine.configure(o.caps, limits{})
	return &rig{t: t, in: in, out: newOutbox(), log: log, got: map[string]connector.Result{}, n: map[string]int{}}
}

func (r *rig) send(ops ...connector.Operation) {
	r.t.Helper()
	for _, op := range ops {
		if err := r.in.engine.submit(op, r.out); err != nil {
			r.t.Fatalf("submit %s: %v", op.Meta().ID, err)
		}
	}
}

// collect takes what was answered so far.
func (r *rig) collect() map[string]connector.Result {
	results, _, _ := r.out.take()
	for _, p := range results {
		res := protocol.FromProtoResult(p)
		r.got[res.ID] = res
		r.n[res.ID]++
	}
	return r.got
}

// want checks one answer: the outcome and, unless it is 0, the code.
func (r *rig) want(id string, outcome connector.Outcome, code connector.Code) connector.Result {
	r.t.Helper()
	got, ok := r.collect()[id]
	switch {
	case !ok:
		r.t.Errorf("%s: not answered", id)
	case r.n[id] != 1:
		r.t.Errorf("%s: answered %d times", id, r.n[id])
	case got.Outcome != outcome || (code != 0 && (got.Err == nil || got.Err.Code != code)) || (code == 0 && got.Err != nil):
		r.t.Errorf("%s: got %s, %v; want %s, code %d", id, got.Outcome, got.Err, outcome, code)
	}
	return got
}

func (r *rig) wantOpen(ids ...string) {
	r.t.Helper()
	for _, id := range ids {
		if got, ok := r.collect()[id]; ok {
			r.t.Errorf("%s: answered already: %s, %v", id, got.Outcome, got.Err)
		}
	}
}

func update(id string, more ...func(*connector.Call)) connector.Update {
	u := connector.Update{Call: connector.Call{ID: id, Key: id, Attempt: 1}, Target: connector.Ref{ID: id}}
	for _, f := range more {
		f(&u.Call)
	}
	return u
}

func key(k string) func(*connector.Call) { return func(c *connector.Call) { c.OrderingKey = k } }

func group(g string, size int) func(*connector.Call) {
	return func(c *connector.Call) { c.Group, c.GroupSize = g, size }
}

func within(d time.Duration) func(*connector.Call) { return func(c *connector.Call) { c.Timeout = d } }

func dry(c *connector.Call) { c.DryRun = true }

func done(context.Context, connector.Operation) error { return nil }

// journal keeps the order in which things happened.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

// labConfig is the config of the connector type that the RPC tests serve.
type labConfig struct {
	URL   string             `json:"url" doc:"where the target is"`
	Mode  string             `json:"mode,omitempty" enum:"fast,slow" doc:"how hard to try"`
	Wait  connector.Duration `json:"wait,omitempty"`
	Inner *struct {
		Depth int `json:"depth" doc:"how deep"`
	} `json:"inner,omitempty"`
	Names []string `json:"names,omitempty"`
}

// labDefinition serves what open returns.
func labDefinition(open func(c labConfig, in connector.Instance) (connector.Target, error)) *connector.Definition {
	return connector.Define(connector.Spec[labConfig]{
		Type: "lab", DisplayName: "Lab", Version: "1.2.3", MaxInFlight: 4,
		Secrets: []connector.SecretSpec{{Name: "token", Description: "the API token", Required: true}},
		Open: func(_ context.Context, c labConfig, in connector.Instance) (connector.Target, error) {
			return open(c, in)
		},
	})
}

// logLines parses what was logged; every line must be JSON.
func logLines(t *testing.T, log string) []map[string]any {
	t.Helper()
	var out []map[string]any
	for _, l := range strings.Split(strings.TrimSpace(log), "\n") {
		if l == "" {
			continue
		}
		m := map[string]any{}
		if err := json.Unmarshal([]byte(l), &m); err != nil {
			t.Fatalf("log line is not JSON: %s", l)
		}
		out = append(out, m)
	}
	return out
}
