package main

import (
	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/helpdesk"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

func (a *app) opsShow() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show one operation with all its attempts", Args: args(cobra.ExactArgs(1), "the id of one operation"),
		Example: "  provhub ops show 5f0c2e\n  provhub ops show 5f0c2e --output json",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			r, attempts, err := h.State().Operation(cmd.Context(), args[0])
			if err != nil {
				return opError(args[0], err)
			}
			if done, err := a.json(struct {
				explainedOp
				Tries []store.Attempt `json:"tries"`
			}{explainedOp{r, helpdesk.Explain(r)}, attempts}); done {
				return err
			}
			a.printOperation(r, attempts)
			return nil
		}),
	}
}
