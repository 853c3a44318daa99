package web

import (
	"slices"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// operationPageView is one operation with its tries.
type operationPageView struct {
	opView
	Attempts []store.Attempt
	Values   bool // the visitor may see values
	// Fields are the attributes that can be sent with another value.
	Fields []plan.Change
}

func (s *site) showOperation(v *visit) error {
	op, attempts, err := v.hub.State().Operation(v.Context(), v.PathValue("id"))
	if err != nil {
		return err
	}
	p := operationPageView{opView: s.view(v, op), Attempts: attempts, Values: v.may(signin.People)}
	if op.LastError != nil {
		p.Fields = faultyFirst(op)
	}
	return s.page(v, "operation", operationTitle(op), p)
}

func operationTitle(op store.OpRow) string {
	return string(op.Operation.Kind) + " the account of " + op.Anchor + " in " + op.Connector
}

// faultyFirst returns the attributes of an operation, those at fault first. What has
// several values is not edited here: one field could not say where one ends.
func faultyFirst(op store.OpRow) []plan.Change {
	var faulty, others []plan.Change
	for _, c := range op.Changes {
		switch {
		case len(c.After) > 1:
		case slices.Contains(op.LastError.Attributes, c.Name):
			faulty = append(faulty, c)
		default:
			others = append(others, c)
		}
	}
	return append(faulty, others...)
}

// edit sends other values.
func (s *site) edit(v *visit) error {
	org := v.hub.State()
	op, _, err := org.Operation(v.Context(), v.PathValue("id"))
	if err != nil {
		return err
	}
	if err := v.ParseForm(); err != nil {
		return &inputError{"The form could not be read."}
	}
	changes := slices.Clone(op.Changes)
	for i, c := range changes {
		given, ok := v.PostForm["value."+c.Name]
		if !ok || given[0] == valuesText(c.After) {
			continue
		}
		changes[i].After = nil
		if given[0] != "" {
			changes[i].After = connector.Values{given[0]}
		}
	}
	if slices.EqualFunc(changes, op.Changes, func(a, b plan.Change) bool { return valuesText(a.After) == valuesText(b.After) }) {
		return &inputError{"No value was changed."}
	}
	if err := org.EditOperation(v.Context(), op.ID, v.hub.Actor(), changes, s.now()); err != nil {
		return err
	}
	return s.done(v, "/operations/"+op.ID, "The new value is sent. Have the source corrected too: its next change brings the old value back.")
}

// history returns what was done for the accounts of somebody, the last planned first.
func history(v *visit, of identity.Key) (store.OpPage, error) {
	p, err := operationPage(v, store.OpFilter{
		Source: of.Source, Anchor: of.Anchor, States: slices.Concat(store.OpenStates, finished), Newest: true, Limit: rowsShown,
	})
	p.Operations = slices.DeleteFunc(p.Operations, func(op store.OpRow) bool { return op.AccountKey.Kind != of.Kind })
	return p, err
}
