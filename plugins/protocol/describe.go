package protocol

import (
	"encoding/json"

	"github.com/provhub/provhub/connectors/connector"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// Description is what a plugin says of itself before it is configured.
type Description struct {
	Type, DisplayName, Version string
	Revision                   string // of its source
	SDKVersion                 string
	ConfigSchema               json.RawMessage // JSON Schema 2020-12
	ConfigSchemaVersion        int
	Secrets                    []connector.SecretSpec
	Actions                    []connector.Action
	// Capabilities holds the numbers of the type. What a target can do is known
	// once it is configured: Verbs is empty until then.
	Capabilities connector.Capabilities
	Features     []string
}

// ToProtoDescription converts what a plugin says of itself.
func ToProtoDescription(d Description) *pb.DescribeResponse {
	return &pb.DescribeResponse{
		Type: prose(d.Type), DisplayName: prose(d.DisplayName), Version: prose(d.Version), Revision: prose(d.Revision),
		SdkVersion: prose(d.SDKVersion), ConfigSchemaJson: d.ConfigSchema, ConfigSchemaVersion: clamp32(d.ConfigSchemaVersion),
		Secrets: toProtoSecretSpecs(d.Secrets), Actions: toProtoActions(d.Actions),
		Capabilities: ToProtoCapabilities(d.Capabilities), Features: prosaic(d.Features),
	}
}

// FromProtoDescription is the inverse of [ToProtoDescription].
func FromProtoDescription(p *pb.DescribeResponse) Description {
	return Description{
		Type: p.GetType(), DisplayName: p.GetDisplayName(), Version: p.GetVersion(), Revision: p.GetRevision(),
		SDKVersion: p.GetSdkVersion(), ConfigSchema: p.GetConfigSchemaJson(), ConfigSchemaVersion: int(p.GetConfigSchemaVersion()),
		Secrets: fromProtoSecretSpecs(p.GetSecrets()), Actions: fromProtoActions(p.GetActions()),
		Capabilities: FromProtoCapabilities(p.GetCapabilities()), Features: p.GetFeatures(),
	}
}

// ToProtoCapabilities converts what a target can do.
func ToProtoCapabilities(c connector.Capabilities) *pb.Capabilities {
	p := &pb.Capabilities{
		Operations: toProtoVerbs(c.Verbs), Idempotency: idempotencies.to[c.Idempotency], Get: c.Get, List: c.List,
		Changes: pb.ChangesSupport_CHANGES_SUPPORT_NONE, DryRun: c.DryRun, AtomicGroup: c.Atomic,
		MaxInFlight: clamp32(c.MaxInFlight), PreferredBatch: clamp32(c.PreferredBatch), Exclusive: c.Exclusive, Rotate: c.Rotate,
	}
	if c.Changes {
		p.Changes = pb.ChangesSupport_CHANGES_SUPPORT_FULL
	}
	return p
}

// FromProtoCapabilities is the inverse of [ToProtoCapabilities]. An idempotency
// that is not known here counts as none, the safe one.
func FromProtoCapabilities(p *pb.Capabilities) connector.Capabilities {
	c := connector.Capabilities{
		Verbs: fromProtoVerbs(p.GetOperations()), Idempotency: idempotencies.from[p.GetIdempotency()], Get: p.GetGet(), List: p.GetList(),
		Changes: p.GetChanges() == pb.ChangesSupport_CHANGES_SUPPORT_FULL, DryRun: p.GetDryRun(), Atomic: p.GetAtomicGroup(),
		MaxInFlight: max(0, int(p.GetMaxInFlight())), PreferredBatch: max(0, int(p.GetPreferredBatch())),
		Exclusive: p.GetExclusive(), Rotate: p.GetRotate(),
	}
	if c.Idempotency == "" {
		c.Idempotency = connector.IdempotencyNone
	}
	return c
}

func toProtoSecretSpecs(ss []connector.SecretSpec) []*pb.SecretSpec {
	var out []*pb.SecretSpec
	for _, s := range ss {
		out = append(out, &pb.SecretSpec{Name: prose(s.Name), Description: prose(s.Description), Required: s.Required, Rotatable: s.Rotatable})
	}
	return out
}

func fromProtoSecretSpecs(ps []*pb.SecretSpec) []connector.SecretSpec {
	var out []connector.SecretSpec
	for _, p := range ps {
		out = append(out, connector.SecretSpec{Name: p.GetName(), Description: p.GetDescription(), Required: p.GetRequired(), Rotatable: p.GetRotatable()})
	}
	return out
}

// ToProtoSecrets converts secrets for Configure and RotateSecrets, the only
// messages that carry them besides operations. Never print the result.
func ToProtoSecrets(ss map[string]connector.Secret) []*pb.Secret {
	var out []*pb.Secret
	for name, s := range ss {
		out = append(out, &pb.Secret{Name: prose(name), Value: []byte(s.Reveal())})
	}
	return out
}

// FromProtoSecrets is the inverse of [ToProtoSecrets].
func FromProtoSecrets(ps []*pb.Secret) map[string]connector.Secret {
	out := make(map[string]connector.Secret, len(ps))
	for _, p := range ps {
		out[p.GetName()] = fromProtoSecret(p)
	}
	return out
}
