package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/mapping"
)

func (a *app) explainCommand() *cobra.Command {
	var only string
	c := &cobra.Command{
		Use: "explain PERSON", Short: "Say why a person's accounts are as they are, and what would change it",
		Args: args(cobra.ExactArgs(1), "a person: the anchor, or a value such as the e-mail address"),
		Long: `Go from what each target holds back through the rule to the config line and to the
value in the source. It asks no target: it speaks of the last reading and of what the
targets last took.`,
		Example: "  provhub explain 1001\n  provhub explain jane@example.org --connector crm",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			e, err := h.Explain(cmd.Context(), args[0], only)
			if err != nil {
				return err
			}
			if done, err := a.json(e); done {
				return err
			}
			a.printPerson(e.Person)
			a.printf("because %s\n", e.Why)
			if e.Manager != nil {
				a.printf("reports to %s, %s\n", e.Manager.Anchor, e.Manager.Position)
			}
			for i := range e.Connectors {
				a.printExplained(&e.Connectors[i])
			}
			return nil
		}),
	}
	c.Flags().StringVar(&only, "connector", "", "only in this connector")
	return c
}

func (a *app) printExplained(ce *hub.ConnectorExplanation) {
	a.printf("\n%s (%s): %s\n", ce.Connector, ce.Place, accountLine(ce.Account.Account))
	if ce.Fault != "" {
		a.printf("  cannot be worked out: %s\n", strings.ReplaceAll(ce.Fault, "\n", "\n  "))
	}
	if ce.Account.Open != nil {
		a.printf("  open: %s is %s: %s (operation %s)\n", ce.Account.Open.Kind, ce.Account.Open.State, why(*ce.Account.Open), short(ce.Account.Open.ID))
	}
	var rows [][]any
	for _, t := range ce.Traces {
		rows = append(rows, []any{"  " + t.Rule, has(ce, t), wants(t), t.Place, t.Expr, because(t)})
	}
	a.table([]any{"  rule", "target has", "rule gives", "at", "expression", "because"}, rows)
}

// has says what the target last took of what a rule is about.
func has(ce *hub.ConnectorExplanation, t mapping.Trace) string {
	switch {
	case t.Attribute != "":
		return valuesText(ce.Has(t.Attribute))
	case strings.HasPrefix(t.Rule, "grant"):
		name := strings.TrimPrefix(t.Rule, "grant ")
		if ce.Holds(name) {
			return "held"
		}
		for _, e := range t.Entitlements {
			if ce.Holds(e) {
				return "held"
			}
		}
	}
	return "–"
}

func wants(t mapping.Trace) string {
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

// because shows what a rule read: the values behind it are what would change it.
func because(t mapping.Trace) string {
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
