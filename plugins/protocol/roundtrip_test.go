package protocol

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/provhub/provhub/connectors/connector"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// alike compares secrets by value and takes an empty byte value for a nil one,
// which the wire cannot tell apart.
var alike = cmp.Options{
	cmp.Comparer(func(a, b connector.Secret) bool { return a.Reveal() == b.Reveal() }),
	cmpopts.EquateEmpty(), cmpopts.EquateNaNs(),
	cmpopts.IgnoreFields(connector.Error{}, "Cause"),
}

// wire sends a message through its encoded form.
func wire[M proto.Message](t *rapid.T, m M) M {
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatalf("marshal: %v", err)
	}
	out := m.ProtoReflect().New().Interface()
	if err := proto.Unmarshal(b, out); err != nil {
		t.Fatalf("unmarshal: %v", err)
	}
	return out.(M)
}

func same(t *rapid.T, want, got any) {
	if d := cmp.Diff(want, got, alike); d != "" {
		t.Fatalf("changed on the way (-sent +received):\n%s", d)
	}
}

func TestOperationsComeBackAsSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		op := genOperation.Draw(t, "operation")
		p, err := ToProtoOperation(op)
		if err != nil {
			t.Fatal(err)
		}
		got, err := FromProtoOperation(wire(t, p))
		if err != nil {
			t.Fatal(err)
		}
		same(t, op, got)
	})
}

func TestResultsComeBackAsSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := genResult.Draw(t, "result")
		same(t, r, FromProtoResult(wire(t, ToProtoResult(r))))
	})
}

// Grants that are not told and grants that are none must stay apart: from one
// the hub concludes nothing, from the other that everything was taken away.
func TestObjectsComeBackAsSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := genObject.Draw(t, "object")
		p, err := ToProtoObject(o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := FromProtoObject(wire(t, p))
		if err != nil {
			t.Fatal(err)
		}
		same(t, o, got)
		if (o.Grants == nil) != (got.Grants == nil) {
			t.Fatalf("grants: sent %#v, received %#v", o.Grants, got.Grants)
		}
	})
}

func TestErrorsComeBackAsSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := genError.Draw(t, "error")
		got := FromProtoError(wire(t, ToProtoError(e)))
		same(t, e, got)
		if got.Class() != e.Class() {
			t.Fatalf("class: sent %s, received %s", e.Class(), got.Class())
		}
	})
}

func TestSchemasComeBackAsSent(t *testing.T) {
	text := rapid.StringN(1, 8, -1)
	attr := rapid.Custom(func(t *rapid.T) connector.Attr {
		a := connector.Attr{
			Name: text.Draw(t, "name"), Multi: rapid.Bool().Draw(t, "multi"), Ordered: rapid.Bool().Draw(t, "ordered"), Required: rapid.Bool().Draw(t, "required"),
			Type: rapid.SampledFrom([]connector.ValueType{connector.TypeString, connector.TypeInteger, connector.TypeDouble, connector.TypeBool,
				connector.TypeTimestamp, connector.TypeDate, connector.TypeBytes, connector.TypeReference, connector.TypeObject}).Draw(t, "type"),
			WriteOnly: rapid.Bool().Draw(t, "write only"), Naming: rapid.Bool().Draw(t, "naming"), Unique: rapid.Bool().Draw(t, "unique"),
			CaseExact: rapid.Bool().Draw(t, "case"), Secret: rapid.Bool().Draw(t, "secret"), MaxLength: rapid.IntRange(0, 4000).Draw(t, "length"),
			Canonical: genTexts.Draw(t, "canonical"), RefersTo: genText.Draw(t, "refers"), Description: genText.Draw(t, "description"),
		}
		switch rapid.IntRange(0, 2).Draw(t, "mutability") {
		case 1:
			a.ReadOnly = true
		case 2:
			a.CreateOnly = true
		}
		return a
	})
	rapid.Check(t, func(t *rapid.T) {
		s := connector.Schema{{
			Name: text.Draw(t, "type"), Kind: rapid.SampledFrom([]connector.ObjectKind{connector.KindAccount, connector.KindGroup, connector.KindEntitlement, connector.KindOther}).Draw(t, "kind"),
			NativeName: genText.Draw(t, "native"), Attributes: rapid.SliceOfN(attr, 0, 3).Draw(t, "attributes"), Verbs: []connector.Verb{connector.VerbCreate, connector.VerbPoll},
			Correlation: genTexts.Draw(t, "correlation"), Grants: genTexts.Draw(t, "grants"), DisableMeans: genText.Draw(t, "disable"),
		}}
		p, err := ToProtoSchema(s)
		if err != nil {
			t.Fatal(err)
		}
		same(t, s, FromProtoSchema(wire(t, &pb.DiscoverSchemaResponse{ObjectTypes: p}).ObjectTypes))
		again, err := ToProtoSchema(s)
		if err != nil || SchemaETag(p) == "" || SchemaETag(p) != SchemaETag(again) {
			t.Fatalf("etag of equal schemas: %q and %q", SchemaETag(p), SchemaETag(again))
		}
	})
}

func TestDescriptionsComeBackAsSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Description{
			Type: "memory", DisplayName: genText.Draw(t, "name"), Version: "1.2.3", Revision: genText.Draw(t, "revision"), SDKVersion: "1",
			ConfigSchema: json.RawMessage(`{"type":"object"}`), ConfigSchemaVersion: 1, Features: genTexts.Draw(t, "features"),
			Secrets: []connector.SecretSpec{{Name: "token", Description: genText.Draw(t, "secret"), Required: rapid.Bool().Draw(t, "required"), Rotatable: rapid.Bool().Draw(t, "rotatable")}},
			Actions: []connector.Action{{Name: "probe", Description: genText.Draw(t, "action"), Arguments: json.RawMessage(`{"type":"object"}`), Destructive: rapid.Bool().Draw(t, "destructive")}},
			Capabilities: connector.Capabilities{
				Verbs: []connector.Verb{connector.VerbGrant, connector.VerbRevoke}, Idempotency: rapid.SampledFrom([]connector.Idempotency{connector.IdempotencyNone, connector.IdempotencyNatural, connector.IdempotencyKeyed}).Draw(t, "idempotency"),
				Get: rapid.Bool().Draw(t, "get"), List: rapid.Bool().Draw(t, "list"), Changes: rapid.Bool().Draw(t, "changes"), DryRun: rapid.Bool().Draw(t, "dry run"),
				Atomic: rapid.Bool().Draw(t, "atomic"), MaxInFlight: rapid.IntRange(0, 64).Draw(t, "in flight"), PreferredBatch: rapid.IntRange(0, 500).Draw(t, "batch"),
				Exclusive: rapid.Bool().Draw(t, "exclusive"), Rotate: rapid.Bool().Draw(t, "rotate"),
			},
		}
		same(t, d, FromProtoDescription(wire(t, ToProtoDescription(d))))
	})
}

func TestChecksAndFindingsComeBackAsSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := []connector.CheckStep{
			{Name: "resolve", Status: connector.CheckPass, Message: genText.Draw(t, "message"), Took: genWait.Draw(t, "took")},
			{Name: "login", Status: connector.CheckFail, Err: genError.Draw(t, "error")},
			{Name: "create", Status: connector.CheckSkipped}, {Name: "tls", Status: connector.CheckWarn},
		}
		product := genText.Draw(t, "product")
		gotSteps, gotProduct := FromProtoCheck(wire(t, ToProtoCheck(steps, product)))
		same(t, steps, gotSteps)
		same(t, product, gotProduct)

		findings := []connector.Finding{{Path: "/url", Summary: genText.Draw(t, "summary"), Detail: genText.Draw(t, "detail")}, {Path: "/tls", Summary: "x", Warning: true}}
		same(t, findings, FromProtoFindings(wire(t, &pb.ValidateConfigResponse{Diagnostics: ToProtoFindings(findings)}).Diagnostics))
	})
}

func TestActionsComeBackAsSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := connector.Invocation{ID: genText.Draw(t, "id"), Name: genText.Draw(t, "name"), Arguments: json.RawMessage(`{"write":true}`)}
		p, err := ToProtoInvoke("hr", in)
		if err != nil {
			t.Fatal(err)
		}
		same(t, in, FromProtoInvoke(wire(t, p)))
		count := rapid.Int64Range(0, 1<<40)
		progress := connector.Progress{Done: count.Draw(t, "done"), Total: count.Draw(t, "total"), Message: genText.Draw(t, "message")}
		same(t, progress, FromProtoProgress(wire(t, ToProtoProgress(progress)).GetProgress()))
	})
}

func TestReadsComeBackAsSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := connector.ListQuery{Type: genText.Draw(t, "type"), Attributes: genTexts.Draw(t, "attributes"), PageSize: rapid.IntRange(0, 5000).Draw(t, "size"), PageToken: []byte(genText.Draw(t, "token"))}
		same(t, q, FromProtoListRequest(wire(t, ToProtoListRequest("hr", q))))
		c := connector.ChangesQuery{Type: genText.Draw(t, "changes type"), SyncToken: []byte(genText.Draw(t, "sync token")), Follow: rapid.Bool().Draw(t, "follow")}
		same(t, c, FromProtoChangesRequest(wire(t, ToProtoChangesRequest("hr", c))))

		change := connector.TargetChange{Ref: genRef.Draw(t, "ref")}
		if rapid.Bool().Draw(t, "upserted") {
			o := genObject.Draw(t, "object")
			change.Object = &o
		}
		p, err := ToProtoTargetChange(change)
		if err != nil {
			t.Fatal(err)
		}
		got, err := FromProtoTargetChange(wire(t, p))
		if err != nil {
			t.Fatal(err)
		}
		same(t, change, got)

		secrets := map[string]connector.Secret{"token": connector.NewSecret(genText.Draw(t, "secret")), "key": {}}
		same(t, secrets, FromProtoSecrets(wire(t, &pb.ConfigureRequest{Secrets: ToProtoSecrets(secrets)}).Secrets))
	})
}

func TestTimesKeepTheirInstantAndComeBackInUTC(t *testing.T) {
	zone := time.FixedZone("CEST", 2*60*60)
	p, err := ToProtoValue(time.Date(2026, 3, 31, 1, 2, 3, 4, zone))
	if err != nil {
		t.Fatal(err)
	}
	v, err := FromProtoValue(p)
	if want := time.Date(2026, 3, 30, 23, 2, 3, 4, time.UTC); err != nil || !cmp.Equal(v, connector.Value(want)) {
		t.Errorf("got %v, %v; want %v", v, err, want)
	}
}
