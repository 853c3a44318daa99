package protocol

import (
	"github.com/provhub/provhub/connectors/connector"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// ToProtoCheck converts the steps of a check.
func ToProtoCheck(steps []connector.CheckStep, product string) *pb.CheckResponse {
	p := &pb.CheckResponse{TargetProduct: prose(product)}
	for _, s := range steps {
		p.Items = append(p.Items, &pb.CheckItem{
			Name: prose(s.Name), Status: checkStatuses.to[s.Status], Message: prose(s.Message),
			Error: ToProtoError(s.Err), Took: toProtoDuration(s.Took),
		})
	}
	return p
}

// FromProtoCheck is the inverse of [ToProtoCheck]. A status that is not known
// here counts as failed: a check must not pass by accident.
func FromProtoCheck(p *pb.CheckResponse) (steps []connector.CheckStep, product string) {
	for _, i := range p.GetItems() {
		status, ok := checkStatuses.from[i.GetStatus()]
		if !ok {
			status = connector.CheckFail
		}
		steps = append(steps, connector.CheckStep{
			Name: i.GetName(), Status: status, Message: i.GetMessage(), Err: FromProtoError(i.GetError()), Took: max(0, fromProtoDuration(i.GetTook())),
		})
	}
	return steps, p.GetTargetProduct()
}

// ToProtoFindings converts the findings of a config.
func ToProtoFindings(fs []connector.Finding) []*pb.Diagnostic {
	var out []*pb.Diagnostic
	for _, f := range fs {
		sev := pb.Severity_SEVERITY_ERROR
		if f.Warning {
			sev = pb.Severity_SEVERITY_WARNING
		}
		out = append(out, &pb.Diagnostic{Severity: sev, Path: prose(f.Path), Summary: prose(f.Summary), Detail: prose(f.Detail)})
	}
	return out
}

// FromProtoFindings is the inverse of [ToProtoFindings]. Anything that is not
// plainly a warning or less counts as an error.
func FromProtoFindings(ps []*pb.Diagnostic) []connector.Finding {
	var out []connector.Finding
	for _, p := range ps {
		warning := p.GetSeverity() == pb.Severity_SEVERITY_WARNING || p.GetSeverity() == pb.Severity_SEVERITY_INFO
		out = append(out, connector.Finding{Path: p.GetPath(), Summary: p.GetSummary(), Detail: p.GetDetail(), Warning: warning})
	}
	return out
}
