package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
)

func (a *app) opsHandOver() *cobra.Command {
	var p opsPress
	var note string
	c := &cobra.Command{
		Use: "handover [ID...] --note TEXT", Short: "Hand operations to the operators of the hub", Args: cobra.ArbitraryArgs,
		Long: `Mark operations as being with the operators of the hub, with a note that says what for.
Nothing else about them changes. "provhub ops list --with ops" shows them.`,
		Example: "  provhub ops handover 5f0c2e --note \"crm says the certificate ended\"\n  provhub ops handover --cause 3fa9 --note \"needs a right in crm\"",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			if strings.TrimSpace(note) == "" {
				return usageError{errors.New("--note is needed: it tells the operators what to look at")}
			}
			s, err := p.selection(cmd.Context(), h, args)
			if err != nil {
				return err
			}
			m, err := h.HandOver(cmd.Context(), s, strings.TrimSpace(note))
			if err != nil {
				return err
			}
			return a.pressed(m, "handed to the operators")
		}),
	}
	p.add(c)
	c.Flags().StringVar(&note, "note", "", "what the operators should look at")
	return c
}

func (a *app) opsTakeBack() *cobra.Command {
	var p opsPress
	var reason string
	c := &cobra.Command{
		Use: "takeback [ID...]", Short: "Take operations back from the operators", Args: cobra.ArbitraryArgs,
		Example: "  provhub ops takeback 5f0c2e\n  provhub ops takeback --cause 3fa9 --reason \"the certificate is renewed\"",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			s, err := p.selection(cmd.Context(), h, args)
			if err != nil {
				return err
			}
			m, err := h.TakeBack(cmd.Context(), s, strings.TrimSpace(reason))
			if err != nil {
				return err
			}
			return a.pressed(m, "taken back")
		}),
	}
	p.add(c)
	c.Flags().StringVar(&reason, "reason", "", "why; it goes into the audit trail")
	return c
}
