package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

func (a *app) opsEdit() *cobra.Command {
	return &cobra.Command{
		Use: "edit ID NAME=VALUE...", Short: "Change what a parked operation sends, and send it",
		Long: `Change what a parked operation sends, and put it back into the queue. NAME= with
nothing behind it clears the attribute; a NAME given twice has two values. The source
stays as it is: mend it too, or the next change of the person brings the old value back.`,
		Args:    args(cobra.MinimumNArgs(2), "the id of one operation and NAME=VALUE"),
		Example: "  provhub ops edit 5f0c2e email=jane.archer2@example.org",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			edits, err := parseEdits(args[1:])
			if err != nil {
				return err
			}
			r, err := h.Edit(cmd.Context(), args[0], edits)
			switch {
			case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrAmbiguous):
				return opError(args[0], err)
			case err != nil:
				return fmt.Errorf("edit %s: %w", short(r.ID), err)
			}
			return a.sendNow(cmd.Context(), h)
		}),
	}
}

// parseEdits reads NAME=VALUE arguments.
func parseEdits(pairs []string) (edits []hub.Edit, err error) {
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, usageError{fmt.Errorf("%q is not NAME=VALUE", pair)}
		}
		i := slices.IndexFunc(edits, func(e hub.Edit) bool { return e.Name == name })
		if i < 0 {
			i, edits = len(edits), append(edits, hub.Edit{Name: name})
		}
		if value != "" {
			edits[i].Values = append(edits[i].Values, value)
		}
	}
	return edits, nil
}

func (a *app) opsAdopt() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "adopt ID --reason TEXT", Short: "Take over the account that is in the way of a create", Args: args(cobra.ExactArgs(1), "the id of one operation"),
		Long: `Take over the account that a create met, and bring it in line: for when it is the same
person's. "provhub ops show ID" names it. An account that belongs to somebody else in the
ledger is never taken over.`,
		Example: "  provhub ops adopt 5f0c2e --reason \"made by hand last week, ticket 4711\"",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return usageError{errors.New("--reason is needed: how do you know that it is the same person's account?")}
			}
			err := h.Adopt(cmd.Context(), args[0], strings.TrimSpace(reason))
			if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrAmbiguous) {
				return opError(args[0], err)
			}
			if err != nil {
				return err
			}
			return a.sendNow(cmd.Context(), h)
		}),
	}
	c.Flags().StringVar(&reason, "reason", "", "why; it goes into the audit trail")
	return c
}
