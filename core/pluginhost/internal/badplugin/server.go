package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// config is the plugin's config.
type config struct {
	// Journal is a file that gets the id of each operation that took effect.
	Journal string `json:"journal"`
	// DelayMS is how long an operation takes.
	DelayMS int `json:"delay_ms"`
	// Refuse, TargetDown and SchemaDown make Configure and DiscoverSchema fail.
	Refuse     bool `json:"refuse"`
	TargetDown bool `json:"target_down"`
	SchemaDown bool `json:"schema_down"`
}

type server struct {
	pb.UnimplementedConnectorServiceServer
	mode     string
	config   config
	secrets  map[string]connector.Secret
	journal  *os.File
	slots    chan struct{}
	draining atomic.Bool
	replaced chan string
	work     sync.WaitGroup
}

func (s *server) Describe(context.Context, *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	d := protocol.Description{Type: "bad", DisplayName: "Bad", Version: "1.0.0", ConfigSchema: json.RawMessage(`{}`),
		Capabilities: connector.Capabilities{MaxInFlight: 16}}
	if s.mode == "other" {
		d.Type = "other"
	}
	return protocol.ToProtoDescription(d), nil
}

func (s *server) ValidateConfig(_ context.Context, r *pb.ValidateConfigRequest) (*pb.ValidateConfigResponse, error) {
	var c config
	var fs []connector.Finding
	if err := json.Unmarshal(r.GetConfigJson(), &c); err != nil || c.Refuse {
		fs = append(fs, connector.Finding{Path: "/refuse", Summary: "must be false"})
	}
	return &pb.ValidateConfigResponse{Diagnostics: protocol.ToProtoFindings(fs)}, nil
}

func (s *server) Configure(_ context.Context, r *pb.ConfigureRequest) (*pb.ConfigureResponse, error) {
	s.secrets = protocol.FromProtoSecrets(r.GetSecrets())
	if err := json.Unmarshal(r.GetConfigJson(), &s.config); err != nil {
		return nil, err
	}
	switch {
	case s.config.Refuse:
		return &pb.ConfigureResponse{Diagnostics: protocol.ToProtoFindings([]connector.Finding{
			{Path: "/refuse", Summary: "must be false, not " + s.secrets["password"].Reveal(), Detail: "leave it out"}})}, nil
	case s.config.TargetDown:
		return &pb.ConfigureResponse{Error: protocol.ToProtoError(connector.Errorf(connector.CodeAuthentication,
			"login with %s refused", s.secrets["password"].Reveal()))}, nil
	}
	if s.config.Journal != "" {
		f, err := os.OpenFile(s.config.Journal, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		s.journal = f
	}
	s.slots = make(chan struct{}, 16)
	return &pb.ConfigureResponse{Capabilities: protocol.ToProtoCapabilities(connector.Capabilities{
		Verbs: []connector.Verb{connector.VerbCreate, connector.VerbUpdate}, Get: true, List: true, MaxInFlight: 16})}, nil
}

func (s *server) DiscoverSchema(context.Context, *pb.DiscoverSchemaRequest) (*pb.DiscoverSchemaResponse, error) {
	if s.config.SchemaDown {
		return &pb.DiscoverSchemaResponse{Error: protocol.ToProtoError(connector.Errorf(connector.CodeUnavailable, "connection refused"))}, nil
	}
	types, err := protocol.ToProtoSchema(connector.Schema{{Name: "user", Kind: connector.KindAccount, Attributes: []connector.Attr{{Name: "do"}}}})
	return &pb.DiscoverSchemaResponse{ObjectTypes: types}, err
}

func (s *server) RotateSecrets(_ context.Context, r *pb.RotateSecretsRequest) (*pb.RotateSecretsResponse, error) {
	s.secrets = protocol.FromProtoSecrets(r.GetSecrets())
	return &pb.RotateSecretsResponse{}, nil
}

// Events tells of what operations ask for with "replace".
func (s *server) Events(_ *pb.EventsRequest, out pb.ConnectorService_EventsServer) error {
	for {
		select {
		case value := <-s.replaced:
			err := out.Send(&pb.EventsResponse{InstanceId: "crm", Event: &pb.EventsResponse_SecretReplaced{
				SecretReplaced: &pb.Secret{Name: "password", Value: []byte(value)}}})
			if err != nil {
				return err
			}
		case <-out.Context().Done():
			return nil
		}
	}
}

func (s *server) Release(context.Context, *pb.ReleaseRequest) (*pb.ReleaseResponse, error) {
	return &pb.ReleaseResponse{}, nil
}

func (s *server) Health(context.Context, *pb.HealthRequest) (*pb.HealthResponse, error) {
	if s.mode == "sick" {
		time.Sleep(time.Hour)
	}
	return &pb.HealthResponse{Serving: true, HeapBytes: 1 << 20, Goroutines: 10}, nil
}

func (s *server) Drain(ctx context.Context, r *pb.DrainRequest) (*pb.DrainResponse, error) {
	s.draining.Store(true)
	done := make(chan struct{})
	go func() { s.work.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(r.GetGrace().AsDuration()):
	case <-ctx.Done():
	}
	return &pb.DrainResponse{}, nil
}

func (s *server) Check(context.Context, *pb.CheckRequest) (*pb.CheckResponse, error) {
	return protocol.ToProtoCheck([]connector.CheckStep{
		{Name: "connect", Status: connector.CheckPass},
		{Name: "login", Status: connector.CheckFail, Message: "password " + s.secrets["password"].Reveal() + " refused"},
	}, "Bad 1.0"), nil
}

// Get answers with the environment and the like, so that tests can look inside.
func (s *server) Get(_ context.Context, r *pb.GetRequest) (*pb.GetResponse, error) {
	obj := connector.Object{Ref: connector.Ref{Type: "user", ID: r.GetRef().GetId()}}
	switch r.GetRef().GetId() {
	case "missing":
		return &pb.GetResponse{Error: protocol.ToProtoError(connector.Errorf(connector.CodeNotFound, "no such user"))}, nil
	case "environment":
		cwd, _ := os.Getwd()
		stdin, _ := os.Readlink("/proc/self/fd/0")
		fds, _ := os.ReadDir("/proc/self/fd")
		obj.Attributes = connector.Attributes{
			{Name: "env", Values: texts(os.Environ())}, {Name: "args", Values: texts(os.Args)}, {Name: "cwd", Values: texts([]string{cwd})},
			{Name: "stdin", Values: texts([]string{stdin})}, {Name: "descriptors", Values: connector.Values{int64(len(fds))}},
			{Name: "password", Values: texts([]string{s.secrets["password"].Reveal()})},
		}
	}
	p, err := protocol.ToProtoObject(obj)
	return &pb.GetResponse{Object: p}, err
}

func texts(ss []string) (vs connector.Values) {
	for _, s := range ss {
		vs = append(vs, s)
	}
	return vs
}

// List sends n objects for the type "n", and ends without saying so for "cut".
func (s *server) List(r *pb.ListRequest, out pb.ConnectorService_ListServer) error {
	for i := range 3 {
		p, _ := protocol.ToProtoObject(connector.Object{Ref: connector.Ref{Type: "user", ID: fmt.Sprint(i)}, ModifiedAt: timestamppb.Now().AsTime()})
		if err := out.Send(&pb.ListResponse{Objects: []*pb.Object{p}}); err != nil {
			return err
		}
	}
	if strings.HasPrefix(r.GetObjectType(), "cut") {
		return nil
	}
	return out.Send(&pb.ListResponse{Last: true, Complete: true, SyncToken: []byte("t")})
}
