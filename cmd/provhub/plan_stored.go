package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

func (a *app) planList() *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use: "list", Short: "List the plans, the newest first", Args: none(),
		Example: "  provhub plan list --limit 5",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error {
			plans, err := h.State().Plans(cmd.Context(), limit)
			if err != nil {
				return err
			}
			if done, err := a.json(plans); done {
				return err
			}
			if len(plans) == 0 {
				a.printf("There are no plans yet; `provhub plan` makes one.\n")
			}
			rows := make([][]any, len(plans))
			for i, p := range plans {
				rows[i] = []any{short(p.Hash), p.Inputs.Source, statusText(p, time.Now()), when(p.CreatedAt, time.Now()), p.Counts.String(), p.ApprovedBy}
			}
			a.table([]any{"plan", "source", "status", "made", "operations", "approved by"}, rows)
			return nil
		}),
	}
	c.Flags().IntVar(&limit, "limit", 20, "at most this many")
	return c
}

func (a *app) planShow() *cobra.Command {
	return &cobra.Command{
		Use: "show HASH", Short: "Show a stored plan with every change", Args: args(cobra.ExactArgs(1), "the hash of one plan"),
		Example: "  provhub plan show 5f0c2e",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			row, ops, err := loadPlan(cmd.Context(), h, args[0])
			if err != nil {
				return err
			}
			if done, err := a.json(struct {
				store.PlanRow
				Operations []store.OpRow `json:"operations"`
			}{row, ops}); done {
				return err
			}
			a.printf("Plan %s from %s, %s, made %s: %s\n", short(row.Hash), row.Inputs.Source, statusText(row, time.Now()), when(row.CreatedAt, time.Now()), row.Counts)
			a.printDecision(row)
			for _, o := range ops {
				a.printf("\n%s %s in %s  (%s, operation %s)\n  because %s\n", o.Kind, o.Anchor, o.Connector, o.State, short(o.ID), o.Reason)
				a.printChanges(o.Operation)
			}
			a.printNotes("Left alone", row.Notes, true)
			a.printNotes("Could not be worked out", row.Faults, true)
			return nil
		}),
	}
}

// statusText is the status of a plan; an approval that has ended releases nothing.
func statusText(p store.PlanRow, now time.Time) string {
	if p.Status == store.PlanApproved && now.After(p.Until) {
		return "held (approval ended)"
	}
	return string(p.Status)
}

// printDecision says which guards held a plan, and who decided about it.
func (a *app) printDecision(row store.PlanRow) {
	for _, v := range row.Verdicts {
		a.printf("Guard: %s\n", v.Text)
	}
	switch {
	case row.Status == store.PlanRejected:
		a.printf("Rejected by %s: %s\n", row.ApprovedBy, row.Reason)
	case row.ApprovedBy != "":
		a.printf("Approved by %s until %s: %s\n", row.ApprovedBy, when(row.Until, time.Now()), row.Reason)
	}
}

func loadPlan(ctx context.Context, h *hub.Hub, hash string) (store.PlanRow, []store.OpRow, error) {
	row, err := h.State().Plan(ctx, hash)
	if err != nil {
		return row, nil, planError(hash, err)
	}
	ops := []store.OpRow{}
	err = h.State().PlanOperations(ctx, row.Hash, func(o store.OpRow) error {
		ops = append(ops, o)
		return nil
	})
	return row, ops, err
}

func planError(hash string, err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return usageError{fmt.Errorf("there is no plan %s; `provhub plan list` shows them", hash)}
	case errors.Is(err, store.ErrAmbiguous):
		return usageError{err}
	}
	return err
}
