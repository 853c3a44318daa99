package protocol

import (
	"fmt"

	"github.com/provhub/provhub/connectors/connector"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// ToProtoOperation converts an operation given by value, as the contract has
// it. The error names the attribute and never its values.
func ToProtoOperation(op connector.Operation) (*pb.Operation, error) {
	c := op.Meta()
	if err := checkText(c.ID, c.Key, c.OrderingKey, c.Group, c.IfVersion, c.Trace); err != nil {
		return nil, fmt.Errorf("operation: %w", err)
	}
	p := &pb.Operation{
		OperationId: c.ID, IdempotencyKey: c.Key, Attempt: clamp32(c.Attempt), MaybeApplied: c.MaybeApplied,
		OrderingKey: c.OrderingKey, GroupId: c.Group, GroupSize: clamp32(c.GroupSize), Timeout: toProtoDuration(c.Timeout),
		IfVersion: c.IfVersion, Traceparent: c.Trace, DryRun: c.DryRun,
	}
	if err := setAction(p, op); err != nil {
		return nil, fmt.Errorf("%s: %w", op.Verb(), err)
	}
	return p, nil
}

func setAction(p *pb.Operation, op connector.Operation) (err error) {
	switch o := op.(type) {
	case connector.Create:
		p.Action, err = toProtoCreate(o)
	case connector.Update:
		p.Action, err = toProtoUpdate(o)
	case connector.SetEnabled:
		var ref *pb.ObjectRef
		ref, err = ToProtoRef(o.Target)
		p.Action = &pb.Operation_SetEnabled{SetEnabled: &pb.SetEnabled{Target: ref, Enabled: o.Enabled, Reason: prose(o.Reason)}}
	case connector.Delete:
		var ref *pb.ObjectRef
		ref, err = ToProtoRef(o.Target)
		p.Action = &pb.Operation_Delete{Delete: &pb.Delete{Target: ref}}
	case connector.Grant:
		p.Action, err = toProtoGrant(o)
	case connector.Revoke:
		var who, what *pb.ObjectRef
		who, what, err = toProtoEdge(o.Principal, o.Entitlement)
		p.Action = &pb.Operation_Revoke{Revoke: &pb.Revoke{Principal: who, Entitlement: what}}
	case connector.SetCredential:
		var ref *pb.ObjectRef
		ref, err = ToProtoRef(o.Target)
		p.Action = &pb.Operation_SetCredential{SetCredential: &pb.SetCredential{
			Target: ref, Credential: &pb.Secret{Value: []byte(o.Credential.Reveal())}, MustChange: o.MustChange}}
	case connector.Rename:
		var ref *pb.ObjectRef
		if ref, err = ToProtoRef(o.Target); err == nil {
			err = checkText(o.NewName, o.NewContainer)
		}
		p.Action = &pb.Operation_Rename{Rename: &pb.Rename{Target: ref, NewName: o.NewName, NewContainer: o.NewContainer}}
	case connector.Poll:
		p.Action = &pb.Operation_Poll{Poll: &pb.Poll{Continuation: o.Continuation}}
	default:
		err = fmt.Errorf("a %T is not an operation", op)
	}
	return err
}

func toProtoCreate(o connector.Create) (*pb.Operation_Create, error) {
	as, err := ToProtoAttributes(o.Attributes)
	if err == nil {
		err = checkText(o.Type, o.Correlate.Attribute, o.Correlate.Value)
	}
	c := &pb.Create{
		ObjectType: o.Type, Attributes: as, Enabled: enabledStates.to[o.Enabled], AdoptExisting: o.Adopt,
		CorrelationAttribute: o.Correlate.Attribute, CorrelationValue: o.Correlate.Value,
	}
	if !o.Credential.IsZero() {
		c.InitialCredential = &pb.Secret{Value: []byte(o.Credential.Reveal())}
	}
	return &pb.Operation_Create{Create: c}, err
}

func toProtoUpdate(o connector.Update) (*pb.Operation_Update, error) {
	ref, err := ToProtoRef(o.Target)
	if err != nil {
		return nil, err
	}
	u := &pb.Update{Target: ref, Changes: make([]*pb.AttributeChange, len(o.Changes))}
	for i, c := range o.Changes {
		if u.Changes[i], err = toProtoChange(c); err != nil {
			return nil, attributeError(c.Name, err)
		}
	}
	return &pb.Operation_Update{Update: u}, nil
}

func toProtoChange(c connector.Change) (*pb.AttributeChange, error) {
	p := &pb.AttributeChange{Name: c.Name, Mode: pb.ChangeMode_CHANGE_MODE_REPLACE}
	values := c.Replace
	if c.Delta {
		p.Mode, values = pb.ChangeMode_CHANGE_MODE_MODIFY, c.Add
	}
	err := checkText(c.Name)
	if err == nil {
		p.Values, err = toProtoValues(values)
	}
	if err == nil && c.Delta {
		p.Remove, err = toProtoValues(c.Remove)
	}
	return p, err
}

func toProtoGrant(o connector.Grant) (*pb.Operation_Grant, error) {
	who, what, err := toProtoEdge(o.Principal, o.Entitlement)
	if err != nil {
		return nil, err
	}
	as, err := ToProtoAttributes(o.Attributes)
	return &pb.Operation_Grant{Grant: &pb.Grant{
		Principal: who, Entitlement: what, Attributes: as, ExpiresAt: toProtoTime(o.ExpiresAt)}}, err
}

func toProtoEdge(principal, entitlement connector.Ref) (who, what *pb.ObjectRef, err error) {
	if who, err = ToProtoRef(principal); err == nil {
		what, err = ToProtoRef(entitlement)
	}
	return who, what, err
}
