package sdk

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	"github.com/provhub/provhub/plugins/redact"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// Version is the version of the SDK, told in Describe.
const Version = "1.0.0"

// configSchemaVersion is the only one so far.
const configSchemaVersion = 1

// NewServer returns the service that [Serve] serves, for use in the same
// process: tests reach it over any gRPC connection. It logs to os.Stderr.
func NewServer(d *connector.Definition) pb.ConnectorServiceServer { return newServer(d, os.Stderr) }

// NewServerLogging is [NewServer] with a place for the log.
func NewServerLogging(d *connector.Definition, log io.Writer) pb.ConnectorServiceServer {
	return newServer(d, log)
}

// server implements the plugin's side of the protocol for one definition.
type server struct {
	pb.UnimplementedConnectorServiceServer
	def     *connector.Definition
	config  *configCheck
	actions map[string]*schemaCheck // what each takes
	log     io.Writer
	events  *events

	// draining is the one switch that health, engines and actions go by: whoever is
	// told that the plugin drains can rely on it. An instance that is made before it is
	// set is seen by Drain.
	draining atomic.Bool

	mu        sync.Mutex
	instances map[string]*instance
}

func newServer(d *connector.Definition, log io.Writer) *server {
	return &server{
		def: d, config: newConfigCheck(d), actions: actionChecks(d), log: &lockedWriter{w: log},
		events: newEvents(), instances: map[string]*instance{},
	}
}

// Describe answers from memory: no config, no network.
func (s *server) Describe(context.Context, *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	d := s.def
	return protocol.ToProtoDescription(protocol.Description{
		Type: d.Type, DisplayName: d.DisplayName, Version: d.Version, Revision: revision(), SDKVersion: Version,
		ConfigSchema: d.ConfigSchema, ConfigSchemaVersion: configSchemaVersion, Secrets: d.Secrets, Actions: d.Actions,
		Capabilities: connector.Capabilities{Idempotency: d.Idempotency, MaxInFlight: d.MaxInFlight,
			PreferredBatch: d.PreferredBatch, Exclusive: d.Exclusive},
	}), nil
}

// revision is the commit the binary was built from, "" when it is not known.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}

// instance returns the open instance called id.
func (s *server) instance(id string) (*instance, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in, ok := s.instances[id]
	if !ok || !in.isOpen() {
		return nil, status.Errorf(codes.FailedPrecondition, "instance %q is not configured; call Configure first", id)
	}
	return in, nil
}

// slot returns the instance called id, opened or not.
func (s *server) slot(id string) (*instance, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining.Load() {
		return nil, status.Error(codes.FailedPrecondition, "the plugin is draining and takes no new instance")
	}
	in, ok := s.instances[id]
	if !ok {
		red := redact.New(nil)
		in = newInstance(id, &s.draining, red, newLogger(s.log, red, id))
		s.instances[id] = in
	}
	return in, nil
}

func (s *server) all() []*instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*instance, 0, len(s.instances))
	for _, in := range s.instances {
		out = append(out, in)
	}
	slices.SortFunc(out, func(a, b *instance) int {
		if a.id < b.id {
			return -1
		}
		return 1
	})
	return out
}

// Health answers from memory, whatever the targets do.
func (s *server) Health(context.Context, *pb.HealthRequest) (*pb.HealthResponse, error) {
	r := &pb.HealthResponse{Serving: !s.draining.Load(), Goroutines: int64(runtime.NumGoroutine()), HeapBytes: heapBytes()}
	for _, in := range s.all() {
		h := in.engine.health()
		p := &pb.InstanceHealth{InstanceId: in.id, InFlight: int64(h.open), LastError: protocol.ToProtoError(h.lastError)}
		if !h.lastSuccess.IsZero() {
			p.LastSuccess = timestamppb.New(h.lastSuccess)
		}
		r.InFlight += p.InFlight
		r.Instances = append(r.Instances, p)
	}
	return r, nil
}

// heapBytes reads one gauge; it does not stop the world as ReadMemStats does.
func heapBytes() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// Drain takes nothing new and waits until everything is answered or the grace
// time is over. What comes in afterwards is answered as cancelled.
func (s *server) Drain(ctx context.Context, r *pb.DrainRequest) (*pb.DrainResponse, error) {
	s.draining.Store(true)
	if r.GetGrace() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.GetGrace().AsDuration())
		defer cancel()
	}
	resp := &pb.DrainResponse{}
	instances := s.all()
	for _, in := range instances {
		in.engine.drain()
	}
	for _, in := range instances {
		resp.UnansweredOperationIds = append(resp.UnansweredOperationIds, in.engine.settle(ctx)...)
		resp.UnansweredOperationIds = append(resp.UnansweredOperationIds, in.actions.settle(ctx)...)
	}
	return resp, nil
}

// Release closes one instance. Releasing what is not there is fine.
func (s *server) Release(ctx context.Context, r *pb.ReleaseRequest) (*pb.ReleaseResponse, error) {
	s.mu.Lock()
	in := s.instances[r.GetInstanceId()]
	delete(s.instances, r.GetInstanceId())
	s.mu.Unlock()
	if in != nil {
		in.release(ctx)
	}
	return &pb.ReleaseResponse{}, nil
}

// closeAll releases every instance, within ctx.
func (s *server) closeAll(ctx context.Context) {
	for _, in := range s.all() {
		in.release(ctx)
	}
}

// guard runs f and turns a panic of the connector into an error: one bad call
// must not end the process that serves the others. The error has no code, since
// a panic leaves open what took effect; see [connector.ResultOf].
func guard(ctx context.Context, log *slog.Logger, what string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.ErrorContext(ctx, "the connector panicked", "in", what, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("the connector panicked in %s; its log has the stack", what)
		}
	}()
	return f()
}
