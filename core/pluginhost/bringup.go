package pluginhost

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// Defaults where neither the config nor the plugin says.
const (
	defaultWindow   = 64
	defaultInFlight = 16
	windowMax       = 4096
)

// bringUp launches a process and makes it ready to work. When it returns an
// error the process is gone.
func (in *Instance) bringUp(ctx context.Context) (*live, error) {
	in.enter(StateStarting)
	p, err := launch(ctx, in.cfg.spec(in.book))
	if err != nil {
		return nil, err
	}
	in.enter(StateConfiguring)
	l, err := in.prepare(ctx, p)
	if err != nil {
		p.stop(0)
		return nil, err
	}
	return l, nil
}

// prepare describes, configures and reads the schema, in this order: secrets
// leave the hub only for a plugin that said it is the right one.
func (in *Instance) prepare(ctx context.Context, p *process) (*live, error) {
	desc, err := p.describe(ctx, in.cfg.Times.Start)
	if err == nil {
		err = in.expect(desc)
	}
	if err != nil {
		return nil, err
	}
	caps, err := in.configure(ctx, p, desc)
	if err != nil {
		return nil, err
	}
	schema, err := in.discover(ctx, p)
	if err != nil {
		// After a crash the target may be down: what was known of it still holds.
		if schema = in.Schema(); schema == nil {
			return nil, err
		}
		in.log.Warn("the schema could not be read again; the former one is used", "error", err)
	}
	s, err := openStream(ctx, p.rpc, in.streamOptions(caps))
	if err != nil {
		return nil, &StartError{Path: in.cfg.Path, What: "does not work", Err: err}
	}
	s.loops.Go(func() { in.listen(s.ctx, p.rpc) })
	in.mu.Lock()
	in.desc, in.caps, in.schema = desc, caps, schema
	in.mu.Unlock()
	return &live{proc: p, stream: s, since: time.Now()}, nil
}

func (p *process) describe(ctx context.Context, limit time.Duration) (Description, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r, err := p.rpc.Describe(ctx, &pluginv1.DescribeRequest{})
	if err != nil {
		return Description{}, &StartError{Path: p.run.Name(), What: "does not say what it is", Err: rpcError(ctx, err)}
	}
	return Description{Description: protocol.FromProtoDescription(r), Path: p.run.Name(), SHA256: p.sha256, Protocol: p.major}, nil
}

// expect compares what the plugin says of itself with what was pinned.
func (in *Instance) expect(d Description) error {
	e := &StartError{Path: in.cfg.Path, Hint: "pin it again with: provhub plugin pin " + in.cfg.Path}
	switch {
	case in.cfg.Type != "" && d.Type != in.cfg.Type:
		e.What = fmt.Sprintf("is a plugin of type %q, not %q", d.Type, in.cfg.Type)
		e.Hint = "correct the connector's plugin in the config, or install the right binary"
	case in.cfg.Version != "" && d.Version != in.cfg.Version && !in.cfg.Dev:
		e.What = fmt.Sprintf("says that it is version %q, pinned is %q", d.Version, in.cfg.Version)
	default:
		return nil
	}
	return e
}

func (in *Instance) configure(ctx context.Context, p *process, d Description) (connector.Capabilities, error) {
	ctx, cancel := context.WithTimeout(ctx, in.cfg.Times.Configure)
	defer cancel()
	in.mu.Lock()
	secrets := protocol.ToProtoSecrets(in.cfg.Secrets)
	in.mu.Unlock()
	r, err := p.rpc.Configure(ctx, &pluginv1.ConfigureRequest{
		InstanceId: in.cfg.InstanceID, ConfigJson: in.cfg.ConfigJSON, ConfigSchemaVersion: int32(d.ConfigSchemaVersion),
		Secrets: secrets, DataDir: in.cfg.DataDir,
		Limits: &pluginv1.Limits{
			MaxInFlight: int32(in.cfg.InFlight), OperationTimeout: durationpb.New(in.cfg.Timeout), MaxMessageBytes: protocol.MaxMessageBytes,
		},
	})
	if err != nil {
		return connector.Capabilities{}, &StartError{Path: in.cfg.Path, What: "does not take its config", Err: in.rpcError(ctx, err), Log: in.book.last(5)}
	}
	if err := in.findings(r.GetDiagnostics()); err != nil {
		return connector.Capabilities{}, err
	}
	if e := protocol.FromProtoError(r.GetError()); e != nil {
		e = in.redact.Error(e)
		return connector.Capabilities{}, fmt.Errorf("open the target: %w", e)
	}
	if r.GetCapabilities() == nil {
		return d.Capabilities, nil
	}
	return protocol.FromProtoCapabilities(r.GetCapabilities()), nil
}

// findings logs the warnings and returns the errors.
func (in *Instance) findings(ds []*pluginv1.Diagnostic) error {
	fs := protocol.FromProtoFindings(ds)
	faulty := false
	for i, f := range fs {
		fs[i].Summary, fs[i].Detail = in.redact.Text(f.Summary), in.redact.Text(f.Detail)
		if f.Warning {
			in.log.Warn("config: "+fs[i].Summary, "path", f.Path, "hint", fs[i].Detail)
		}
		faulty = faulty || !f.Warning
	}
	if !faulty {
		return nil
	}
	return &ConfigError{Type: in.cfg.Type, Findings: fs}
}

func (in *Instance) discover(ctx context.Context, p *process) (connector.Schema, error) {
	ctx, cancel := context.WithTimeout(ctx, in.cfg.Times.Configure)
	defer cancel()
	r, err := p.rpc.DiscoverSchema(ctx, &pluginv1.DiscoverSchemaRequest{InstanceId: in.cfg.InstanceID})
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", in.rpcError(ctx, err))
	}
	if e := protocol.FromProtoError(r.GetError()); e != nil {
		e = in.redact.Error(e)
		return nil, fmt.Errorf("read the schema: %w", e)
	}
	if err := in.findings(r.GetDiagnostics()); err != nil {
		return nil, err
	}
	in.mu.Lock()
	in.target = in.redact.Text(r.GetFingerprint())
	in.mu.Unlock()
	return protocol.FromProtoSchema(r.GetObjectTypes()), nil
}

func (in *Instance) streamOptions(caps connector.Capabilities) streamOptions {
	o := streamOptions{
		instance: in.cfg.InstanceID, window: in.cfg.Window, inFlight: in.cfg.InFlight,
		answerGrace: in.cfg.Times.AnswerGrace, cancelGrace: in.cfg.Times.CancelGrace,
		redact: in.redact, log: in.log, suspects: in.suspects, throttled: in.cfg.OnThrottle, tracer: newTracer(in.cfg.Path, in.redact),
	}
	if caps.MaxInFlight > 0 && (o.inFlight == 0 || caps.MaxInFlight < o.inFlight) {
		o.inFlight = caps.MaxInFlight
	}
	orElse(&o.inFlight, defaultInFlight)
	orElse(&o.window, min(windowMax, max(defaultWindow, o.inFlight, 2*caps.PreferredBatch)))
	if o.throttled == nil {
		o.throttled = func(time.Time) {}
	}
	return o
}
