package pluginhost

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/provhub/provhub/plugins/redact"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// Process is a plugin process without supervision and without an instance: for
// the conformance suite, which starts plugins as the hub does and then
// mistreats them.
type Process struct{ p *process }

// Launch starts the plugin that cfg names, as [Start] does, and hands it over
// once its server answers. It does not configure it. Of cfg it uses Path,
// SHA256, Dev, Env, RuntimeDir, Log and Times.Start. stderr gets what the
// plugin logs, as it is; nil: nobody.
func Launch(ctx context.Context, cfg Config, stderr io.Writer) (*Process, error) {
	if cfg.InstanceID == "" {
		cfg.InstanceID = cfg.Path
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := cfg.spec(newLogbook(cfg.Log, redact.New(nil)))
	s.raw = stderr
	p, err := launch(ctx, s)
	if err != nil {
		return nil, err
	}
	return &Process{p}, nil
}

// RPC returns the plugin's service.
func (p *Process) RPC() pluginv1.ConnectorServiceClient { return p.p.rpc }

// PID returns the process id.
func (p *Process) PID() int { return p.p.run.pid() }

// Dir returns the process's private folder, which holds its socket.
func (p *Process) Dir() string { return p.p.dir.path }

// Addr returns where the plugin listens; nil when that is not known.
func (p *Process) Addr() net.Addr {
	if c := p.p.client.ReattachConfig(); c != nil {
		return c.Addr
	}
	return nil
}

// Exited is closed once the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.p.run.exited }

// LetGo closes the lifeline, as the death of the hub does. The plugin has to
// exit by itself.
func (p *Process) LetGo() { _ = p.p.run.lifeline.Close() }

// Kill ends the process and all it started, at once. Stop must follow.
func (p *Process) Kill() { p.p.run.kill() }

// Stop ends the process within grace and removes what is left of it.
func (p *Process) Stop(grace time.Duration) { p.p.stop(grace) }
