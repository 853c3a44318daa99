package memory

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// Target serves one store. It implements everything a connector can, except
// that batches are for [atomic].
type Target struct {
	cfg    Config
	store  *Store
	faults *faults

	mu    sync.Mutex
	token connector.Secret
}

func open(c Config, in connector.Instance) (connector.Target, error) {
	c.Journal, c.Control = within(in.DataDir, c.Journal), within(in.DataDir, c.Control)
	s, err := storeOf(c)
	if err != nil {
		return nil, &connector.Error{Code: connector.CodeConfiguration, Message: err.Error(), Cause: err}
	}
	t := &Target{cfg: c, store: s, token: in.Secret("token"),
		faults: &faults{fixed: c.Faults, control: c.Control, dir: in.DataDir, counts: map[string]int{}}}
	if c.Atomic {
		return atomic{t}, nil
	}
	return t, nil
}

// within places a relative path in the instance's own folder: what the plugin's
// working folder is, nobody who writes a config can know.
func within(dir, path string) string {
	if path == "" || dir == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// login is what every call does first.
func (t *Target) login() error {
	t.mu.Lock()
	token := t.token
	t.mu.Unlock()
	return t.accepts(token)
}

func (t *Target) accepts(token connector.Secret) error {
	if len(t.cfg.Tokens) == 0 || slices.Contains(t.cfg.Tokens, sum(token.Reveal())) {
		return nil
	}
	return connector.Errorf(connector.CodeAuthentication, "the target does not accept the token")
}

// RotateSecrets implements [connector.Rotator].
func (t *Target) RotateSecrets(_ context.Context, secrets map[string]connector.Secret) error {
	if err := t.accepts(secrets["token"]); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token = secrets["token"]
	return nil
}

// Schema implements [connector.Target].
func (t *Target) Schema(ctx context.Context) (connector.Schema, error) {
	_, err := t.begin(ctx, occasion{call: callSchema})
	return schema, err
}

// Fingerprint implements [connector.Fingerprinter].
func (t *Target) Fingerprint(context.Context) (string, error) { return t.cfg.Fingerprint, nil }

// Check implements [connector.Target].
func (t *Target) Check(ctx context.Context) error {
	steps, _ := t.CheckSteps(ctx)
	return connector.CheckFailure(steps)
}

// CheckSteps implements [connector.Checker]: connect, login, read.
func (t *Target) CheckSteps(ctx context.Context) (steps []connector.CheckStep, product string) {
	var c connector.CheckRun
	step := func(name string, do func() error) {
		c.Step(ctx, name, func(context.Context) (string, error) { return "", do() })
	}
	step("connect", func() error { _, err := t.arrive(ctx, occasion{call: callCheck}); return err })
	step("login", t.login)
	step("read", func() error { return t.store.do(func(*tx) error { return nil }) })
	if connector.CheckFailure(c.Steps()) == nil {
		product = "provhub memory target"
	}
	return c.Steps(), product
}

// begin is the start of every call: the faults that come first, then the login.
func (t *Target) begin(ctx context.Context, o occasion) ([]Fault, error) {
	fs, err := t.arrive(ctx, o)
	if err == nil {
		err = t.login()
	}
	return fs, err
}

func (t *Target) arrive(ctx context.Context, o occasion) ([]Fault, error) {
	fs, err := t.faults.at(o)
	if err != nil {
		return nil, err
	}
	return fs, before(ctx, fs)
}

// do carries out one operation by itself.
func (t *Target) do(ctx context.Context, op connector.Operation) (ref connector.Ref, err error) {
	fs, err := t.begin(ctx, t.occasionOf(op))
	if err != nil {
		return ref, err
	}
	var answer error
	err = t.store.do(func(tx *tx) (err error) {
		ref, answer, err = t.perform(tx, op)
		return err
	})
	if err == nil {
		err = after(ctx, fs)
	}
	if err != nil {
		return connector.Ref{}, err
	}
	if f, ok := find(fs, Pending); ok {
		return ref, connector.Pending(later(time.Now().Add(f.wait())), f.wait())
	}
	return ref, answer
}

// occasionOf is op as faults see it.
func (t *Target) occasionOf(op connector.Operation) occasion {
	o := occasion{call: string(op.Verb()), operation: op.Meta().Key}
	switch x := op.(type) {
	case connector.Create:
		o.key = x.Attributes.Text(keys[x.Type])
	case connector.Update:
		o.key = t.keyOf(x.Target)
	case connector.SetEnabled:
		o.key = t.keyOf(x.Target)
	case connector.Delete:
		o.key = t.keyOf(x.Target)
	case connector.Grant:
		o.key = t.keyOf(x.Principal)
	case connector.Revoke:
		o.key = t.keyOf(x.Principal)
	case connector.SetCredential:
		o.key = t.keyOf(x.Target)
	case connector.Rename:
		o.key = t.keyOf(x.Target)
	}
	return o
}

// keyOf names the object that ref is about, for the faults that ask for one.
func (t *Target) keyOf(ref connector.Ref) string {
	if !t.faults.byKey() {
		return ""
	}
	key := ""
	_ = t.store.do(func(tx *tx) error {
		if r, err := tx.s.get(ref, nil); err == nil {
			key = r.key()
		}
		return nil
	})
	return key
}

// Create implements [connector.Creator].
func (t *Target) Create(ctx context.Context, c connector.Create) (connector.Ref, error) {
	return t.do(ctx, c)
}

// Rename implements [connector.Renamer].
func (t *Target) Rename(ctx context.Context, r connector.Rename) (connector.Ref, error) {
	return t.do(ctx, r)
}

// Update implements [connector.Updater].
func (t *Target) Update(ctx context.Context, u connector.Update) error { return second(t.do(ctx, u)) }

// SetEnabled implements [connector.Enabler].
func (t *Target) SetEnabled(ctx context.Context, s connector.SetEnabled) error {
	return second(t.do(ctx, s))
}

// Delete implements [connector.Deleter].
func (t *Target) Delete(ctx context.Context, d connector.Delete) error { return second(t.do(ctx, d)) }

// Grant implements [connector.Granter].
func (t *Target) Grant(ctx context.Context, g connector.Grant) error { return second(t.do(ctx, g)) }

// Revoke implements [connector.Granter].
func (t *Target) Revoke(ctx context.Context, r connector.Revoke) error { return second(t.do(ctx, r)) }

// SetCredential implements [connector.Credentialer].
func (t *Target) SetCredential(ctx context.Context, s connector.SetCredential) error {
	return second(t.do(ctx, s))
}

func second(_ connector.Ref, err error) error { return err }
