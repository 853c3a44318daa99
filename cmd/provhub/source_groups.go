package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
)

func (a *app) sourceGroupsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "groups [SOURCE]", Short: "The groups of a source, those that are gone with the date",
		Args: args(cobra.MaximumNArgs(1), "no more than a source"),
		Long: `List the groups as last read. One that is not in the source any more is kept, with
the date; it is as it was when it comes back.`,
		Example: "  provhub source groups\n  provhub source groups directory --output json",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			views, err := h.Groups(cmd.Context(), name)
			if err != nil {
				return err
			}
			if done, err := a.json(views); done {
				return err
			}
			now := time.Now()
			rows := make([][]any, len(views))
			for i, v := range views {
				gone := ""
				if !v.AbsentSince.IsZero() {
					gone = when(v.AbsentSince, now)
				}
				rows[i] = []any{v.Source, v.Anchor, v.Name, v.People, when(v.FirstSeen, now), gone}
			}
			a.table([]any{"source", "anchor", "name", "people", "first seen", "gone"}, rows)
			return nil
		}),
	}
}
