package main

import (
	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
)

func (a *app) stopCommand() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "stop --reason TEXT", Short: "Send nothing to any target, at once and until `provhub go`",
		Long: `Send nothing to any target any more. Every node that sends sees it within a second; what
is under way then is finished. It outlives a restart, and is besides what is paused
one by one. Sources are read and plans made as before: what they find waits.`,
		Args: none(), Example: `  provhub stop --reason "wrong export from HR"`,
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error {
			if err := needReason(reason); err != nil {
				return err
			}
			changed, err := h.Stop(cmd.Context(), reason)
			if err != nil {
				return err
			}
			if done, err := a.json(map[string]any{"stopped": true, "changed": changed, "reason": reason}); done {
				return err
			}
			if !changed {
				a.printf("Everything was stopped already; `provhub connector list` says by whom.\n")
				return nil
			}
			a.printf("Everything is stopped; nothing is sent to any target until `provhub go`.\n")
			return nil
		}),
	}
	reasonFlag(c, &reason)
	return c
}

func (a *app) goCommand() *cobra.Command {
	return &cobra.Command{
		Use: "go", Short: "Send again after `provhub stop`; what is paused by itself stays so", Args: none(),
		Example: "  provhub go",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error {
			changed, err := h.Go(cmd.Context())
			if err != nil {
				return err
			}
			if done, err := a.json(map[string]any{"stopped": false, "changed": changed}); done {
				return err
			}
			if !changed {
				a.printf("Nothing was stopped.\n")
				return nil
			}
			a.printf("Everything goes on; the daemon, or the next run, sends what is in the queues.\n")
			return nil
		}),
	}
}
