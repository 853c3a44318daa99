package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/memory"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

// tampered is the plugin's service with some of its calls replaced: what a
// plugin that was not built with the SDK may do wrong.
type tampered struct {
	pluginv1.ConnectorServiceServer
	describe  func(*pluginv1.DescribeResponse)
	validate  func(*pluginv1.ValidateConfigResponse)
	upgrade   func(*pluginv1.UpgradeConfigResponse)
	configure func(*pluginv1.ConfigureResponse)
	release   func()
	health    func(*pluginv1.HealthResponse)
	drain     func() error
	received  func(*pluginv1.Operation)
	sending   func(send func(*pluginv1.ApplyResponse) error, closed bool, r *pluginv1.ApplyResponse) error
}

func (s *tampered) Describe(ctx context.Context, r *pluginv1.DescribeRequest) (*pluginv1.DescribeResponse, error) {
	resp, err := s.ConnectorServiceServer.Describe(ctx, r)
	if err == nil && s.describe != nil {
		s.describe(resp)
	}
	return resp, err
}

func (s *tampered) ValidateConfig(ctx context.Context, r *pluginv1.ValidateConfigRequest) (*pluginv1.ValidateConfigResponse, error) {
	resp, err := s.ConnectorServiceServer.ValidateConfig(ctx, r)
	if err == nil && s.validate != nil {
		s.validate(resp)
	}
	return resp, err
}

func (s *tampered) UpgradeConfig(ctx context.Context, r *pluginv1.UpgradeConfigRequest) (*pluginv1.UpgradeConfigResponse, error) {
	resp, err := s.ConnectorServiceServer.UpgradeConfig(ctx, r)
	if err == nil && s.upgrade != nil {
		s.upgrade(resp)
	}
	return resp, err
}

func (s *tampered) Configure(ctx context.Context, r *pluginv1.ConfigureRequest) (*pluginv1.ConfigureResponse, error) {
	resp, err := s.ConnectorServiceServer.Configure(ctx, r)
	if err == nil && s.configure != nil {
		s.configure(resp)
	}
	return resp, err
}

func (s *tampered) Release(ctx context.Context, r *pluginv1.ReleaseRequest) (*pluginv1.ReleaseResponse, error) {
	if s.release != nil {
		return &pluginv1.ReleaseResponse{}, nil
	}
	return s.ConnectorServiceServer.Release(ctx, r)
}

func (s *tampered) Health(ctx context.Context, r *pluginv1.HealthRequest) (*pluginv1.HealthResponse, error) {
	resp, err := s.ConnectorServiceServer.Health(ctx, r)
	if err == nil && s.health != nil {
		s.health(resp)
	}
	return resp, err
}

func (s *tampered) Drain(ctx context.Context, r *pluginv1.DrainRequest) (*pluginv1.DrainResponse, error) {
	if s.drain != nil {
		return &pluginv1.DrainResponse{}, s.drain()
	}
	return s.ConnectorServiceServer.Drain(ctx, r)
}

func (s *tampered) Apply(stream grpc.BidiStreamingServer[pluginv1.ApplyRequest, pluginv1.ApplyResponse]) error {
	return s.ConnectorServiceServer.Apply(&tamperedStream{BidiStreamingServer: stream, s: s})
}

type tamperedStream struct {
	grpc.BidiStreamingServer[pluginv1.ApplyRequest, pluginv1.ApplyResponse]
	s      *tampered
	closed atomic.Bool
}

func (t *tamperedStream) Recv() (*pluginv1.ApplyRequest, error) {
	m, err := t.BidiStreamingServer.Recv()
	if errors.Is(err, io.EOF) {
		t.closed.Store(true)
	}
	if t.s.received != nil {
		for _, op := range m.GetBatch().GetOperations() {
			t.s.received(op)
		}
	}
	return m, err
}

func (t *tamperedStream) Send(r *pluginv1.ApplyResponse) error {
	if t.s.sending == nil {
		return t.BidiStreamingServer.Send(r)
	}
	return t.s.sending(t.BidiStreamingServer.Send, t.closed.Load(), r)
}

type server = pluginv1.ConnectorServiceServer

var serverDefects = []defect{
	{name: "B1: Describe answers differently each time", serve: func(s server, _ io.Writer) server {
		var n atomic.Int32
		return &tampered{ConnectorServiceServer: s, describe: func(r *pluginv1.DescribeResponse) { r.Revision = fmt.Sprint(n.Add(1)) }}
	}},
	{name: "B3: an option of a wrong type is not named", serve: func(s server, _ io.Writer) server {
		return &tampered{ConnectorServiceServer: s, validate: func(r *pluginv1.ValidateConfigResponse) {
			for _, d := range r.GetDiagnostics() {
				if !strings.Contains(d.GetPath(), "no_such_option") && !strings.HasPrefix(d.GetPath(), "secrets/") {
					d.Path = ""
				}
			}
		}}
	}},
	{name: "B4: only the first mistake is told", serve: func(s server, _ io.Writer) server {
		return &tampered{ConnectorServiceServer: s, validate: func(r *pluginv1.ValidateConfigResponse) {
			r.Diagnostics = r.Diagnostics[:min(1, len(r.Diagnostics))]
		}}
	}},
	{name: "B5+B7: a missing secret is not noticed", define: func(d *connector.Definition) {
		d.Secrets = slices.Clone(d.Secrets)
		d.Secrets[0].Required = true
	}, serve: func(s server, _ io.Writer) server {
		return &tampered{ConnectorServiceServer: s, validate: func(r *pluginv1.ValidateConfigResponse) {
			r.Diagnostics = slices.DeleteFunc(r.Diagnostics, func(d *pluginv1.Diagnostic) bool { return strings.HasPrefix(d.GetPath(), "secrets/") })
		}}
	}},
	{name: "B6: a config is upgraded differently each time", serve: func(s server, _ io.Writer) server {
		var n atomic.Int32
		return &tampered{ConnectorServiceServer: s, upgrade: func(r *pluginv1.UpgradeConfigResponse) {
			r.ConfigJson = append([]byte(strings.Repeat(" ", int(n.Add(1)))), r.ConfigJson...)
		}}
	}},
	{name: "B7: an option of the last release is gone", serve: func(s server, _ io.Writer) server {
		return &tampered{ConnectorServiceServer: s, describe: func(r *pluginv1.DescribeResponse) {
			r.ConfigSchemaJson = []byte(strings.Replace(string(r.ConfigSchemaJson), `"rename_changes_id"`, `"rename_gives_id"`, 1))
		}}
	}},
	{name: "B7: an action of the last release is gone", serve: func(s server, _ io.Writer) server {
		return &tampered{ConnectorServiceServer: s, describe: func(r *pluginv1.DescribeResponse) { r.Actions = r.Actions[1:] }}
	}},
	{name: "C2: a released instance goes on", serve: func(s server, _ io.Writer) server {
		return &tampered{ConnectorServiceServer: s, release: func() {}}
	}},
	{name: "F1: an answer is given twice", serve: func(s server, _ io.Writer) server {
		return &tampered{ConnectorServiceServer: s, sending: func(send func(*pluginv1.ApplyResponse) error, _ bool, r *pluginv1.ApplyResponse) error {
			return errors.Join(send(r), send(r))
		}}
	}},
	{name: "F1+F2: the order of one account's operations is not kept", define: func(d *connector.Definition) {
		slowCreate(d, 20*time.Millisecond)
	}, serve: func(s server, _ io.Writer) server {
		return &tampered{ConnectorServiceServer: s, received: func(op *pluginv1.Operation) { op.OrderingKey = "" }}
	}},
	{name: "F3: more operations run at once than is declared", serve: func(s server, _ io.Writer) server {
		return &tampered{ConnectorServiceServer: s, configure: func(r *pluginv1.ConfigureResponse) {
			if r.GetCapabilities() != nil {
				r.Capabilities.MaxInFlight = 1
			}
		}}
	}},
	{name: "F5+G5: the time limit of an operation is not obeyed", serve: func(s server, _ io.Writer) server {
		return &tampered{ConnectorServiceServer: s, received: func(op *pluginv1.Operation) { op.Timeout = nil }}
	}},
	{name: "F6: a half-close cuts the answers off", serve: func(s server, _ io.Writer) server {
		return &tampered{ConnectorServiceServer: s, sending: func(send func(*pluginv1.ApplyResponse) error, closed bool, r *pluginv1.ApplyResponse) error {
			if closed {
				return io.EOF
			}
			return send(r)
		}}
	}, define: func(d *connector.Definition) { slowCreate(d, time.Millisecond) }},
	{name: "F7: a dry run is carried out", serve: func(s server, _ io.Writer) server {
		return &tampered{ConnectorServiceServer: s, received: func(op *pluginv1.Operation) { op.DryRun = false }}
	}},
	{name: "G5: Health waits for the target", serve: func(s server, _ io.Writer) server {
		return &tampered{ConnectorServiceServer: s, health: func(r *pluginv1.HealthResponse) {
			for began := time.Now(); r.GetInFlight() > 4 && time.Since(began) < patience; time.Sleep(20 * time.Millisecond) {
				now, err := s.Health(context.Background(), &pluginv1.HealthRequest{})
				if err != nil {
					return
				}
				r.InFlight = now.GetInFlight()
			}
		}}
	}},
	{name: "G6: what waits is kept in memory, whatever it costs", serve: func(s server, _ io.Writer) server {
		var held atomic.Int64
		return &tampered{ConnectorServiceServer: s, received: func(op *pluginv1.Operation) { held.Add(1 << 20) },
			health: func(r *pluginv1.HealthResponse) { r.HeapBytes += held.Load() }}
	}},
	{name: "I2: lines are logged as they come", serve: func(s server, log io.Writer) server {
		return &tampered{ConnectorServiceServer: s, received: func(*pluginv1.Operation) { fmt.Fprintln(log, "got one!") }}
	}},
	{name: "I4: Drain does nothing", serve: func(s server, _ io.Writer) server {
		return &tampered{ConnectorServiceServer: s, drain: func() error { return nil }}
	}},
}

// slowCreate makes creates take a while.
func slowCreate(d *connector.Definition, wait time.Duration) {
	d.Open = func(ctx context.Context, config json.RawMessage, in connector.Instance) (connector.Target, error) {
		t, err := memory.Definition.Open(ctx, config, in)
		if err != nil {
			return nil, err
		}
		m := t.(*memory.Target)
		return &partial{Target: m, create: func(ctx context.Context, c connector.Create) (connector.Ref, error) {
			time.Sleep(wait)
			return m.Create(ctx, c)
		}}, nil
	}
}

// processDefects are built into internal/plugin.
var processDefects = []defect{
	{name: "A2: started by hand it says nothing"}, {name: "A3: it prints to stdout"}, {name: "A4: it does not ask who calls"},
	{name: "A5: it exits without a word where a second version is offered"}, {name: "A6: it leaves a file in its working directory"},
	{name: "A7: it takes its time to start"}, {name: "A8: it outlives the hub"},
	{name: "G3: it forgets what an earlier process has made"}, {name: "H4: its sync tokens die with the process"},
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o755)
}

func TestEachCheckFindsItsDefectInAProcess(t *testing.T) {
	sound := filepath.Join(t.TempDir(), "plugin")
	build(t, "./internal/plugin", sound)
	for _, d := range processDefects {
		t.Run(d.name, func(t *testing.T) {
			id, _, _ := strings.Cut(d.name, ":")
			target := memoryTarget(t)
			target.Binary = filepath.Join(t.TempDir(), "plugin-"+id)
			require.NoError(t, copyFile(sound, target.Binary))
			// The rest of the suite is the same as in-process.
			o := Options{Quick: true, Only: []string{id}}
			if !testing.Short() && id != "A7" { // which would take long with every start
				o.Only = append(o.Only, "A1", "A2", "A3", "A4", "A5", "A6", "A8", "C2", "E1", "F1", "G2", "G3", "H4", "H5")
			}
			report, err := Suite(t.Context(), target, o)
			require.NoError(t, err)
			assert.Equal(t, []string{id}, failedIn(t, report))
		})
	}
}
