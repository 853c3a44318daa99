package connector_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

func TestResultOfTellsWhatTookEffect(t *testing.T) {
	ref := connector.Ref{ID: "7", Version: "2"}
	obj := connector.Object{Ref: connector.Ref{ID: "9"}}
	refused := connector.Errorf(connector.CodeInvalidValue, "no")
	for _, tt := range []struct {
		name    string
		err     error
		outcome connector.Outcome
		code    connector.Code
		object  string // its id
	}{
		{"no error is applied", nil, connector.OutcomeApplied, 0, "7"},
		{"unchanged", connector.Unchanged, connector.OutcomeUnchanged, 0, "7"},
		{"unchanged, wrapped", fmt.Errorf("update: %w", connector.Unchanged), connector.OutcomeUnchanged, 0, "7"},
		{"adopted shows the real object", connector.Adopted(obj), connector.OutcomeAdopted, 0, "9"},
		{"applied with its object", connector.Applied(obj), connector.OutcomeApplied, 0, "9"},
		{"pending", connector.Pending([]byte("t"), time.Second), connector.OutcomePending, 0, "7"},
		{"a person must act", connector.ActionRequired(time.Time{}, "accept"), connector.OutcomeActionRequired, connector.CodePolicy, "7"},
		{"partial", connector.Partial(refused, "mail"), connector.OutcomePartial, connector.CodeInvalidValue, "7"},
		{"unknown", connector.Unknown(refused), connector.OutcomeUnknown, connector.CodeInvalidValue, "7"},
		{"a coded error took no effect", refused, connector.OutcomeFailed, connector.CodeInvalidValue, "7"},
		{"a coded error, wrapped", fmt.Errorf("create: %w", refused), connector.OutcomeFailed, connector.CodeInvalidValue, "7"},
		{"any other error may have", io.ErrUnexpectedEOF, connector.OutcomeUnknown, connector.CodeInternal, "7"},
		{"a deadline may have", fmt.Errorf("post: %w", context.DeadlineExceeded), connector.OutcomeUnknown, connector.CodeTimeout, "7"},
		{"a network deadline may have", os.ErrDeadlineExceeded, connector.OutcomeUnknown, connector.CodeTimeout, "7"},
		{"a cancelled call may have", context.Canceled, connector.OutcomeUnknown, connector.CodeUnavailable, "7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := connector.ResultOf("op-1", ref, tt.err)
			code := connector.Code(0)
			if r.Err != nil {
				code = r.Err.Code
			}
			if r.ID != "op-1" || r.Outcome != tt.outcome || code != tt.code || r.Object == nil || r.Object.Ref.ID != tt.object {
				t.Errorf("got %+v, %v", r, r.Err)
			}
		})
	}
	if r := connector.ResultOf("op-1", connector.Ref{}, nil); r.Object != nil {
		t.Errorf("an object out of nothing: %+v", r.Object)
	}
	if connector.Unchanged.(*connector.Answer).Result.ID != "" {
		t.Error("the shared answer was changed")
	}
}

func TestSuccessIsAppliedUnchangedOrAdopted(t *testing.T) {
	for o, want := range map[connector.Outcome]bool{
		connector.OutcomeApplied: true, connector.OutcomeUnchanged: true, connector.OutcomeAdopted: true, connector.OutcomePending: false,
		connector.OutcomeActionRequired: false, connector.OutcomePartial: false, connector.OutcomeFailed: false, connector.OutcomeUnknown: false,
		connector.OutcomeCancelled: false, connector.OutcomeWouldApply: false,
	} {
		if o.Done() != want {
			t.Errorf("%s: got %v", o, o.Done())
		}
	}
}

func TestTheRangeOfACodeIsItsClass(t *testing.T) {
	for code := connector.Code(-5); code < 130; code++ {
		want := connector.ClassDefect
		switch {
		case code >= 1 && code <= 19:
			want = connector.ClassTransient
		case code >= 20 && code <= 39:
			want = connector.ClassConflict
		case code >= 40 && code <= 59:
			want = connector.ClassInstance
		case code >= 60 && code <= 79:
			want = connector.ClassPermanent
		}
		if got := code.Class(); got != want {
			t.Errorf("%d: got %s; want %s", code, got, want)
		}
		if back, ok := connector.ParseCode(code.String()); ok && back != code {
			t.Errorf("%s is %d and %d", code, code, back)
		}
	}
	if _, ok := connector.ParseCode("CODE_17"); ok {
		t.Error("a code without a name was parsed")
	}
}

func TestAnInstanceErrorOfOneObjectIsPermanentForItAlone(t *testing.T) {
	for scope, want := range map[connector.Scope]connector.Class{
		"": connector.ClassInstance, connector.ScopeInstance: connector.ClassInstance, connector.ScopeObject: connector.ClassPermanent, connector.ScopeOperation: connector.ClassPermanent,
	} {
		e := &connector.Error{Code: connector.CodePermission, Scope: scope}
		if got := e.Class(); got != want {
			t.Errorf("scope %q: got %s; want %s", scope, got, want)
		}
	}
}

func TestErrorsWrapAndTellTheNativeCode(t *testing.T) {
	e := connector.Errorf(connector.CodeUnavailable, "dial: %w", io.EOF)
	e.NativeCode = "LDAP 52"
	if !errors.Is(e, io.EOF) || e.Error() != "UNAVAILABLE (LDAP 52): dial: EOF" {
		t.Errorf("got %q", e)
	}
	if !connector.IsCode(fmt.Errorf("x: %w", e), connector.CodeUnavailable) || connector.IsCode(e, connector.CodeTimeout) || connector.IsCode(nil, 0) {
		t.Error("IsCode is wrong")
	}
	if connector.AsError(nil) != nil || connector.AsError(fmt.Errorf("x: %w", e)) != e {
		t.Error("AsError is wrong")
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	s := connector.NewSecret("hunter2")
	holder := struct{ S connector.Secret }{s}
	b, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "s", s, "holder", holder)
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%s %q %v %+v %#v %x %d", s, s, s, s, s, s, s), fmt.Sprintf("%+v %#v", holder, &holder), string(b), log.String(), s.String()} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") {
			t.Errorf("it shows in %s", text)
		}
	}
	if s.Reveal() != "hunter2" || s.IsZero() || !(connector.Secret{}).IsZero() {
		t.Error("it is lost")
	}
}

type creates struct{}

func (creates) Schema(context.Context) (connector.Schema, error) { return nil, nil }
func (creates) Check(context.Context) error                      { return nil }
func (creates) Create(context.Context, connector.Create) (connector.Ref, error) {
	return connector.Ref{}, nil
}
func (creates) Grant(context.Context, connector.Grant) error   { return nil }
func (creates) Revoke(context.Context, connector.Revoke) error { return nil }

type batches struct{ creates }

func (batches) ApplyBatch(context.Context, []connector.Operation) []connector.Result { return nil }
func (batches) Verbs() []connector.Verb                                              { return []connector.Verb{connector.VerbDelete} }

func TestCapabilitiesFollowFromWhatIsImplemented(t *testing.T) {
	d := &connector.Definition{MaxInFlight: 3, PreferredBatch: 9, Exclusive: true}
	want := connector.Capabilities{Verbs: []connector.Verb{connector.VerbCreate, connector.VerbGrant, connector.VerbRevoke},
		Idempotency: connector.IdempotencyNone, MaxInFlight: 3, PreferredBatch: 9, Exclusive: true}
	if got := connector.CapabilitiesOf(creates{}, d); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	want.Verbs, want.Atomic = []connector.Verb{connector.VerbDelete}, true
	if got := connector.CapabilitiesOf(batches{}, d); !reflect.DeepEqual(got, want) || got.Can(connector.VerbCreate) || !got.Can(connector.VerbDelete) {
		t.Errorf("a batcher: got %+v", got)
	}
}
