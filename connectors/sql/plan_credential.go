package sql

import (
	"context"
	"fmt"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// setCredential runs the statements of the config: how a password is hashed is
// the app's business, so no column takes one as it is.
func (p *planner) setCredential(op connector.SetCredential) error {
	if len(p.m.credential) == 0 {
		return unsupported(op.Verb(), "; set statements.set_credential in its config")
	}
	r, err := p.target(op.Target)
	if err != nil {
		return err
	}
	values := namedValues(op, r)
	for _, st := range p.m.credential {
		a := p.do(parseNamed(st.SQL).bind(p.m.d, values), st.expect())
		a.answer = st.Result
	}
	return nil
}

// expect is how many rows the config wants a statement to change.
func (st *Statement) expect() expect {
	switch st.Rows {
	case "any":
		return expectAny
	case "some":
		return expectSome
	}
	return expectOne
}

// namedValues are what the :names of a statement stand for.
func namedValues(op connector.Operation, about *record) map[string]any {
	v := map[string]any{"operation": op.Meta().ID, "verb": string(op.Verb())}
	if about != nil {
		for _, col := range about.e.columns {
			if bound, err := col.encode(about.get(col)); err == nil && about.get(col) != nil {
				v[col.attr] = bound
			}
		}
		v["key"] = about.key()
		if id := about.get(about.e.id); id != nil {
			v["id"] = id
		}
		if s := about.state(); s != connector.EnabledUnknown {
			v["enabled"] = s == connector.IsEnabled
		}
	}
	switch o := op.(type) {
	case connector.Grant:
		v["group"] = firstOf(o.Entitlement.ID, o.Entitlement.By.Value, o.Entitlement.Name)
	case connector.Revoke:
		v["group"] = firstOf(o.Entitlement.ID, o.Entitlement.By.Value, o.Entitlement.Name)
	case connector.SetCredential:
		v["credential"] = o.Credential.Reveal()
	}
	return v
}

func firstOf(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// answered reads the code that a procedure returns: unchanged reports whether it
// says that nothing was to be done.
func (a *Answer) answered(ctx context.Context, s *session, st dialect.Statement) (unchanged bool, err error) {
	rows, err := s.named(ctx, st)
	if err != nil {
		return false, err
	}
	if len(rows) != 1 {
		return false, configuration(fmt.Sprintf("the procedure answers %d rows, and result.column needs one", len(rows)))
	}
	v, ok := rows[0][strings.ToLower(a.Column)]
	if !ok {
		return false, configuration(fmt.Sprintf("the procedure's answer has no column %q", a.Column))
	}
	code := textOf(v)
	for _, o := range a.Outcomes {
		if o.Value != code {
			continue
		}
		if e, bad := meaningsOf[o.Outcome]; bad {
			return false, &connector.Error{Code: e, NativeCode: "result " + code, Message: "the database's procedure answers " + strings.ReplaceAll(o.Outcome, "_", " ")}
		}
		return o.Outcome == string(connector.OutcomeUnchanged), nil
	}
	return false, &connector.Error{Code: connector.CodePolicy, NativeCode: "result " + code, Message: "the procedure answers a code that result.outcomes does not list"}
}
