package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	plugin "github.com/hashicorp/go-plugin"
	gorunner "github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"

	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// spec says which binary to launch, and how.
type spec struct {
	path       string
	sha256     string   // "": any
	env        []string // besides what go-plugin needs
	runtimeDir string
	timeout    time.Duration // for everything up to the answer to Describe
	book       *logbook
	raw        io.Writer // gets stderr too; nil: nobody
}

// process is one running plugin that answered Describe.
type process struct {
	run     *runner
	client  *plugin.Client
	rpc     pluginv1.ConnectorServiceClient
	dir     *runDir
	sha256  string
	outputs []*lineWriter
	started time.Time
	major   int
}

// launch starts the plugin and waits until its gRPC server answers. When it
// returns an error nothing is left of the process.
func launch(ctx context.Context, s spec) (*process, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	bin, err := openBinary(s.path, s.sha256)
	if err != nil {
		return nil, err
	}
	defer bin.file.Close()
	dir, err := newRunDir(s.runtimeDir)
	if err != nil {
		return nil, err
	}
	p := &process{dir: dir, sha256: bin.sha256, started: time.Now()}
	pluginAttr := slog.String("plugin", s.path)
	errLog, out := s.book.stderr(pluginAttr), s.book.printed("stdout", pluginAttr)
	syncOut, syncErr := s.book.printed("stdout", pluginAttr), s.book.printed("stderr", pluginAttr)
	p.outputs = []*lineWriter{errLog, out, syncOut, syncErr}
	p.run = newRunner(bin, dir.path, out)
	var stderr io.Writer = errLog
	if s.raw != nil {
		stderr = io.MultiWriter(s.raw, errLog)
	}
	p.client = plugin.NewClient(clientConfig(s, p.run, dir, stderr, syncOut, syncErr))

	stopWatching := context.AfterFunc(ctx, p.run.kill)
	defer stopWatching()
	if err := p.connect(); err != nil {
		err = p.startError(ctx, s, err)
		p.stop(0)
		return nil, err
	}
	return p, nil
}

// clientConfig is made anew for every start: go-plugin keeps state in it.
func clientConfig(s spec, run *runner, dir *runDir, stderr, syncOut, syncErr io.Writer) *plugin.ClientConfig {
	return &plugin.ClientConfig{
		HandshakeConfig:  protocol.Handshake,
		VersionedPlugins: protocol.PluginSets(nil),
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, _ string) (gorunner.Runner, error) {
			run.prepare(append(cmd.Env, s.env...))
			return run, nil
		},
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: dir.path},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		// Always: without it a certificate in the handshake line ends the host.
		AutoMTLS:     true,
		SkipHostEnv:  true,
		StartTimeout: s.timeout,
		// Off, so that go-plugin never parses what the plugin logs: a line such
		// as {"@message": 1} ends the host. The raw lines go to Stderr.
		Logger:     hclog.New(&hclog.LoggerOptions{Level: hclog.Off, Output: io.Discard}),
		Stderr:     stderr,
		SyncStdout: syncOut,
		SyncStderr: syncErr,
		GRPCDialOptions: append(newTracer(s.path, s.book.redact).dialOptions(), grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(protocol.MaxMessageBytes), grpc.MaxCallSendMsgSize(protocol.MaxMessageBytes))),
	}
}

// connect runs go-plugin's handshake and dials.
func (p *process) connect() error {
	client, err := p.client.Client()
	if err != nil {
		return err
	}
	raw, err := client.Dispense(protocol.PluginName)
	if err != nil {
		return err
	}
	p.rpc = raw.(pluginv1.ConnectorServiceClient)
	p.major = p.client.NegotiatedVersion()
	return nil
}

// startError finds out why the plugin did not come up.
func (p *process) startError(ctx context.Context, s spec, err error) error {
	e := &StartError{Path: s.path, Err: err}
	// How it ended and what it wrote come a moment later.
	p.await(pipeGrace / 4)
	p.run.awaitLog(pipeGrace / 4)
	e.Log = s.book.last(5)
	line, isHandshake := p.run.first.first()
	status := p.run.exitStatus()
	switch {
	case p.run.ID() == "":
		return e.notStarted()
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled):
		e.What, e.Err = "was not started", context.Cause(ctx)
	case line != "" && !isHandshake:
		e.What, e.Err = fmt.Sprintf("printed %q where the handshake of a plugin is expected", clip(s.book.redact.Text(line), 80)), nil
		e.Hint = "it is not a provhub plugin, or prints to stdout before it serves"
	case strings.Contains(err.Error(), "incompatible API version"):
		e.What, e.Err = fmt.Sprintf("does not speak protocol %d (handshake %q)", protocol.Major, clip(line, 12)), nil
		e.Hint = "use a version of the plugin that was built for this provhub"
	case ctx.Err() != nil && line == "":
		e.What, e.Err = fmt.Sprintf("did not get ready within %s", s.timeout), nil
		e.Hint = "the machine is overloaded, or the plugin hangs before it serves"
	case status != "" && line == "":
		e.What, e.Err = fmt.Sprintf("ended at its start (%s)", status), nil
		e.Hint = "run it by hand to see what it says; a program that is no plugin ends the same way"
	default:
		e.What = "could not be reached after its start"
	}
	return e
}

func (e *StartError) notStarted() error {
	e.Log = nil
	switch {
	case errors.Is(e.Err, syscall.ENOEXEC):
		e.What, e.Err = "cannot be executed here", nil
		e.Hint = "it is not an executable file"
		if bin, err := openBinary(e.Path, ""); err == nil {
			defer bin.file.Close()
			if built := platformOf(bin.file); built != "" {
				e.What = fmt.Sprintf("was built for %s, this machine is %s", built, Platform())
				e.Hint = "get the build for this platform"
			}
		}
	case errors.Is(e.Err, syscall.EACCES):
		e.What, e.Hint = "may not be executed", "check its mode and whether its file system is mounted noexec"
	case errors.Is(e.Err, syscall.ENOENT):
		e.What, e.Hint = "cannot be executed", "its interpreter or loader is not on this machine"
	default:
		e.What = "could not be started"
	}
	return e
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}
