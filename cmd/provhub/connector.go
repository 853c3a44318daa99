package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/wording"
)

func (a *app) connectorCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "connector", Short: "Look at the configured targets",
		Example: "  provhub connector list\n  provhub connector check crm\n  provhub connector schema crm\n  provhub connector probe crm\n  provhub connector pause crm --reason \"maintenance\"",
	}
	c.AddCommand(a.connectorList(), a.connectorCheck(), a.connectorSchema(), a.connectorProbe(), a.connectorAction(), a.connectorPause(),
		a.connectorDrain(), a.connectorResume(), a.connectorAccept())
	return c
}

func (a *app) connectorList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the connectors and how they stand", Args: none(),
		Example: "  provhub connector list --output json",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error {
			cs, err := h.Connectors(cmd.Context())
			if err != nil {
				return err
			}
			unfed, err := h.Unfed(cmd.Context())
			if err != nil {
				return err
			}
			if done, err := a.json(withUnfed(cs, unfed)); done {
				return err
			}
			rows := make([][]any, len(cs))
			for i, c := range cs {
				rows[i] = []any{c.Name, c.Plugin, c.Accounts, c.Open, c.Parked, c.State}
			}
			a.table([]any{"connector", "plugin", "enabled accounts", "open", "parked", "state"}, rows)
			for _, f := range unfed {
				a.printf("%s: source %s feeds it no more; %s left as before, and nobody of %[2]s who leaves is disabled there\n",
					f.Connector, f.Source, wording.Count(f.Accounts, "enabled account is", "enabled accounts are"))
			}
			return nil
		}),
	}
}

// connectorListed is how one connector stands, with the sources that feed it no more.
type connectorListed struct {
	hub.ConnectorStatus
	Unfed []store.Feed `json:"unfed,omitempty"`
}

func withUnfed(cs []hub.ConnectorStatus, unfed []store.Feed) []connectorListed {
	out := make([]connectorListed, len(cs))
	for i, c := range cs {
		out[i].ConnectorStatus = c
		for _, f := range unfed {
			if f.Connector == c.Name {
				out[i].Unfed = append(out[i].Unfed, f)
			}
		}
	}
	return out
}

func (a *app) connectorCheck() *cobra.Command {
	return &cobra.Command{
		Use: "check [NAME...]", Short: "Prove that targets can be reached and used; changes nothing there",
		Long:    "Prove, step by step, that targets can be reached and used. It changes nothing in the\ntarget. A connector that stood still because of a failed sign-in goes on once its check passes.",
		Example: "  provhub connector check\n  provhub connector check crm",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			checks, err := h.Check(cmd.Context(), args)
			if err != nil {
				return err
			}
			failed := false
			for _, c := range checks {
				failed = failed || !c.Passed
			}
			if done, err := a.json(checks); done {
				return orExit(err, failed)
			}
			for _, c := range checks {
				a.printCheck(c)
			}
			return orExit(nil, failed)
		}),
	}
}

// orExit returns err, else the exit code of a failure that was printed already.
func orExit(err error, failed bool) error {
	if err == nil && failed {
		return &exitError{code: exitFailed}
	}
	return err
}

func (a *app) printCheck(c hub.Check) {
	verdict := "passes"
	if !c.Passed {
		verdict = "FAILS"
	}
	a.printf("%s (%s)%s: %s\n", c.Connector, c.Plugin, inParens(c.Product), verdict)
	if c.Problem != "" {
		a.printf("  %s\n", strings.ReplaceAll(c.Problem, "\n", "\n  "))
	}
	var rows [][]any
	for _, s := range c.Steps {
		text := s.Message
		if s.Err != nil {
			text = s.Err.Error()
		}
		rows = append(rows, []any{"  " + s.Name, s.Status, s.Took.Round(time.Millisecond), text})
	}
	a.table([]any{"  step", "result", "took", ""}, rows)
	if c.Resumed {
		a.printf("  It stood still; the daemon, or the next run, sends again.\n")
	}
}

func inParens(s string) string {
	if s == "" {
		return ""
	}
	return " " + s
}

func (a *app) connectorSchema() *cobra.Command {
	return &cobra.Command{
		Use: "schema NAME", Short: "Show what a target holds: object types and attributes", Args: args(cobra.ExactArgs(1), "the name of one connector"),
		Example: "  provhub connector schema crm",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			schema, caps, err := h.Schema(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if done, err := a.json(struct {
				Schema       connector.Schema       `json:"schema"`
				Capabilities connector.Capabilities `json:"capabilities"`
			}{schema, caps}); done {
				return err
			}
			a.printf("%s can %s.\n", args[0], verbsText(caps.Verbs))
			for _, t := range schema {
				a.printf("\n%s (%s%s)\n", t.Name, t.Kind, nativeText(t.NativeName))
				rows := make([][]any, len(t.Attributes))
				for i, at := range t.Attributes {
					rows[i] = []any{"  " + at.Name, typeText(at), flagsText(at), at.Description}
				}
				a.table([]any{"  attribute", "type", "", ""}, rows)
			}
			return nil
		}),
	}
}

func verbsText(vs []connector.Verb) string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = string(v)
	}
	return strings.Join(out, ", ")
}

func nativeText(s string) string {
	if s == "" {
		return ""
	}
	return ", " + s
}

func typeText(a connector.Attr) string {
	t := string(a.Type)
	if t == "" {
		t = string(connector.TypeString)
	}
	if a.MaxLength > 0 {
		t += fmt.Sprintf("(%d)", a.MaxLength)
	}
	if a.Multi {
		t += ", several"
	}
	return t
}

func flagsText(a connector.Attr) string {
	var out []string
	for _, f := range []struct {
		on   bool
		name string
	}{{a.Required, "required"}, {a.Unique, "unique"}, {a.ReadOnly, "read-only"}, {a.CreateOnly, "create only"}, {a.WriteOnly, "write-only"}, {a.Secret, "secret"}} {
		if f.on {
			out = append(out, f.name)
		}
	}
	return strings.Join(out, ", ")
}

func (a *app) connectorAccept() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "accept NAME --reason TEXT", Short: "Confirm that another target holds the same accounts as the one before",
		Long: `A connector whose config or secret leads to another target than before is held:
what is on record of its accounts is not true of a test system. Confirm with this
command that the accounts are the same, as after a move to another server, and the
next run sends again. For a target with other accounts, lead the config back, or
give it a connector of its own.`,
		Args: args(cobra.ExactArgs(1), "the name of one connector"), Example: "  provhub connector accept crm --reason \"moved to the new data centre, ticket 4711\"",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			if err := needReason(reason); err != nil {
				return err
			}
			target, err := h.AcceptTarget(cmd.Context(), args[0], reason)
			if err != nil {
				return err
			}
			if done, err := a.json(map[string]string{"accepted": args[0], "target": target, "reason": reason}); done {
				return err
			}
			a.printf("%s is about %s from now on; the daemon, or the next run, sends what is in its queue.\n", args[0], target)
			return nil
		}),
	}
	reasonFlag(c, &reason)
	return c
}
