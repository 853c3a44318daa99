package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/identity"
)

func (a *app) accountCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "account", Short: "See which accounts a person has; keep them from being deleted",
		Example: "  provhub account show 1001\n  provhub account show jane@example.org --connector crm\n  provhub account hold 1001 --reason \"case 12/2026\"",
	}
	c.AddCommand(a.accountShow(), a.accountHold(), a.accountRelease(), a.accountHolds())
	return c
}

func (a *app) accountShow() *cobra.Command {
	var only string
	c := &cobra.Command{
		Use: "show PERSON", Short: "Show one person's accounts as the targets last took them", Args: args(cobra.ExactArgs(1), "a person: the anchor, or a value such as the e-mail address"),
		Example: "  provhub account show 1001\n  provhub account show jane@example.org --output json",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			p, err := h.Person(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			accounts, err := h.Accounts(cmd.Context(), p, only)
			if err != nil {
				return err
			}
			if done, err := a.json(struct {
				Person   hub.Person        `json:"person"`
				Accounts []hub.AccountView `json:"accounts"`
			}{p, accounts}); done {
				return err
			}
			a.printPerson(p)
			if len(accounts) == 0 {
				a.printf("\nNo accounts.\n")
			}
			for _, acc := range accounts {
				a.printAccount(acc)
			}
			return nil
		}),
	}
	c.Flags().StringVar(&only, "connector", "", "only in this connector")
	return c
}

func (a *app) printPerson(p hub.Person) {
	a.printf("%s %s, %s", p.Kind, p.Anchor, p.State)
	if !p.DueAt.IsZero() {
		a.printf(" until %s", when(p.DueAt, time.Now()))
	}
	a.printf(", %s\n", p.Position)
	if h := p.Hold; h != nil {
		a.printf("under a legal hold by %s since %s: %s\n", h.By, when(h.Since, time.Now()), h.Reason)
	}
	if !p.AbsentSince.IsZero() {
		a.printf("not in the source since %s\n", when(p.AbsentSince, time.Now()))
	}
}

func (a *app) printAccount(v hub.AccountView) {
	a.printf("\n%s: %s\n", v.Connector, accountLine(v.Account))
	rows := make([][]any, 0, len(v.Applied))
	for _, at := range v.Applied {
		rows = append(rows, []any{"  " + at.Name, valuesText(at.Values)})
	}
	for _, g := range v.Grants {
		rows = append(rows, []any{"  (grant)", g.Entitlement + inBrackets(g.Reason)})
	}
	a.table([]any{"  attribute", "as last taken"}, rows)
	if v.Open != nil {
		a.printf("  open: %s is %s: %s\n", v.Open.Kind, v.Open.State, why(*v.Open))
	}
}

// inBrackets returns the reason of a grant behind its name.
func inBrackets(reason string) string {
	if reason == "" {
		return ""
	}
	return "  (" + reason + ")"
}

// accountLine says in one line how an account stands.
func accountLine(acc identity.Account) string {
	switch {
	case acc.Rev == 0:
		return "no account yet"
	case acc.Absent:
		return "deleted"
	}
	parts := []string{"account " + refText(acc.Ref)}
	if acc.Enabled != connector.EnabledUnknown {
		parts = append(parts, string(acc.Enabled))
	}
	if !acc.DisabledAt.IsZero() {
		parts = append(parts, "disabled by us "+when(acc.DisabledAt, time.Now()))
	}
	parts = append(parts, string(acc.Ownership)+" by us")
	if acc.Ownership == identity.Observed {
		parts[len(parts)-1] = "observed only, never touched"
	}
	if !acc.LastSuccessAt.IsZero() {
		parts = append(parts, "last written "+when(acc.LastSuccessAt, time.Now()))
	}
	return strings.Join(parts, ", ")
}
