package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
)

// some are the connectors that a command is about: those named, or all.
type some struct{ all bool }

func (s *some) flag(c *cobra.Command) {
	c.Flags().BoolVar(&s.all, "all", false, "all connectors of the config, in place of names")
}

func (s *some) names(cmd *cobra.Command, h *hub.Hub, given []string) ([]string, error) {
	switch {
	case s.all && len(given) > 0:
		return nil, usageError{errors.New("give names or --all, not both")}
	case s.all:
		all, err := h.Connectors(cmd.Context())
		for _, c := range all {
			if c.Plugin != "" { // it is in the config
				given = append(given, c.Name)
			}
		}
		return given, err
	case len(given) == 0:
		return nil, usageError{errors.New("give the name of a connector, or --all")}
	}
	return given, nil
}

func (a *app) connectorPause() *cobra.Command {
	var reason string
	var on some
	c := &cobra.Command{
		Use: "pause NAME... --reason TEXT", Short: "Stop sending to targets, at once and until resumed; the queue is kept",
		Args: cobra.ArbitraryArgs, Example: "  provhub connector pause crm --reason \"ticket 4711\"\n  provhub connector pause --all --reason \"network change\"",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			if err := needReason(reason); err != nil {
				return err
			}
			names, err := on.names(cmd, h, args)
			if err != nil {
				return err
			}
			for _, name := range names {
				if err := h.Pause(cmd.Context(), name, reason); err != nil {
					return err
				}
			}
			if done, err := a.json(map[string]any{"paused": names, "reason": reason}); done {
				return err
			}
			for _, name := range names {
				a.printf("%s is paused; nothing is sent until `provhub connector resume %s`.\n", name, name)
			}
			return nil
		}),
	}
	on.flag(c)
	reasonFlag(c, &reason)
	return c
}

func (a *app) connectorDrain() *cobra.Command {
	var reason string
	var on some
	c := &cobra.Command{
		Use: "drain NAME... --reason TEXT", Short: "Send what is planned until now and nothing later, then pause",
		Long: `Send what is planned for targets until now, and nothing that is planned later; when it
is through, the connector is paused. Planning goes on meanwhile: what it finds waits
in the queue until ` + "`provhub connector resume`" + `. What is parked, or waits for something
that is not in the target, does not hold the drain up.`,
		Args: cobra.ArbitraryArgs, Example: "  provhub connector drain crm --reason \"upgrade on Saturday\"",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			if err := needReason(reason); err != nil {
				return err
			}
			names, err := on.names(cmd, h, args)
			if err != nil {
				return err
			}
			through := map[string]bool{}
			for _, name := range names {
				if through[name], err = h.DrainOut(cmd.Context(), name, reason); err != nil {
					return err
				}
			}
			if done, err := a.json(map[string]any{"drained": through, "reason": reason}); done {
				return err
			}
			for _, name := range names {
				if through[name] {
					a.printf("%s has nothing to send, and is paused until `provhub connector resume %s`.\n", name, name)
					continue
				}
				a.printf("%s sends what is planned until now; then it is paused until `provhub connector resume %s`.\n", name, name)
			}
			return nil
		}),
	}
	on.flag(c)
	reasonFlag(c, &reason)
	return c
}

func (a *app) connectorResume() *cobra.Command {
	var on some
	c := &cobra.Command{
		Use: "resume NAME...", Short: "Send again to targets that were paused, stood still or are in quarantine", Args: cobra.ArbitraryArgs,
		Example: "  provhub connector resume crm\n  provhub connector resume --all",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			names, err := on.names(cmd, h, args)
			if err != nil {
				return err
			}
			for _, name := range names {
				if err := h.Resume(cmd.Context(), name); err != nil {
					return err
				}
			}
			if done, err := a.json(map[string]any{"resumed": names}); done {
				return err
			}
			stopped, err := h.State().Stopped(cmd.Context())
			if err != nil {
				return err
			}
			for _, name := range names {
				if stopped.Why != "" {
					a.printf("%s is free to go on, but everything is stopped by %s; `provhub go` ends that.\n", name, stopped.Why)
					continue
				}
				a.printf("%s goes on; the daemon, or the next run, sends what is in its queue.\n", name)
			}
			return nil
		}),
	}
	on.flag(c)
	return c
}
