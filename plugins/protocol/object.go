package protocol

import (
	"fmt"

	"github.com/provhub/provhub/connectors/connector"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// ToProtoRef converts a reference. Its version does not travel here: a write is
// made conditional by [connector.Call.IfVersion], and an object tells its
// version itself.
func ToProtoRef(r connector.Ref) (*pb.ObjectRef, error) {
	if err := checkText(r.Type, r.ID, r.By.Attribute, r.By.Value); err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	return &pb.ObjectRef{
		ObjectType: r.Type, Id: r.ID, Name: prose(r.Name),
		CorrelationAttribute: r.By.Attribute, CorrelationValue: r.By.Value,
	}, nil
}

// FromProtoRef is the inverse of [ToProtoRef]; nil is the zero Ref.
func FromProtoRef(p *pb.ObjectRef) connector.Ref {
	return connector.Ref{
		Type: p.GetObjectType(), ID: p.GetId(), Name: p.GetName(),
		By: connector.Correlation{Attribute: p.GetCorrelationAttribute(), Value: p.GetCorrelationValue()},
	}
}

// ToProtoObject converts an object with its version and grants. Grants that are
// not known and no grants at all stay apart.
func ToProtoObject(o connector.Object) (*pb.Object, error) {
	ref, err := ToProtoRef(o.Ref)
	if err == nil {
		err = checkText(o.Ref.Version)
	}
	if err != nil {
		return nil, err
	}
	as, err := ToProtoAttributes(o.Attributes)
	if err != nil {
		return nil, err
	}
	p := &pb.Object{
		Ref: ref, Attributes: as, Version: o.Ref.Version,
		Enabled: enabledStates.to[o.Enabled], ModifiedAt: toProtoTime(o.ModifiedAt), GrantsKnown: o.Grants != nil,
	}
	for _, g := range o.Grants {
		ref, err := ToProtoRef(g)
		if err != nil {
			return nil, fmt.Errorf("grants: %w", err)
		}
		p.Grants = append(p.Grants, ref)
	}
	return p, nil
}

// FromProtoObject is the inverse of [ToProtoObject].
func FromProtoObject(p *pb.Object) (connector.Object, error) {
	as, err := FromProtoAttributes(p.GetAttributes())
	if err != nil {
		return connector.Object{}, err
	}
	o := connector.Object{
		Ref: FromProtoRef(p.GetRef()), Attributes: as,
		Enabled: enabledStates.from[p.GetEnabled()], ModifiedAt: fromProtoTime(p.GetModifiedAt()),
	}
	o.Ref.Version = p.GetVersion()
	if p.GetGrantsKnown() || len(p.GetGrants()) > 0 {
		o.Grants = make([]connector.Ref, 0, len(p.GetGrants()))
	}
	for _, g := range p.GetGrants() {
		o.Grants = append(o.Grants, FromProtoRef(g))
	}
	return o, nil
}
