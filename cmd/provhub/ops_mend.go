package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

func (a *app) opsRetry() *cobra.Command {
	var later bool
	c := &cobra.Command{
		Use: "retry ID...", Short: "Try operations again", Args: args(cobra.MinimumNArgs(1), "the id of an operation"),
		Example: "  provhub ops retry 5f0c2e\n  provhub ops retry 5f0c2e 77ab01 --later",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			ids := make([]string, 0, len(args))
			for _, id := range args {
				r, _, err := h.State().Operation(cmd.Context(), id)
				if err != nil {
					return opError(id, err)
				}
				if err := h.State().RetryOperation(cmd.Context(), r.ID, a.actor, h.Now()); err != nil {
					return fmt.Errorf("retry %s: %w", short(r.ID), err)
				}
				ids = append(ids, r.ID)
			}
			if later {
				if done, err := a.json(map[string]any{"put_back": ids}); done {
					return err
				}
				a.printf("%s put back; the next run sends it.\n", plural(len(args), "operation", "operations"))
				return nil
			}
			return a.drain(cmd.Context(), h)
		}),
	}
	c.Flags().BoolVar(&later, "later", false, "only put it back; the next run sends it")
	return c
}

func (a *app) opsSkip() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "skip ID --reason TEXT", Short: "Never send an operation", Args: args(cobra.ExactArgs(1), "the id of one operation"),
		Long:    "Never send an operation. The account stays as it is now; when the person changes, a new one is planned.",
		Example: `  provhub ops skip 5f0c2e --reason "account is handled by hand, ticket 4711"`,
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			if err := needReason(reason); err != nil {
				return err
			}
			r, _, err := h.State().Operation(cmd.Context(), args[0])
			if err != nil {
				return opError(args[0], err)
			}
			if err := h.State().SkipOperation(cmd.Context(), r.ID, a.actor, reason, h.Now()); err != nil {
				return fmt.Errorf("skip %s: %w", short(r.ID), err)
			}
			if done, err := a.json(map[string]any{"skipped": r.ID, "reason": reason}); done {
				return err
			}
			a.printf("Skipped: %s the account of %s in %s.\n", r.Kind, r.Anchor, r.Connector)
			return nil
		}),
	}
	reasonFlag(c, &reason)
	return c
}

func (a *app) opsEdit() *cobra.Command {
	return &cobra.Command{
		Use: "edit ID NAME=VALUE...", Short: "Change what a parked operation sends, and send it",
		Long: `Change what a parked operation sends, and put it back into the queue. NAME= with
nothing behind it clears the attribute. The source stays as it is: mend it too, or
the next change of the person brings the old value back.`,
		Args:    args(cobra.MinimumNArgs(2), "the id of one operation and NAME=VALUE"),
		Example: "  provhub ops edit 5f0c2e email=jane.archer2@example.org",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			r, _, err := h.State().Operation(cmd.Context(), args[0])
			if err != nil {
				return opError(args[0], err)
			}
			changes, err := edits(r, args[1:])
			if err != nil {
				return err
			}
			if err := h.State().EditOperation(cmd.Context(), r.ID, a.actor, changes, h.Now()); err != nil {
				return fmt.Errorf("edit %s: %w", short(r.ID), err)
			}
			return a.drain(cmd.Context(), h)
		}),
	}
}

// edits applies NAME=VALUE arguments to the changes of an operation.
func edits(r store.OpRow, pairs []string) ([]plan.Change, error) {
	changes := append([]plan.Change(nil), r.Changes...)
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, usageError{fmt.Errorf("%q is not NAME=VALUE", pair)}
		}
		at := -1
		for i := range changes {
			if changes[i].Name == name {
				at = i
			}
		}
		if at < 0 {
			return nil, usageError{fmt.Errorf("the operation does not change %q; it changes %s", name, names(changes))}
		}
		changes[at].After = nil
		if value != "" {
			changes[at].After = connector.Values{value}
		}
	}
	return changes, nil
}

func names(changes []plan.Change) string {
	out := make([]string, len(changes))
	for i, c := range changes {
		out[i] = c.Name
	}
	return strings.Join(out, ", ")
}
