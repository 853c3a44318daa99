package dispatch

import (
	"strings"
	"testing"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// QUIRKS Q-43
func TestErrorsNameNobody(t *testing.T) {
	w := Work{}
	w.Operation = op(plan.Update, change("userName", "jane.doe", "jane.roe"), change("mail", "", "Jane.Roe@acme.example"), change("title", "", "CEO"), change("floor", "", "4"), gain("vpn"))
	w.Operation.Correlate = connector.Correlation{Attribute: "externalId", Value: "4711"}
	w.Account.Ref = connector.Ref{ID: "uid=jane.doe,ou=people,dc=acme", Name: "Jane Doe"}
	w.Account.Applied = connector.Attributes{{Name: "sn", Values: connector.Values{"Müller-Doe"}}, {Name: "team", Values: connector.Values{"vpn"}}}
	for says, want := range map[string]string{
		"the name is too short":                                   "the name is too short",
		`"jane.roe" is taken`:                                     `"‹userName›" is taken`,
		"JANE.ROE@ACME.EXAMPLE is not a mail address of ours":     "‹mail› is not a mail address of ours",
		"cannot modify uid=jane.doe,ou=people,dc=acme: refused":   "cannot modify ‹account›: refused",
		"Jane Doe (4711) may not be a CEO":                        "‹account› (‹externalId›) may not be a ‹title›",
		"no room for CEOs on floor 4":                             "no room for CEOs on floor 4",
		"error 47110 of müller-doe":                               "error 47110 of ‹sn›",
		`there is no group called "vpn" yet`:                      `there is no group called "vpn" yet`,
		"bob@other.example has it already":                        "‹mail address› has it already",
		"sent Authorization: Bearer abcdefgh12345678, refused":    "sent Authorization: Bearer ***, refused",
		"url had token=abcdef123&x=1":                             "url had token=***&x=1",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.sig has ended":  "*** has ended",
		"cannot reach scim.acme.example:443 (password is wrong)":  "cannot reach scim.acme.example:443 (password is wrong)",
		"jane.roe, jane.roe and again jane.roe\xff\xfe; jane.roe": "‹userName›, ‹userName› and again ‹userName›\xff\xfe; ‹userName›",
	} {
		said := &connector.Error{Code: connector.CodePolicy, Message: says}
		if got := spare(said, &w); got.Message != want || got.Code != said.Code || said.Message != says {
			t.Errorf("%q\n  became %q\n    want %q", says, got.Message, want)
		}
	}
	if spare(nil, &w) != nil {
		t.Error("no error became one")
	}
}

// QUIRKS Q-43: what stops a connector is told to everybody, in logs and alerts too.
func TestWhatStopsAConnectorNamesNobody(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t)
		b.before = nth(connector.VerbCreate, 1, connector.Result{Outcome: connector.OutcomeFailed,
			Err: &connector.Error{Code: connector.CodePermission, Message: "may not make u1001 <jane@acme.example>"}})
		b.enqueue(joiner("1001"))
		b.drain()
		r := b.state("1001", store.OpReady)
		s, err := b.ConnectorState(t.Context(), "crm")
		if err != nil {
			t.Fatal(err)
		}
		if want := "may not make ‹login› <‹mail address›>"; !strings.HasSuffix(s.Stopped, want) {
			t.Errorf("stopped: %q, want %q; operation: %v", s.Stopped, want, r.LastError)
		}
		_, attempts, err := b.Operation(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range attempts {
			if strings.Contains(a.Answer, "u1001") || strings.Contains(a.Answer, "@") {
				t.Errorf("an attempt keeps %q", a.Answer)
			}
		}
	})
}
