package reconcile

import (
	"fmt"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// Wish is one account that ledger and queue do not have as the rules and the source want
// it. The first of Operation, Withdraw and Fault that is there says what is the matter.
type Wish struct {
	identity.AccountKey
	// Operation would bring it in line.
	Operation *plan.Operation
	// Withdraw: an operation waits in the queue that is not wanted any more.
	Withdraw bool
	// Fault says why nothing can be done about it.
	Fault *plan.Note
	// Next: the next plan looks at it by itself.
	Next bool
}

// Finding says how the account stands.
func (w *Wish) Finding() Finding {
	f := Finding{Connector: w.Connector, Kind: w.Kind, Source: w.Source, Anchor: w.Anchor}
	switch op := w.Operation; {
	case op != nil:
		f.Ref, f.Situation, f.Differences = op.Target, situationOf(op), wanted(op)
		if f.Text = op.Reason; f.Situation == Excess || f.Situation == Outdated {
			f.Text = "not as the rules say now: " + drift(f.Differences)
		}
		if op.Park != "" {
			f.Text += "; " + op.Park
		}
		if w.Fault != nil && op.Park != w.Fault.Text {
			f.Text += "; " + w.Fault.Text
		}
	case w.Withdraw:
		f.Situation, f.Text = Outdated, "an operation waits in the queue that is not wanted any more"
	case w.Fault.Code == plan.NoteUnable:
		f.Situation, f.Text = LeftOver, w.Fault.Text
	default:
		f.Situation, f.Text = Unclear, w.Fault.Text
	}
	if w.Next {
		f.Text += "; the next plan looks at it"
	}
	return f
}

func situationOf(op *plan.Operation) Situation {
	switch op.Kind {
	case plan.Disable, plan.Delete:
		return LeftOver
	case plan.Create, plan.Adopt, plan.Enable:
		return Owed
	}
	for _, g := range op.Grants {
		if g.Remove {
			return Excess
		}
	}
	return Outdated
}

// wanted lists what op would change.
func wanted(op *plan.Operation) (out []Difference) {
	if op.Enabled != connector.EnabledUnknown && op.Kind != plan.Create {
		out = append(out, Difference{Wanted: connector.Values{string(op.Enabled)}, Text: string(op.Enabled)})
	}
	for _, c := range op.Changes {
		out = append(out, Difference{Attribute: c.Name, Ledger: c.Before, Wanted: c.After, Text: c.Name})
	}
	for _, g := range op.Grants {
		is := "not given yet"
		if g.Remove {
			is = "not to be given any more"
		}
		out = append(out, Difference{Grant: g.Entitlement, Text: fmt.Sprintf("grant %s: %s", g.Entitlement, is)})
	}
	return out
}

// RulesFinding says that the rules of a connector are not the ones that were last applied
// for the people of source.
func RulesFinding(name, source string) Finding {
	return Finding{Connector: name, Source: source, Situation: NewRules,
		Text: "the rules for the people of source " + source + " are not the ones that were last applied; the next plan looks at everyone"}
}
