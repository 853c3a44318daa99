package sdk

import (
	"cmp"
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// maxObjects bounds the objects of one message of a listing; measured, more
// brings nothing.
const maxObjects = 500

// with calls f with the target of the named instance. What f returns is in band,
// redacted; err is for a misuse of the protocol.
func (s *server) with(ctx context.Context, id, what string, f func(connector.Target) error) (inBand *pb.Error, err error) {
	in, err := s.instance(id)
	if err != nil {
		return nil, err
	}
	o := in.acquire()
	if o == nil {
		return nil, errReleased
	}
	defer o.done()
	err = guard(ctx, in.log, what, func() error { return f(o.target) })
	return protocol.ToProtoError(in.red.Error(connector.AsError(err))), nil
}

// Check probes the target, in one step when the connector knows no finer ones.
func (s *server) Check(ctx context.Context, r *pb.CheckRequest) (*pb.CheckResponse, error) {
	in, err := s.instance(r.GetInstanceId())
	if err != nil {
		return nil, err
	}
	var steps []connector.CheckStep
	var product string
	failed, err := s.with(ctx, r.GetInstanceId(), "Check", func(t connector.Target) error {
		if c, ok := t.(connector.Checker); ok {
			steps, product = c.CheckSteps(ctx)
			return nil
		}
		if err := t.Check(ctx); err != nil {
			return err
		}
		steps = []connector.CheckStep{{Name: "check", Status: connector.CheckPass}}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if failed != nil {
		steps = []connector.CheckStep{{Name: "check", Status: connector.CheckFail, Message: failed.GetMessage(), Err: protocol.FromProtoError(failed)}}
	}
	for i := range steps {
		steps[i].Message, steps[i].Err = in.red.Text(steps[i].Message), in.red.Error(steps[i].Err)
	}
	return protocol.ToProtoCheck(steps, product), nil
}

// DiscoverSchema asks the target for its object types, and for what tells it from
// others.
func (s *server) DiscoverSchema(ctx context.Context, r *pb.DiscoverSchemaRequest) (*pb.DiscoverSchemaResponse, error) {
	in, err := s.instance(r.GetInstanceId())
	if err != nil {
		return nil, err
	}
	resp := &pb.DiscoverSchemaResponse{}
	failed, err := s.with(ctx, r.GetInstanceId(), "Schema", func(t connector.Target) error {
		schema, err := t.Schema(ctx)
		if err != nil {
			return err
		}
		resp.ObjectTypes, err = protocol.ToProtoSchema(schema)
		if err == nil {
			resp.Fingerprint = fingerprint(ctx, in, t)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	resp.Error, resp.Etag = failed, protocol.SchemaETag(resp.ObjectTypes)
	return resp, nil
}

// fingerprint is how t names itself, "" when it cannot; not to know that is no
// reason to do without its schema.
func fingerprint(ctx context.Context, in *instance, t connector.Target) (name string) {
	f, ok := t.(connector.Fingerprinter)
	if !ok {
		return ""
	}
	err := guard(ctx, in.log, "Fingerprint", func() (err error) { name, err = f.Fingerprint(ctx); return err })
	if err != nil {
		in.log.WarnContext(ctx, "the target cannot be told from others now", "error", err)
		return ""
	}
	return in.red.Text(strings.ToValidUTF8(name, "\uFFFD"))
}

// Get reads one object.
func (s *server) Get(ctx context.Context, r *pb.GetRequest) (*pb.GetResponse, error) {
	resp := &pb.GetResponse{}
	failed, err := s.with(ctx, r.GetInstanceId(), "Get", func(t connector.Target) error {
		g, ok := t.(connector.Getter)
		if !ok {
			return connector.Errorf(connector.CodeUnsupported, "this connector cannot read single objects")
		}
		obj, err := g.Get(ctx, protocol.FromProtoRef(r.GetRef()), r.GetAttributes())
		if err != nil {
			return err
		}
		if resp.Object, err = protocol.ToProtoObject(obj); err != nil {
			return connector.Errorf(connector.CodeInternal, "the object cannot be sent: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	resp.Error = failed
	return resp, nil
}

// List streams the objects of a type and ends with one message that says
// whether they are all.
func (s *server) List(r *pb.ListRequest, stream grpc.ServerStreamingServer[pb.ListResponse]) error {
	ctx := stream.Context()
	p := &pager{send: func(objs []*pb.Object) error { return stream.Send(&pb.ListResponse{Objects: objs}) }}
	last := &pb.ListResponse{Last: true}
	failed, err := s.with(ctx, r.GetInstanceId(), "List", func(t connector.Target) error {
		l, ok := t.(connector.Lister)
		if !ok {
			return connector.Errorf(connector.CodeUnsupported, "this connector cannot list objects")
		}
		if r.GetFilter() != nil {
			return connector.Errorf(connector.CodeUnsupported, "this connector does not filter on the target's side")
		}
		end, err := l.List(ctx, protocol.FromProtoListRequest(r), p.add)
		last.Complete, last.SyncToken = err == nil && end.Complete, end.SyncToken
		return err
	})
	if err != nil {
		return err
	}
	if p.broken != nil {
		return p.broken
	}
	if err := p.flush(); err != nil {
		return err
	}
	last.Error = failed
	return stream.Send(last)
}

// pager collects objects into messages of a good size.
type pager struct {
	send   func([]*pb.Object) error
	objs   []*pb.Object
	bytes  int
	broken error // the stream's own error, which ends the listing
}

func (p *pager) add(o connector.Object) error {
	if p.broken != nil {
		return p.broken
	}
	obj, err := protocol.ToProtoObject(o)
	if err != nil {
		return connector.Errorf(connector.CodeInternal, "object %s cannot be sent: %w", o.Ref.ID, err)
	}
	size := proto.Size(obj)
	if size > maxResultBytes {
		return connector.Errorf(connector.CodeTooLarge, "object %s has %d bytes; at most %d can be sent", o.Ref.ID, size, maxResultBytes)
	}
	if len(p.objs) >= maxObjects || p.bytes+size > maxResultBytes {
		if err := p.flush(); err != nil {
			return err
		}
	}
	p.objs, p.bytes = append(p.objs, obj), p.bytes+size
	return nil
}

func (p *pager) flush() error {
	if len(p.objs) == 0 {
		return nil
	}
	p.broken = p.send(p.objs)
	p.objs, p.bytes = nil, 0
	return p.broken
}

// Changes streams what changed since a token, each message with the token that
// is safe to store once it is handled.
func (s *server) Changes(r *pb.ChangesRequest, stream grpc.ServerStreamingServer[pb.ChangesResponse]) error {
	ctx := stream.Context()
	var broken error
	last := &pb.ChangesResponse{CaughtUp: true}
	failed, err := s.with(ctx, r.GetInstanceId(), "Changes", func(t connector.Target) error {
		f, ok := t.(connector.Follower)
		if !ok {
			return connector.Errorf(connector.CodeUnsupported, "this connector cannot follow changes")
		}
		token, expired, err := f.Changes(ctx, protocol.FromProtoChangesRequest(r), func(c connector.TargetChange) error {
			change, err := protocol.ToProtoTargetChange(c)
			if err != nil {
				return connector.Errorf(connector.CodeInternal, "change of object %s cannot be sent: %w", c.Ref.ID, err)
			}
			broken = stream.Send(&pb.ChangesResponse{Changes: []*pb.Change{change}, SyncToken: c.SyncToken})
			return broken
		})
		last.SyncToken, last.TokenExpired = token, expired
		return err
	})
	if err != nil || broken != nil {
		return cmp.Or(err, broken)
	}
	last.Error, last.CaughtUp = failed, failed == nil && !last.TokenExpired
	return stream.Send(last)
}
