package connector_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/provhub/provhub/connectors/connector"
)

// look is a step that finds message, or fails.
func look(message string, err error) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return message, err }
}

func TestCheckRun(t *testing.T) {
	refused := connector.Errorf(connector.CodePermission, "the login lacks INSERT")
	native := errors.New("ORA-01017")
	type step = connector.CheckStep
	for _, tc := range []struct {
		name  string
		check func(r *connector.CheckRun)
		want  []step
	}{
		{"every step says what it found", func(r *connector.CheckRun) {
			r.Step(t.Context(), "resolve", look("db has 2 addresses", nil))
			r.Step(t.Context(), "tls", look("TLS 1.3", nil))
		}, []step{{Name: "resolve", Status: connector.CheckPass, Message: "db has 2 addresses"}, {Name: "tls", Status: connector.CheckPass, Message: "TLS 1.3"}}},

		{"a warning counts for its own step", func(r *connector.CheckRun) {
			r.Step(t.Context(), "tls", func(context.Context) (string, error) { return r.Warn("not encrypted"), nil })
			r.Step(t.Context(), "login", look("accepted", nil))
		}, []step{{Name: "tls", Status: connector.CheckWarn, Message: "not encrypted"}, {Name: "login", Status: connector.CheckPass, Message: "accepted"}}},

		{"nothing is done after a failure, which outweighs a warning", func(r *connector.CheckRun) {
			r.Step(t.Context(), "login", func(context.Context) (string, error) { return r.Warn("slow"), refused })
			r.Step(t.Context(), "tables", func(context.Context) (string, error) { t.Error("a step ran after the failure"); return "", nil })
		}, []step{{Name: "login", Status: connector.CheckFail, Message: "the login lacks INSERT", Err: refused}, {Name: "tables", Status: connector.CheckSkipped}}},

		{"an error gets its code from the connector", func(r *connector.CheckRun) {
			r.Classify = func(err error) error {
				return &connector.Error{Code: connector.CodeAuthentication, Message: "wrong password", NativeCode: err.Error()}
			}
			r.Step(t.Context(), "login", look("", native))
		}, []step{{Name: "login", Status: connector.CheckFail, Message: "wrong password",
			Err: &connector.Error{Code: connector.CodeAuthentication, Message: "wrong password", NativeCode: "ORA-01017"}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var r connector.CheckRun
			tc.check(&r)
			if diff := cmp.Diff(tc.want, r.Steps(), cmpopts.IgnoreFields(step{}, "Took"), cmpopts.IgnoreUnexported(connector.Error{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheckFailure(t *testing.T) {
	var r connector.CheckRun
	r.Step(t.Context(), "connect", look("answers", nil))
	if err := connector.CheckFailure(r.Steps()); err != nil {
		t.Errorf("nothing failed, and CheckFailure says %v", err)
	}
	r.Step(t.Context(), "login", look("", connector.Errorf(connector.CodeAuthentication, "refused")))
	if err := connector.CheckFailure(r.Steps()); !connector.IsCode(err, connector.CodeAuthentication) {
		t.Errorf("CheckFailure = %v", err)
	}
}
