package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
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
		rows = append(rows, []any{"  " + t.Rule, ce.TargetHas(t), hub.Gives(t), t.Place, t.Expr, hub.Because(t)})
	}
	a.table([]any{"  rule", "target has", "rule gives", "at", "expression", "because"}, rows)
}
