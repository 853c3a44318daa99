package protocol

import (
	"github.com/provhub/provhub/connectors/connector"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

func toProtoActions(as []connector.Action) []*pb.ActionSpec {
	var out []*pb.ActionSpec
	for _, a := range as {
		out = append(out, &pb.ActionSpec{
			Name: prose(a.Name), Description: prose(a.Description), ArgumentsSchemaJson: a.Arguments, Destructive: a.Destructive,
		})
	}
	return out
}

func fromProtoActions(ps []*pb.ActionSpec) []connector.Action {
	var out []connector.Action
	for _, p := range ps {
		out = append(out, connector.Action{
			Name: p.GetName(), Description: p.GetDescription(), Arguments: p.GetArgumentsSchemaJson(), Destructive: p.GetDestructive(),
		})
	}
	return out
}

// ToProtoInvoke asks the given instance for an action.
func ToProtoInvoke(instance string, in connector.Invocation) (*pb.InvokeRequest, error) {
	if err := checkText(in.ID, in.Name); err != nil {
		return nil, err
	}
	return &pb.InvokeRequest{InstanceId: instance, OperationId: in.ID, Name: in.Name, ArgumentsJson: in.Arguments}, nil
}

// FromProtoInvoke is the inverse of [ToProtoInvoke].
func FromProtoInvoke(p *pb.InvokeRequest) connector.Invocation {
	return connector.Invocation{ID: p.GetOperationId(), Name: p.GetName(), Arguments: p.GetArgumentsJson()}
}

// ToProtoProgress converts one report of an action under way.
func ToProtoProgress(p connector.Progress) *pb.InvokeResponse {
	return &pb.InvokeResponse{Message: &pb.InvokeResponse_Progress{
		Progress: &pb.Progress{Done: p.Done, Total: p.Total, Message: prose(p.Message)}}}
}

// FromProtoProgress is the inverse of [ToProtoProgress]. A negative count is none.
func FromProtoProgress(p *pb.Progress) connector.Progress {
	return connector.Progress{Done: max(0, p.GetDone()), Total: max(0, p.GetTotal()), Message: p.GetMessage()}
}
