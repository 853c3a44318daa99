package sdk

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// ValidateConfig finds every fault of a config without using it.
func (s *server) ValidateConfig(_ context.Context, r *pb.ValidateConfigRequest) (*pb.ValidateConfigResponse, error) {
	fs := s.config.findings(r.GetConfigJson(), r.GetSecretNames())
	return &pb.ValidateConfigResponse{Diagnostics: protocol.ToProtoFindings(fs)}, nil
}

// UpgradeConfig returns a config of the current version as it is; there is no
// older one.
func (s *server) UpgradeConfig(_ context.Context, r *pb.UpgradeConfigRequest) (*pb.UpgradeConfigResponse, error) {
	resp := &pb.UpgradeConfigResponse{ConfigJson: r.GetConfigJson()}
	if r.GetFromVersion() > configSchemaVersion {
		resp.Diagnostics = protocol.ToProtoFindings([]connector.Finding{{
			Summary: "the config was written for a newer version of this connector", Detail: "update the plugin"}})
	}
	return resp, nil
}

// Configure opens an instance. Doing it again replaces the config; when the new
// one is no good, the old one stays in service.
func (s *server) Configure(ctx context.Context, r *pb.ConfigureRequest) (*pb.ConfigureResponse, error) {
	in, err := s.slot(r.GetInstanceId())
	if err != nil {
		return nil, err
	}
	in.configuring.Lock()
	defer in.configuring.Unlock()

	config, secrets := json.RawMessage(r.GetConfigJson()), protocol.FromProtoSecrets(r.GetSecrets())
	in.red.Know(secrets)
	fs := s.config.findings(config, slices.Sorted(maps.Keys(secrets)))
	resp := &pb.ConfigureResponse{Diagnostics: protocol.ToProtoFindings(in.redactFindings(fs))}
	if faulty(fs) {
		return resp, nil
	}
	o, err := s.open(ctx, in, config, secrets, r.GetDataDir())
	if err != nil {
		resp.Error = protocol.ToProtoError(in.red.Error(connector.AsError(err)))
		return resp, nil
	}
	in.remember(config, secrets, r.GetDataDir())
	in.engine.configure(o.caps, limitsOf(r.GetLimits()))
	s.putInService(in, o)
	resp.Capabilities = protocol.ToProtoCapabilities(o.caps)
	return resp, nil
}

// putInService replaces the target. An instance that was released meanwhile
// does not come back.
func (s *server) putInService(in *instance, o *opened) {
	s.mu.Lock()
	alive := s.instances[in.id] == in
	old := o
	if alive {
		old = in.replace(o)
	}
	s.mu.Unlock()
	if old != nil {
		old.retire()
	}
}

// open opens a target with the given secrets.
func (s *server) open(ctx context.Context, in *instance, config json.RawMessage, secrets map[string]connector.Secret, dataDir string) (*opened, error) {
	o := &opened{log: in.log, closed: make(chan struct{})}
	err := guard(ctx, in.log, "Open", func() (err error) {
		o.target, err = s.def.Open(ctx, config, connector.Instance{
			ID: in.id, Secrets: maps.Clone(secrets), Log: in.log, DataDir: dataDir,
			SecretReplaced: func(name string, value connector.Secret) { s.secretReplaced(in, name, value) },
		})
		if err == nil && o.target == nil {
			return connector.Errorf(connector.CodeInternal, "the connector opened no target and gave no reason")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	o.caps = connector.CapabilitiesOf(o.target, s.def)
	return o, nil
}

// RotateSecrets gives a live instance new secrets. A target that cannot take
// them while it runs is opened anew; operations under way finish with the old.
func (s *server) RotateSecrets(ctx context.Context, r *pb.RotateSecretsRequest) (*pb.RotateSecretsResponse, error) {
	in, err := s.instance(r.GetInstanceId())
	if err != nil {
		return nil, err
	}
	in.configuring.Lock()
	defer in.configuring.Unlock()
	fresh := protocol.FromProtoSecrets(r.GetSecrets())
	in.red.Know(fresh)
	if err := s.rotate(ctx, in, fresh); err != nil {
		return &pb.RotateSecretsResponse{Error: protocol.ToProtoError(in.red.Error(connector.AsError(err)))}, nil
	}
	return &pb.RotateSecretsResponse{}, nil
}

func (s *server) rotate(ctx context.Context, in *instance, fresh map[string]connector.Secret) error {
	config, secrets, dataDir := in.remembered()
	maps.Copy(secrets, fresh)
	o := in.acquire()
	if o == nil {
		return connector.Errorf(connector.CodeConfiguration, "the instance was released")
	}
	defer o.done()
	if rotator, ok := o.target.(connector.Rotator); ok {
		if err := guard(ctx, in.log, "RotateSecrets", func() error { return rotator.RotateSecrets(ctx, maps.Clone(secrets)) }); err != nil {
			return err
		}
		in.remember(config, secrets, dataDir)
		return nil
	}
	next, err := s.open(ctx, in, config, secrets, dataDir)
	if err != nil {
		return err
	}
	in.remember(config, secrets, dataDir)
	s.putInService(in, next)
	return nil
}

// secretReplaced tells the hub that the target replaced a secret by itself, and
// uses the new one from now on.
func (s *server) secretReplaced(in *instance, name string, value connector.Secret) {
	in.red.Know(map[string]connector.Secret{name: value})
	in.mu.Lock()
	if in.secrets != nil {
		in.secrets[name] = value
	}
	in.mu.Unlock()
	s.events.publish(&pb.EventsResponse{
		InstanceId: in.id, At: timestamppb.Now(),
		Event: &pb.EventsResponse_SecretReplaced{SecretReplaced: &pb.Secret{Name: name, Value: []byte(value.Reveal())}},
	})
}

func (in *instance) redactFindings(fs []connector.Finding) []connector.Finding {
	out := make([]connector.Finding, len(fs))
	for i, f := range fs {
		f.Path, f.Summary, f.Detail = in.red.Text(f.Path), in.red.Text(f.Summary), in.red.Text(f.Detail)
		out[i] = f
	}
	return out
}
