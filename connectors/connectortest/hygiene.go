package connectortest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

var hygieneChecks = []Check{
	{ID: "I1", Title: "no secret appears in logs, errors, previews, files, arguments or environment", Bare: true, Own: true, Func: canaries},
	{ID: "I2", Title: "log lines can be read by machines, and a panic is caught", Own: true, Func: logLines},
	{ID: "I3", Title: "after ten thousand operations nothing is left over", Own: true, Func: nothingLeft, Limit: 3 * time.Minute},
	{ID: "I4", Title: "while it drains it takes nothing new and answers the rest", Own: true, Func: drains},
}

// sightings are texts in which no secret may appear, by where they come from.
type sightings map[string]string

func (s sightings) add(where, text string) { s[where] += text + "\n" }

// canaries plants secrets wherever they may go and looks wherever they must not.
func canaries(ctx context.Context, e *Env) error {
	dir, err := os.MkdirTemp("", "conformance")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	seen := sightings{}
	if err := e.plant(ctx, dir, seen); err != nil {
		return err
	}
	d, err := e.describe(ctx)
	if err != nil {
		return err
	}
	seen.add("Describe", prototext.Format(d))
	time.Sleep(50 * time.Millisecond) // what was logged is on its way
	seen.add("the log", e.run.log())
	if l, ok := e.run.(*launched); ok {
		seen.add("the log", l.printed.String())
		for _, what := range []string{"cmdline", "environ"} {
			if b, err := os.ReadFile(procPath(l.pid(), what)); err == nil {
				seen.add("its "+what, string(b))
			}
		}
	}
	if err := seen.addFiles(dir); err != nil {
		return err
	}
	secrets := map[string]string{"the password of an account": goodPassword, "a wrong secret": e.canary()}
	for name, s := range e.Target.Secrets {
		secrets["the secret "+name] = s.Reveal()
	}
	return seen.search(secrets)
}

func (e *Env) canary() string { return "cAnAry+/" + e.prefix + "%&=Q7" }

// plant opens instances with secrets, sets passwords and provokes errors.
func (e *Env) plant(ctx context.Context, dir string, seen sightings) error {
	d, err := e.describe(ctx)
	if err != nil {
		return err
	}
	wrong := map[string]connector.Secret{}
	for _, s := range d.GetSecrets() {
		wrong[s.GetName()] = connector.NewSecret(e.canary())
	}
	const id = "kit-i1-wrong"
	r, err := e.configure(ctx, id, e.Target.Config, wrong)
	if err != nil {
		return fmt.Errorf("Configure: %w", err)
	}
	seen.add("the answer to Configure", prototext.Format(r))
	if len(r.GetDiagnostics()) == 0 && r.GetError() == nil {
		check, err := e.run.rpc().Check(ctx, &pluginv1.CheckRequest{InstanceId: id})
		seen.add("Check", fmt.Sprint(prototext.Format(check), err))
	}
	e.opened = append(e.opened, e.instance)
	if _, err := e.run.rpc().Configure(ctx, &pluginv1.ConfigureRequest{InstanceId: e.instance, ConfigJson: e.Target.Config, DataDir: dir,
		ConfigSchemaVersion: 1, Secrets: protocol.ToProtoSecrets(e.Target.Secrets)}); err != nil {
		return fmt.Errorf("Configure: %w", err)
	}
	if err := e.open(ctx); err != nil {
		return err
	}
	return e.plantPasswords(ctx, seen)
}

func (e *Env) plantPasswords(ctx context.Context, seen sightings) error {
	t, err := e.creatable()
	if err != nil {
		return err
	}
	c, err := e.creation(ctx, t, false)
	if err != nil {
		return err
	}
	if t.Kind == connector.KindAccount && e.can(t.Name, connector.VerbSetCredential) {
		c.Credential = connector.NewSecret(goodPassword)
	}
	dry := c
	dry.Call = e.call()
	dry.DryRun = true
	again := c
	again.Call = e.call()
	ops := []connector.Operation{dry, c, again}
	if e.can(t.Name, connector.VerbSetCredential) {
		missing := connector.Ref{Type: t.Name, ID: "no-such-id-" + e.prefix}
		ops = append(ops, connector.SetCredential{Call: e.call(), Target: missing, Credential: connector.NewSecret(goodPassword)})
		if !c.Correlate.IsZero() {
			ops = append(ops, connector.SetCredential{Call: e.call(), Target: connector.Ref{Type: t.Name, By: c.Correlate}, Credential: connector.NewSecret(goodPassword)})
		}
	}
	for _, op := range ops {
		r, err := e.one(ctx, op)
		if err != nil {
			return err
		}
		if r.Err != nil {
			seen.add("the error of "+string(op.Verb()), r.Err.Message+r.Err.Detail+r.Err.NativeCode)
		}
		seen.add("the preview", r.Preview)
		if r.Object != nil {
			seen.add("the result of "+string(op.Verb()), fmt.Sprint(r.Object.Attributes))
		}
	}
	return nil
}

func (s sightings) addFiles(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		s.add("a file in its data folder ("+d.Name()+")", string(b))
		return err
	})
}

// search looks for secrets as they are and as they are usually written.
func (s sightings) search(secrets map[string]string) error {
	for _, where := range slices.Sorted(maps.Keys(s)) {
		for _, name := range slices.Sorted(maps.Keys(secrets)) {
			value := secrets[name]
			if len(value) < 6 {
				continue // would be found by accident
			}
			quoted, _ := json.Marshal(value) // a string
			for _, form := range []string{value, strings.Trim(string(quoted), `"`), url.QueryEscape(value), base64.StdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value))} {
				if strings.Contains(s[where], form) {
					return fmt.Errorf("%s is in %s", name, where)
				}
			}
		}
	}
	return nil
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
	time.Sleep(50 * time.Millisecond) // what was logged is on its way
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

// usage is what a plugin holds.
type usage struct {
	goroutines, files int
	heap              int64
}

func (e *Env) usage(ctx context.Context) (usage, error) {
	h, err := e.run.rpc().Health(ctx, &pluginv1.HealthRequest{})
	if err != nil {
		return usage{}, fmt.Errorf("Health: %w", err)
	}
	u := usage{goroutines: int(h.GetGoroutines()), heap: h.GetHeapBytes(), files: -1}
	if pid := e.run.pid(); pid != 0 {
		u.files = openFiles(pid)
	}
	return u, nil
}

// round opens the instance, carries out n operations and releases it.
func (e *Env) round(ctx context.Context, n int) error {
	if err := e.open(ctx); err != nil {
		return err
	}
	t, err := e.creatable()
	if err != nil {
		return err
	}
	for sent := 0; sent < n; {
		var ops []connector.Operation
		for len(ops) < min(500, n-sent) {
			life, err := e.life(ctx, t)
			if err != nil {
				return err
			}
			ops = append(ops, life...)
		}
		if _, err := e.do(ctx, ops...); err != nil {
			return err
		}
		sent += len(ops)
	}
	err = e.stream.halfClose(10 * time.Second)
	e.stream.close()
	e.stream = nil
	_, rerr := e.run.rpc().Release(ctx, &pluginv1.ReleaseRequest{InstanceId: e.instance})
	return errors.Join(err, rerr)
}

func nothingLeft(ctx context.Context, e *Env) error {
	if err := e.round(ctx, 100); err != nil { // to warm up
		return err
	}
	base, err := e.usage(ctx)
	if err != nil {
		return err
	}
	if err := e.round(ctx, e.scaled(10_000)); err != nil {
		return err
	}
	var over string
	for range 20 { // goroutines and garbage take a moment to go
		now, err := e.usage(ctx)
		if err != nil {
			return err
		}
		if over = now.beyond(base, e.run.pid() != 0); over == "" {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New(over)
}

// beyond says what u has too much of, 10 % and a little allowed.
func (u usage) beyond(base usage, alone bool) string {
	switch {
	case u.goroutines > base.goroutines*11/10+3:
		return fmt.Sprintf("%d goroutines are left, %d were there before", u.goroutines, base.goroutines)
	case u.files > base.files*11/10+2:
		return fmt.Sprintf("%d descriptors are open, %d were before", u.files, base.files)
	case alone && u.heap > base.heap*11/10+memoryLimit/2:
		return fmt.Sprintf("the heap holds %d MiB, %d MiB before", u.heap>>20, base.heap>>20)
	}
	return ""
}

func drains(ctx context.Context, e *Env) error {
	t, err := e.creatable()
	if err != nil {
		return err
	}
	worker := e
	if e.Target.Faults[Slow] != nil && e.Target.Delay <= 200*time.Millisecond {
		if worker, err = e.withFault(ctx, Slow); err != nil {
			return err
		}
	}
	var ops []connector.Operation
	for range 2 * max(4, e.Caps.MaxInFlight) {
		c, err := worker.creation(ctx, t, false)
		if err != nil {
			return err
		}
		ops = append(ops, c)
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
	if _, err := s.wait(ctx, ops[0].Meta().ID); err != nil {
		return err
	}
	drained := make(chan error, 1)
	go func() {
		_, err := e.run.rpc().Drain(ctx, &pluginv1.DrainRequest{Grace: durationpb.New(10 * time.Second)})
		drained <- err
	}()
	if err := e.notServing(ctx); err != nil {
		return err
	}
	if err := e.healthy(ctx); err != nil {
		return err
	}
	if err := errors.Join(e.lateIsRefused(ctx, s, late), <-drained); err != nil {
		return err
	}
	for _, op := range ops {
		r, err := s.wait(ctx, op.Meta().ID)
		if err != nil {
			return err
		}
		worker.remember(op, r)
		if err := done(op, r); err != nil {
			return fmt.Errorf("accepted before the drain: %w", err)
		}
	}
	return e.restart(ctx) // to remove what was made
}

// notServing waits until the plugin says that it drains.
func (e *Env) notServing(ctx context.Context) error {
	for range 100 {
		h, err := e.run.rpc().Health(ctx, &pluginv1.HealthRequest{})
		if err != nil {
			return fmt.Errorf("Health while draining: %w", err)
		}
		if !h.GetServing() {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.New("Health says that it serves, a second after Drain")
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
