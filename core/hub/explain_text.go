package hub

import (
	"fmt"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/mapping"
)

// TargetHas says what the target last took of what a rule is about.
func (ce *ConnectorExplanation) TargetHas(t mapping.Trace) string {
	switch {
	case t.Attribute != "":
		return valuesText(ce.Has(t.Attribute))
	case strings.HasPrefix(t.Rule, "grant"):
		names := append([]string{strings.TrimPrefix(t.Rule, "grant ")}, t.Entitlements...)
		if slices.ContainsFunc(names, ce.Holds) {
			return "held"
		}
	}
	return "–"
}

// Gives says what a rule gives.
func Gives(t mapping.Trace) string {
	switch t.Outcome {
	case mapping.OutcomeValue:
		return valuesText(t.Values)
	case mapping.OutcomeUnset:
		return "(left as it is)"
	case mapping.OutcomeClear:
		return "(emptied)"
	case mapping.OutcomeSkipped:
		return "(not asked)"
	}
	return "(fault)"
}

// Because says what a rule read: the values behind it are what would change it.
func Because(t mapping.Trace) string {
	var parts []string
	for _, in := range t.Inputs {
		if in.Missing {
			parts = append(parts, in.Name+" is missing")
			continue
		}
		parts = append(parts, fmt.Sprintf("%s is %q", in.Name, fmt.Sprint(in.Value)))
	}
	for _, p := range t.Parts {
		parts = append(parts, p.Expr+" is "+p.Result)
	}
	if t.Why != "" && !slices.Contains(parts, t.Why) {
		parts = append(parts, t.Why)
	}
	return strings.Join(parts, "; ")
}

func valuesText(vs connector.Values) string {
	parts := make([]string, len(vs))
	for i, v := range vs {
		parts[i] = connector.Text(v)
	}
	if len(parts) == 0 {
		return "–"
	}
	return strings.Join(parts, ", ")
}
