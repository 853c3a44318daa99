package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

func (a *app) planApprove() *cobra.Command {
	var reason string
	var valid time.Duration
	c := &cobra.Command{
		Use: "approve HASH --reason TEXT", Short: "Release a plan that a guard holds", Args: args(cobra.ExactArgs(1), "the hash of one plan"),
		Long: `Release a plan that a guard holds. The approval is for exactly this plan, names you in
the audit trail, and ends by itself; then ` + "`provhub apply HASH`" + ` carries it out.`,
		Example: `  provhub plan approve 5f0c2e --reason "site closed, ticket 4711" --valid 4h`,
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			if err := needReason(reason); err != nil {
				return err
			}
			if valid <= 0 || valid > 7*24*time.Hour {
				return usageError{fmt.Errorf("--valid is %s; expected up to 168h", valid)}
			}
			row, err := h.State().Plan(cmd.Context(), args[0])
			if err != nil {
				return planError(args[0], err)
			}
			now := h.Now()
			if err := h.State().ApprovePlan(cmd.Context(), row.Hash, store.Approval{By: a.actor, Reason: reason, At: now, Until: now.Add(valid)}); err != nil {
				return err
			}
			if done, err := a.json(map[string]any{"approved": row.Hash, "by": a.actor, "until": now.Add(valid)}); done {
				return err
			}
			a.printf("Approved until %s by %s. A running `provhub serve` carries it out; without one: provhub apply %s\n", when(now.Add(valid), now), a.actor, short(row.Hash))
			return nil
		}),
	}
	reasonFlag(c, &reason)
	c.Flags().DurationVar(&valid, "valid", 4*time.Hour, "how long the approval holds, at most 168h")
	return c
}

func (a *app) planReject() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "reject HASH --reason TEXT", Short: "Refuse a plan for good", Args: args(cobra.ExactArgs(1), "the hash of one plan"),
		Example: `  provhub plan reject 5f0c2e --reason "HR sent half a file"`,
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			if err := needReason(reason); err != nil {
				return err
			}
			row, err := h.State().Plan(cmd.Context(), args[0])
			if err != nil {
				return planError(args[0], err)
			}
			if err := h.State().RejectPlan(cmd.Context(), row.Hash, a.actor, reason, h.Now()); err != nil {
				return err
			}
			if done, err := a.json(map[string]any{"rejected": row.Hash, "by": a.actor}); done {
				return err
			}
			a.printf("Rejected: plan %s is never carried out.\n", short(row.Hash))
			return nil
		}),
	}
	reasonFlag(c, &reason)
	return c
}
