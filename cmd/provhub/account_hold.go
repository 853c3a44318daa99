package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/wording"
)

func (a *app) accountHold() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "hold PERSON --reason TEXT", Short: "Put a person under a legal hold: none of their accounts is deleted", Args: args(cobra.ExactArgs(1), "a person: the anchor, or a value such as the e-mail address"),
		Long: "Put a person under a legal hold. Until `provhub account release` none of their accounts is\n" +
			"deleted, neither when delete_after is over nor where the policy deletes at once; they are\n" +
			"disabled, and lose grants, as ever. Deletes that wait in the queue are taken out of it, and\n" +
			"plans with one are out of date. Where taking a licence away deletes data in a target, see\n" +
			"revoke_on_leave of its connector.",
		Example: "  provhub account hold 1001 --reason \"case 12/2026\"",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			r, err := h.LegalHold(cmd.Context(), args[0], reason)
			if err != nil {
				return err
			}
			if done, err := a.json(r); done {
				return err
			}
			a.printf("%s is under a legal hold: nothing of theirs is deleted.\n", r.Person.Anchor)
			if n := len(r.Stopped); n > 0 {
				a.printf("%s taken out of the queue.\n", wording.Count(n, "delete was", "deletes were"))
			}
			for _, op := range r.UnderWay {
				a.printf("BUT in %s a delete was sent before and is not recalled: `provhub connector pause %[1]s` keeps it from being sent again, `provhub ops show %[2]s` says how it stands.\n", op.Connector, short(op.ID))
			}
			return nil
		}),
	}
	c.Flags().StringVar(&reason, "reason", "", "why, such as the number of the case; the audit trail keeps it (required)")
	return c
}

func (a *app) accountRelease() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "release PERSON --reason TEXT", Short: "End a legal hold", Args: args(cobra.ExactArgs(1), "a person: the anchor, or a value such as the e-mail address"),
		Long:    "End a legal hold. Accounts whose time is over by then are deleted by the next run, under\nthe same guards as ever.",
		Example: "  provhub account release 1001 --reason \"case 12/2026 is closed\"",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			p, err := h.EndLegalHold(cmd.Context(), args[0], reason)
			if err != nil {
				return err
			}
			if done, err := a.json(p); done {
				return err
			}
			a.printf("%s is under a legal hold no more; what is overdue, the next run plans.\n", p.Anchor)
			return nil
		}),
	}
	c.Flags().StringVar(&reason, "reason", "", "why; the audit trail keeps it (required)")
	return c
}

func (a *app) accountHolds() *cobra.Command {
	return &cobra.Command{
		Use: "holds", Short: "List the people who are under a legal hold", Args: none(),
		Example: "  provhub account holds --output json",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error {
			people, err := h.LegalHolds(cmd.Context())
			if err != nil {
				return err
			}
			if done, err := a.json(people); done {
				return err
			}
			if len(people) == 0 {
				a.printf("Nobody is under a legal hold.\n")
				return nil
			}
			rows := make([][]any, len(people))
			for i, p := range people {
				rows[i] = []any{p.Source, p.Anchor, p.State, p.Hold.By, when(p.Hold.Since, time.Now()), p.Hold.Reason}
			}
			a.table([]any{"source", "person", "state", "held by", "since", "reason"}, rows)
			return nil
		}),
	}
}
