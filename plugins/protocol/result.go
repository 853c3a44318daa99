package protocol

import (
	"github.com/provhub/provhub/connectors/connector"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// ToProtoResult converts the answer to one operation. It always gives an
// answer: one that cannot be carried becomes unknown with INTERNAL, so that the
// hub reads the account before it goes on.
func ToProtoResult(r connector.Result) *pb.Result {
	p := &pb.Result{
		OperationId: prose(r.ID), Outcome: outcomes.to[r.Outcome], Error: ToProtoError(r.Err),
		Applied: prosaic(r.Applied), Continuation: r.Continuation, PollAfter: toProtoDuration(r.PollAfter),
		ExpiresAt: toProtoTime(r.ExpiresAt), Took: toProtoDuration(r.Took),
		TargetRequestId: prose(r.RequestID), Preview: prose(r.Preview),
	}
	if !r.Credential.IsZero() {
		p.ReturnedCredential = &pb.Secret{Value: []byte(r.Credential.Reveal())}
	}
	if p.Outcome == pb.Outcome_OUTCOME_UNSPECIFIED {
		return uncarried(p, "the connector answered with the outcome %q, which does not exist", r.Outcome)
	}
	if r.Object != nil {
		obj, err := ToProtoObject(*r.Object)
		if err != nil {
			return uncarried(p, "the connector's answer (%s) cannot be sent: %v", r.Outcome, err)
		}
		p.Object = obj
	}
	return p
}

func uncarried(p *pb.Result, format string, args ...any) *pb.Result {
	return &pb.Result{
		OperationId: p.OperationId, Outcome: pb.Outcome_OUTCOME_UNKNOWN, Took: p.Took,
		Error: ToProtoError(connector.Errorf(connector.CodeInternal, format, args...)),
	}
}

// FromProtoResult is the inverse of [ToProtoResult]. An outcome that is not
// known here, or an answer that cannot be read, is unknown; a failure without a
// reason is INTERNAL.
func FromProtoResult(p *pb.Result) connector.Result {
	r := connector.Result{
		ID: p.GetOperationId(), Outcome: outcomes.from[p.GetOutcome()], Err: FromProtoError(p.GetError()),
		Applied: p.GetApplied(), Continuation: p.GetContinuation(), PollAfter: max(0, fromProtoDuration(p.GetPollAfter())),
		ExpiresAt: fromProtoTime(p.GetExpiresAt()), Took: max(0, fromProtoDuration(p.GetTook())),
		RequestID: p.GetTargetRequestId(), Preview: p.GetPreview(),
	}
	if c := p.GetReturnedCredential(); c != nil {
		r.Credential = connector.NewSecret(string(c.GetValue()))
	}
	if r.Outcome == "" {
		r.Outcome = connector.OutcomeUnknown
		if r.Err == nil {
			r.Err = connector.Errorf(connector.CodeInternal, "the plugin answered with outcome %d, which this version does not know", p.GetOutcome())
		}
	}
	if p.GetObject() != nil {
		obj, err := FromProtoObject(p.GetObject())
		if err != nil {
			r.Outcome, r.Err = connector.OutcomeUnknown, connector.Errorf(connector.CodeInternal, "the plugin's answer cannot be read: %v", err)
			return r
		}
		r.Object = &obj
	}
	if r.Err == nil && needsReason(r.Outcome) {
		r.Err = connector.Errorf(connector.CodeInternal, "the plugin gave no reason")
	}
	return r
}

func needsReason(o connector.Outcome) bool {
	return o == connector.OutcomeFailed || o == connector.OutcomePartial || o == connector.OutcomeUnknown
}
