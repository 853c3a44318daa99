package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
)

func (a *app) nodeCommand() *cobra.Command {
	c := &cobra.Command{Use: "node", Short: "Look at the processes that serve", Example: "  provhub node list"}
	c.AddCommand(a.nodeList())
	return c
}

func (a *app) nodeList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the nodes and the connectors that each sends for", Args: none(),
		Example: "  provhub node list --output json",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error {
			nodes, err := h.State().Nodes(cmd.Context())
			if err != nil {
				return err
			}
			if done, err := a.json(nodes); done {
				return err
			}
			if len(nodes) == 0 {
				a.printf("No node serves this state. `provhub serve` starts one.\n")
			}
			rows := make([][]any, len(nodes))
			for i, n := range nodes {
				seen := "now"
				if n.Gone() {
					seen = fmt.Sprintf("gone for %s", n.Silent.Round(time.Second))
				}
				rows[i] = []any{n.Name, n.Version, n.StartedAt.Local().Format(time.DateTime), n.Address, seen, list(n.Connectors)}
			}
			a.table([]any{"node", "version", "since", "listens at", "seen", "sends to"}, rows)
			return nil
		}),
	}
}
