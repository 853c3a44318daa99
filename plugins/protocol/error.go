package protocol

import (
	"github.com/provhub/provhub/connectors/connector"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// ToProtoError converts an error; nil stays nil. The cause stays behind: what
// the hub may know of it is in the message and the detail.
func ToProtoError(e *connector.Error) *pb.Error {
	if e == nil {
		return nil
	}
	p := &pb.Error{
		Code: pb.ErrorCode(e.Code), Message: prose(e.Message), Detail: prose(e.Detail), NativeCode: prose(e.NativeCode),
		Scope: scopes.to[e.Scope], RetryAfter: toProtoDuration(e.RetryAfter), Attributes: prosaic(e.Attributes),
	}
	if e.Conflicting != nil {
		// A reference that cannot be carried is left out; the error itself counts.
		if ref, err := ToProtoRef(*e.Conflicting); err == nil {
			p.Conflicting = ref
		}
	}
	return p
}

// FromProtoError is the inverse of [ToProtoError]. A code that is not known
// here keeps its number, whose range decides; none at all is INTERNAL, and a
// negative wait is none.
func FromProtoError(p *pb.Error) *connector.Error {
	if p == nil {
		return nil
	}
	e := &connector.Error{
		Code: connector.Code(p.GetCode()), Message: p.GetMessage(), Detail: p.GetDetail(), NativeCode: p.GetNativeCode(),
		Scope: scopes.from[p.GetScope()], RetryAfter: max(0, fromProtoDuration(p.GetRetryAfter())), Attributes: p.GetAttributes(),
	}
	if e.Code == 0 {
		e.Code = connector.CodeInternal
	}
	if p.GetConflicting() != nil {
		ref := FromProtoRef(p.GetConflicting())
		e.Conflicting = &ref
	}
	return e
}
