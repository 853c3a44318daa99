package protocol

import (
	"fmt"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/provhub/provhub/connectors/connector"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// ToProtoValue converts one value. It refuses a Go type that is not a value
// (see [connector.Value]) and text that is not UTF-8, which the wire cannot
// carry.
func ToProtoValue(v connector.Value) (*pb.Value, error) {
	switch x := v.(type) {
	case string:
		if !utf8.ValidString(x) {
			return nil, errNotUTF8
		}
		return &pb.Value{Kind: &pb.Value_String_{String_: x}}, nil
	case bool:
		return &pb.Value{Kind: &pb.Value_Bool{Bool: x}}, nil
	case int64:
		return &pb.Value{Kind: &pb.Value_Integer{Integer: x}}, nil
	case int:
		return &pb.Value{Kind: &pb.Value_Integer{Integer: int64(x)}}, nil
	case float64:
		return &pb.Value{Kind: &pb.Value_Double{Double: x}}, nil
	case time.Time:
		return toProtoTimestampValue(x)
	case connector.Date:
		if !utf8.ValidString(string(x)) {
			return nil, errNotUTF8
		}
		return &pb.Value{Kind: &pb.Value_Date{Date: string(x)}}, nil
	case []byte:
		return &pb.Value{Kind: &pb.Value_Bytes{Bytes: x}}, nil
	case connector.Ref:
		ref, err := ToProtoRef(x)
		return &pb.Value{Kind: &pb.Value_Reference{Reference: ref}}, err
	case connector.Secret:
		return &pb.Value{Kind: &pb.Value_Secret{Secret: []byte(x.Reveal())}}, nil
	case map[string]any:
		s, err := structpb.NewStruct(x)
		if err != nil {
			return nil, fmt.Errorf("object: %w", err)
		}
		return &pb.Value{Kind: &pb.Value_Object{Object: s}}, nil
	}
	return nil, fmt.Errorf("a %T is not an attribute value", v)
}

func toProtoTimestampValue(t time.Time) (*pb.Value, error) {
	ts := timestamppb.New(t)
	if err := ts.CheckValid(); err != nil {
		return nil, fmt.Errorf("time: %w", err)
	}
	return &pb.Value{Kind: &pb.Value_Timestamp{Timestamp: ts}}, nil
}

// FromProtoValue is the inverse of [ToProtoValue]. Times come back in UTC. The
// error names no value.
func FromProtoValue(p *pb.Value) (connector.Value, error) {
	switch k := p.GetKind().(type) {
	case *pb.Value_String_:
		return k.String_, nil
	case *pb.Value_Bool:
		return k.Bool, nil
	case *pb.Value_Integer:
		return k.Integer, nil
	case *pb.Value_Double:
		return k.Double, nil
	case *pb.Value_Timestamp:
		if err := k.Timestamp.CheckValid(); err != nil {
			return nil, fmt.Errorf("time is out of range")
		}
		return k.Timestamp.AsTime(), nil
	case *pb.Value_Date:
		return connector.Date(k.Date), nil
	case *pb.Value_Bytes:
		return k.Bytes, nil
	case *pb.Value_Reference:
		return FromProtoRef(k.Reference), nil
	case *pb.Value_Secret:
		return connector.NewSecret(string(k.Secret)), nil
	case *pb.Value_Object:
		return k.Object.AsMap(), nil
	}
	return nil, fmt.Errorf("value of a kind that this version does not know")
}

func toProtoValues(vs connector.Values) ([]*pb.Value, error) {
	if len(vs) == 0 {
		return nil, nil
	}
	out := make([]*pb.Value, len(vs))
	for i, v := range vs {
		var err error
		if out[i], err = ToProtoValue(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func fromProtoValues(ps []*pb.Value) (connector.Values, error) {
	if len(ps) == 0 {
		return nil, nil
	}
	out := make(connector.Values, len(ps))
	for i, p := range ps {
		var err error
		if out[i], err = FromProtoValue(p); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ToProtoAttributes converts attributes in their order.
func ToProtoAttributes(as connector.Attributes) ([]*pb.Attribute, error) {
	if len(as) == 0 {
		return nil, nil
	}
	out := make([]*pb.Attribute, len(as))
	for i, a := range as {
		vs, err := toProtoValues(a.Values)
		if err == nil {
			err = checkText(a.Name)
		}
		if err != nil {
			return nil, attributeError(a.Name, err)
		}
		out[i] = &pb.Attribute{Name: a.Name, Values: vs, Incomplete: a.Incomplete}
	}
	return out, nil
}

// FromProtoAttributes is the inverse of [ToProtoAttributes].
func FromProtoAttributes(ps []*pb.Attribute) (connector.Attributes, error) {
	if len(ps) == 0 {
		return nil, nil
	}
	out := make(connector.Attributes, len(ps))
	for i, p := range ps {
		vs, err := fromProtoValues(p.GetValues())
		if err != nil {
			return nil, attributeError(p.GetName(), err)
		}
		out[i] = connector.Attribute{Name: p.GetName(), Values: vs, Incomplete: p.GetIncomplete()}
	}
	return out, nil
}
