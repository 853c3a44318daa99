package protocol

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/provhub/provhub/connectors/connector"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

const latin1 = "Jos\xe9" // not UTF-8

func TestAnOutcomeFromANewerPluginIsUnknown(t *testing.T) {
	r := FromProtoResult(&pb.Result{OperationId: "op-1", Outcome: 77})
	if r.ID != "op-1" || r.Outcome != connector.OutcomeUnknown || r.Err == nil || r.Err.Code != connector.CodeInternal {
		t.Errorf("got %+v", r)
	}
}

func TestACodeFromANewerPluginKeepsItsNumberAndClass(t *testing.T) {
	for code, class := range map[int32]connector.Class{
		17: connector.ClassTransient, 39: connector.ClassConflict, 50: connector.ClassInstance,
		79: connector.ClassPermanent, 99: connector.ClassDefect, 1000: connector.ClassDefect, -4: connector.ClassDefect,
	} {
		e := FromProtoError(&pb.Error{Code: pb.ErrorCode(code), Message: "x"})
		if int32(e.Code) != code || e.Class() != class {
			t.Errorf("code %d: got %d, %s; want %s", code, e.Code, e.Class(), class)
		}
	}
	if e := FromProtoError(&pb.Error{}); e.Code != connector.CodeInternal {
		t.Errorf("no code at all: got %s", e.Code)
	}
}

func TestAFailureWithoutAReasonIsTheFaultOfThePlugin(t *testing.T) {
	for _, o := range []pb.Outcome{pb.Outcome_OUTCOME_FAILED, pb.Outcome_OUTCOME_PARTIAL, pb.Outcome_OUTCOME_UNKNOWN} {
		if r := FromProtoResult(&pb.Result{Outcome: o}); r.Err == nil || r.Err.Class() != connector.ClassDefect {
			t.Errorf("%s: got %+v", o, r.Err)
		}
	}
}

// One string that is not UTF-8 would end the Apply stream, and with it every
// operation under way.
func TestTextThatIsNotUTF8NeverReachesTheWire(t *testing.T) {
	r := ToProtoResult(connector.Result{ID: "1", Outcome: connector.OutcomeFailed, Preview: latin1, RequestID: latin1, Applied: []string{latin1},
		Err: &connector.Error{Code: connector.CodeInvalidValue, Message: latin1, Detail: latin1, NativeCode: latin1, Attributes: []string{latin1}, Conflicting: &connector.Ref{ID: latin1}}})
	if _, err := proto.Marshal(r); err != nil {
		t.Errorf("a failure: %v", err)
	}
	if r.Error.Code != pb.ErrorCode_ERROR_CODE_INVALID_VALUE || r.Error.Message != "Jos\uFFFD" {
		t.Errorf("the reason is lost: %v", r.Error)
	}

	r = ToProtoResult(connector.Result{ID: "1", Outcome: connector.OutcomeApplied,
		Object: &connector.Object{Ref: connector.Ref{ID: "7"}, Attributes: connector.Attributes{{Name: "givenName", Values: connector.Values{latin1}}}}})
	if _, err := proto.Marshal(r); err != nil {
		t.Errorf("an object: %v", err)
	}
	if r.Outcome != pb.Outcome_OUTCOME_UNKNOWN || !strings.Contains(r.Error.Message, "attribute givenName: text is not UTF-8") {
		t.Errorf("altered data must not pass for the target's: %v", r)
	}
}

func TestOperationsThatCannotBeCarriedAreRefusedByName(t *testing.T) {
	far := time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name string
		op   connector.Operation
		want string
	}{
		{"text", connector.Update{Changes: []connector.Change{{Name: "mail", Replace: connector.Values{latin1}}}}, "update: attribute mail: text is not UTF-8"},
		{"reference", connector.Delete{Target: connector.Ref{ID: latin1}}, "delete: reference: text is not UTF-8"},
		{"time", connector.Create{Attributes: connector.Attributes{{Name: "hired", Values: connector.Values{far}}}}, "create: attribute hired: time"},
		{"type", connector.Create{Attributes: connector.Attributes{{Name: "n", Values: connector.Values{uint8(1)}}}}, "create: attribute n: a uint8 is not an attribute value"},
		{"object", connector.Create{Attributes: connector.Attributes{{Name: "o", Values: connector.Values{map[string]any{"f": func() {}}}}}}, "create: attribute o: object"},
		{"no such operation", nothing{}, "is not an operation"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ToProtoOperation(tt.op); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), latin1) {
				t.Errorf("got %v; want %q", err, tt.want)
			}
		})
	}
}

type nothing struct{ connector.Call }

func (nothing) Verb() connector.Verb { return "nothing" }

func TestOperationsThatCannotBeReadAreNotGuessed(t *testing.T) {
	for _, tt := range []struct {
		name string
		op   *pb.Operation
		code connector.Code
	}{
		{"an action that is not known", &pb.Operation{}, connector.CodeUnsupported},
		{"a change mode that is not known", &pb.Operation{Action: &pb.Operation_Update{Update: &pb.Update{Changes: []*pb.AttributeChange{{Name: "a", Mode: 9}}}}}, connector.CodeInvalidValue},
		{"a value kind that is not known", &pb.Operation{Action: &pb.Operation_Create{Create: &pb.Create{Attributes: []*pb.Attribute{{Name: "a", Values: []*pb.Value{{}}}}}}}, connector.CodeInvalidValue},
		{"an end of access out of range", &pb.Operation{Action: &pb.Operation_Grant{Grant: &pb.Grant{ExpiresAt: &timestamppb.Timestamp{Seconds: 1 << 60}}}}, connector.CodeInvalidValue},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if op, err := FromProtoOperation(tt.op); !connector.IsCode(err, tt.code) {
				t.Errorf("got %v, %v; want %s", op, err, tt.code)
			}
		})
	}
}

func TestWhatIsNotKnownNeverReadsAsHarmless(t *testing.T) {
	if steps, _ := FromProtoCheck(&pb.CheckResponse{Items: []*pb.CheckItem{{Name: "x", Status: 42}}}); steps[0].Status != connector.CheckFail {
		t.Errorf("check step: got %s", steps[0].Status)
	}
	if fs := FromProtoFindings([]*pb.Diagnostic{{Severity: 42}}); fs[0].Warning {
		t.Error("finding: an unknown severity counts as a warning")
	}
	if _, err := FromProtoTargetChange(&pb.Change{Kind: 42}); err == nil {
		t.Error("change: an unknown kind passes for a deletion")
	}
	if c := FromProtoCapabilities(nil); c.Idempotency != connector.IdempotencyNone || len(c.Verbs) != 0 {
		t.Errorf("capabilities: got %+v", c)
	}
}

// FuzzFromProto feeds arbitrary bytes to every conversion from the wire: none
// panics, and a result that was read can be sent on.
func FuzzFromProto(f *testing.F) {
	for _, op := range []connector.Operation{
		connector.Create{Call: connector.Call{ID: "1"}, Type: "user", Attributes: connector.Attributes{{Name: "a", Values: connector.Values{"x", int64(1), time.Unix(0, 0), map[string]any{"k": nil}}}}},
		connector.Update{Target: connector.Ref{ID: "7"}, Changes: []connector.Change{{Name: "a", Delta: true, Add: connector.Values{connector.Ref{ID: "8"}}}}},
	} {
		p, err := ToProtoOperation(op)
		if err != nil {
			f.Fatal(err)
		}
		b, err := proto.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		read := func(m proto.Message) bool { return proto.Unmarshal(b, m) == nil }
		if m := new(pb.Operation); read(m) {
			if op, err := FromProtoOperation(m); err == nil {
				if _, err := ToProtoOperation(op); err != nil {
					t.Errorf("read but cannot be sent on: %v", err)
				}
			}
		}
		if m := new(pb.Result); read(m) {
			if _, err := proto.Marshal(ToProtoResult(FromProtoResult(m))); err != nil {
				t.Errorf("result: %v", err)
			}
		}
		if m := new(pb.DescribeResponse); read(m) {
			FromProtoDescription(m)
		}
		if m := new(pb.DiscoverSchemaResponse); read(m) {
			FromProtoSchema(m.ObjectTypes)
		}
		if m := new(pb.CheckResponse); read(m) {
			FromProtoCheck(m)
		}
		if m := new(pb.ConfigureRequest); read(m) {
			FromProtoSecrets(m.Secrets)
		}
		if m := new(pb.ConfigureResponse); read(m) {
			FromProtoFindings(m.Diagnostics)
			FromProtoCapabilities(m.Capabilities)
		}
		if m := new(pb.ChangesResponse); read(m) {
			for _, c := range m.Changes {
				_, _ = FromProtoTargetChange(c)
			}
		}
		if m := new(pb.ListRequest); read(m) {
			FromProtoListRequest(m)
		}
	})
}
