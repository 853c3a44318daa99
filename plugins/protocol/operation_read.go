package protocol

import (
	"math"

	"github.com/provhub/provhub/connectors/connector"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// FromProtoOperation is the inverse of [ToProtoOperation]. An idempotency key
// that is not set is the operation's id. The error is UNSUPPORTED for an action
// that is not known here, INVALID_VALUE for a value that cannot be read; then
// nothing of the operation may be carried out.
func FromProtoOperation(p *pb.Operation) (connector.Operation, error) {
	c := connector.Call{
		ID: p.GetOperationId(), Key: p.GetIdempotencyKey(), Attempt: int(p.GetAttempt()), MaybeApplied: p.GetMaybeApplied(),
		OrderingKey: p.GetOrderingKey(), Group: p.GetGroupId(), GroupSize: int(p.GetGroupSize()), Timeout: max(0, fromProtoDuration(p.GetTimeout())),
		IfVersion: p.GetIfVersion(), Trace: p.GetTraceparent(), DryRun: p.GetDryRun(),
	}
	if c.Key == "" {
		c.Key = c.ID
	}
	switch a := p.GetAction().(type) {
	case *pb.Operation_Create:
		return fromProtoCreate(c, a.Create)
	case *pb.Operation_Update:
		return fromProtoUpdate(c, a.Update)
	case *pb.Operation_SetEnabled:
		return connector.SetEnabled{Call: c, Target: FromProtoRef(a.SetEnabled.GetTarget()),
			Enabled: a.SetEnabled.GetEnabled(), Reason: a.SetEnabled.GetReason()}, nil
	case *pb.Operation_Delete:
		return connector.Delete{Call: c, Target: FromProtoRef(a.Delete.GetTarget())}, nil
	case *pb.Operation_Grant:
		return fromProtoGrant(c, a.Grant)
	case *pb.Operation_Revoke:
		return connector.Revoke{Call: c, Principal: FromProtoRef(a.Revoke.GetPrincipal()),
			Entitlement: FromProtoRef(a.Revoke.GetEntitlement())}, nil
	case *pb.Operation_SetCredential:
		return connector.SetCredential{Call: c, Target: FromProtoRef(a.SetCredential.GetTarget()),
			Credential: fromProtoSecret(a.SetCredential.GetCredential()), MustChange: a.SetCredential.GetMustChange()}, nil
	case *pb.Operation_Rename:
		return connector.Rename{Call: c, Target: FromProtoRef(a.Rename.GetTarget()),
			NewName: a.Rename.GetNewName(), NewContainer: a.Rename.GetNewContainer()}, nil
	case *pb.Operation_Poll:
		return connector.Poll{Call: c, Continuation: a.Poll.GetContinuation()}, nil
	}
	return nil, connector.Errorf(connector.CodeUnsupported, "the hub asks for an action that this plugin does not know; update the plugin")
}

func fromProtoCreate(c connector.Call, p *pb.Create) (connector.Operation, error) {
	as, err := FromProtoAttributes(p.GetAttributes())
	if err != nil {
		return nil, connector.Errorf(connector.CodeInvalidValue, "create: %w", err)
	}
	return connector.Create{
		Call: c, Type: p.GetObjectType(), Attributes: as, Enabled: enabledStates.from[p.GetEnabled()],
		Credential: fromProtoSecret(p.GetInitialCredential()), Adopt: p.GetAdoptExisting(),
		Correlate: connector.Correlation{Attribute: p.GetCorrelationAttribute(), Value: p.GetCorrelationValue()},
	}, nil
}

func fromProtoUpdate(c connector.Call, p *pb.Update) (connector.Operation, error) {
	u := connector.Update{Call: c, Target: FromProtoRef(p.GetTarget())}
	if n := len(p.GetChanges()); n > 0 {
		u.Changes = make([]connector.Change, 0, n)
	}
	for _, pc := range p.GetChanges() {
		ch, err := fromProtoChange(pc)
		if err != nil {
			return nil, connector.Errorf(connector.CodeInvalidValue, "update: %w", attributeError(pc.GetName(), err))
		}
		u.Changes = append(u.Changes, ch)
	}
	return u, nil
}

func fromProtoChange(p *pb.AttributeChange) (connector.Change, error) {
	ch := connector.Change{Name: p.GetName()}
	values, err := fromProtoValues(p.GetValues())
	if err != nil {
		return ch, err
	}
	switch p.GetMode() {
	case pb.ChangeMode_CHANGE_MODE_REPLACE:
		ch.Replace = values
		return ch, nil
	case pb.ChangeMode_CHANGE_MODE_MODIFY:
		ch.Delta, ch.Add = true, values
		ch.Remove, err = fromProtoValues(p.GetRemove())
		return ch, err
	}
	// Guessing between replace and modify could wipe the other values.
	return ch, connector.Errorf(connector.CodeInvalidValue, "change mode %d is not known", p.GetMode())
}

func fromProtoGrant(c connector.Call, p *pb.Grant) (connector.Operation, error) {
	as, err := FromProtoAttributes(p.GetAttributes())
	if err != nil {
		return nil, connector.Errorf(connector.CodeInvalidValue, "grant: %w", err)
	}
	if t := p.GetExpiresAt(); t != nil && !t.IsValid() {
		// Reading it as "never" would leave access that should end.
		return nil, connector.Errorf(connector.CodeInvalidValue, "grant: the end date is out of range")
	}
	return connector.Grant{Call: c, Principal: FromProtoRef(p.GetPrincipal()), Entitlement: FromProtoRef(p.GetEntitlement()),
		Attributes: as, ExpiresAt: fromProtoTime(p.GetExpiresAt())}, nil
}

func fromProtoSecret(p *pb.Secret) connector.Secret { return connector.NewSecret(string(p.GetValue())) }

// clamp32 keeps a count that the wire cannot hold at the wire's largest.
func clamp32(n int) int32 { return int32(min(max(n, 0), math.MaxInt32)) }
