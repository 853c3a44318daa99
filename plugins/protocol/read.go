package protocol

import (
	"github.com/provhub/provhub/connectors/connector"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// ToProtoListRequest asks the given instance for a listing.
func ToProtoListRequest(instance string, q connector.ListQuery) *pb.ListRequest {
	return &pb.ListRequest{
		InstanceId: instance, ObjectType: q.Type, Attributes: q.Attributes, PageSize: clamp32(q.PageSize), PageToken: q.PageToken,
	}
}

// FromProtoListRequest is the inverse of [ToProtoListRequest].
func FromProtoListRequest(p *pb.ListRequest) connector.ListQuery {
	return connector.ListQuery{
		Type: p.GetObjectType(), Attributes: p.GetAttributes(), PageSize: max(0, int(p.GetPageSize())), PageToken: p.GetPageToken(),
	}
}

// ToProtoChangesRequest asks the given instance what changed.
func ToProtoChangesRequest(instance string, q connector.ChangesQuery) *pb.ChangesRequest {
	return &pb.ChangesRequest{InstanceId: instance, ObjectType: q.Type, SyncToken: q.SyncToken, Follow: q.Follow}
}

// FromProtoChangesRequest is the inverse of [ToProtoChangesRequest].
func FromProtoChangesRequest(p *pb.ChangesRequest) connector.ChangesQuery {
	return connector.ChangesQuery{Type: p.GetObjectType(), SyncToken: p.GetSyncToken(), Follow: p.GetFollow()}
}

// ToProtoTargetChange converts one change seen in the target. Its token travels
// beside it, in the response.
func ToProtoTargetChange(c connector.TargetChange) (*pb.Change, error) {
	ref, err := ToProtoRef(c.Ref)
	if err != nil {
		return nil, err
	}
	if c.Object == nil {
		return &pb.Change{Kind: pb.ChangeKind_CHANGE_KIND_DELETED, Ref: ref}, nil
	}
	obj, err := ToProtoObject(*c.Object)
	return &pb.Change{Kind: pb.ChangeKind_CHANGE_KIND_UPSERTED, Ref: ref, Object: obj}, err
}

// FromProtoTargetChange is the inverse of [ToProtoTargetChange]. A kind that is
// not known here is an error: taking it for a deletion would remove access.
func FromProtoTargetChange(p *pb.Change) (connector.TargetChange, error) {
	c := connector.TargetChange{Ref: FromProtoRef(p.GetRef())}
	switch p.GetKind() {
	case pb.ChangeKind_CHANGE_KIND_DELETED:
		return c, nil
	case pb.ChangeKind_CHANGE_KIND_UPSERTED:
		obj, err := FromProtoObject(p.GetObject())
		if err != nil {
			return c, connector.Errorf(connector.CodeInternal, "change: %w", err)
		}
		c.Object = &obj
		return c, nil
	}
	return c, connector.Errorf(connector.CodeInternal, "change of kind %d, which this version does not know", p.GetKind())
}
