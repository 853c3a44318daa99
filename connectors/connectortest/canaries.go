package connectortest

import (
	"context"
	"encoding/base64"
	"encoding/json"
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

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

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
	time.Sleep(onItsWay)
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
	t, c, err := e.newcomer(ctx, e)
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
