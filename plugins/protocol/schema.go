package protocol

import (
	"crypto/sha256"
	"encoding/hex"

	"google.golang.org/protobuf/proto"

	"github.com/provhub/provhub/connectors/connector"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// ToProtoSchema converts a schema. A name that is not UTF-8 refuses the whole.
func ToProtoSchema(s connector.Schema) ([]*pb.ObjectType, error) {
	out := make([]*pb.ObjectType, len(s))
	for i, t := range s {
		p := &pb.ObjectType{
			Name: t.Name, Kind: objectKinds.to[t.Kind], NativeName: t.NativeName, Operations: toProtoVerbs(t.Verbs),
			CorrelationAttributes: t.Correlation, Grants: t.Grants, DisableSemantics: prose(t.DisableMeans),
		}
		for _, a := range t.Attributes {
			p.Attributes = append(p.Attributes, toProtoAttr(a))
		}
		if err := checkType(t); err != nil {
			return nil, err
		}
		out[i] = p
	}
	return out, nil
}

func checkType(t connector.ObjectType) error {
	err := checkText(append(append([]string{t.Name, t.NativeName}, t.Correlation...), t.Grants...)...)
	for _, a := range t.Attributes {
		if err == nil {
			err = checkText(append([]string{a.Name, a.RefersTo}, a.Canonical...)...)
		}
	}
	if err != nil {
		return connector.Errorf(connector.CodeInternal, "schema, object type %s: %w", prose(t.Name), err)
	}
	return nil
}

func toProtoAttr(a connector.Attr) *pb.AttributeSpec {
	typ := a.Type
	if typ == "" {
		typ = connector.TypeString
	}
	return &pb.AttributeSpec{
		Name: a.Name, Type: valueTypes.to[typ], MultiValued: a.Multi, Ordered: a.Ordered, RequiredOnCreate: a.Required,
		Creatable: !a.ReadOnly, Updatable: !a.ReadOnly && !a.CreateOnly,
		Readable: !a.WriteOnly, ReturnedByDefault: !a.WriteOnly, WriteOnly: a.WriteOnly, Naming: a.Naming,
		Unique: a.Unique, CaseExact: a.CaseExact, Secret: a.Secret, MaxLength: clamp32(a.MaxLength),
		CanonicalValues: a.Canonical, ReferenceTo: a.RefersTo, Description: prose(a.Description),
	}
}

// FromProtoSchema is the inverse of [ToProtoSchema], except that a value type
// that was left out comes back as [connector.TypeString]. A kind that is not
// known here is [connector.KindOther], a type of values reads as text.
func FromProtoSchema(ps []*pb.ObjectType) connector.Schema {
	s := make(connector.Schema, 0, len(ps))
	for _, p := range ps {
		t := connector.ObjectType{
			Name: p.GetName(), Kind: objectKinds.from[p.GetKind()], NativeName: p.GetNativeName(), Verbs: fromProtoVerbs(p.GetOperations()),
			Correlation: p.GetCorrelationAttributes(), Grants: p.GetGrants(), DisableMeans: p.GetDisableSemantics(),
		}
		if t.Kind == "" {
			t.Kind = connector.KindOther
		}
		for _, a := range p.GetAttributes() {
			t.Attributes = append(t.Attributes, fromProtoAttr(a))
		}
		s = append(s, t)
	}
	return s
}

func fromProtoAttr(p *pb.AttributeSpec) connector.Attr {
	typ, ok := valueTypes.from[p.GetType()]
	if !ok {
		typ = connector.TypeString
	}
	return connector.Attr{
		Name: p.GetName(), Type: typ, Multi: p.GetMultiValued(), Ordered: p.GetOrdered(), Required: p.GetRequiredOnCreate(),
		ReadOnly: !p.GetCreatable() && !p.GetUpdatable(), CreateOnly: p.GetCreatable() && !p.GetUpdatable(),
		WriteOnly: p.GetWriteOnly(), Naming: p.GetNaming(), Unique: p.GetUnique(), CaseExact: p.GetCaseExact(), Secret: p.GetSecret(),
		MaxLength: max(0, int(p.GetMaxLength())), Canonical: p.GetCanonicalValues(), RefersTo: p.GetReferenceTo(), Description: p.GetDescription(),
	}
}

// SchemaETag names the content of a schema; equal schemas have equal etags.
func SchemaETag(ps []*pb.ObjectType) string {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(&pb.DiscoverSchemaResponse{ObjectTypes: ps})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

func toProtoVerbs(vs []connector.Verb) []pb.OperationKind {
	var out []pb.OperationKind
	for _, v := range vs {
		if k, ok := verbs.to[v]; ok {
			out = append(out, k)
		}
	}
	return out
}

// fromProtoVerbs leaves out what is not known here: the hub cannot ask for it.
func fromProtoVerbs(ks []pb.OperationKind) []connector.Verb {
	var out []connector.Verb
	for _, k := range ks {
		if v, ok := verbs.from[k]; ok {
			out = append(out, v)
		}
	}
	return out
}
