package main

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
)

func (a *app) sourcePreviewCommand() *cobra.Command {
	limit := 0
	c := &cobra.Command{
		Use: "preview SOURCE [PERSON]", Short: "What is read for people, as rules will see it; nothing is taken over",
		Args: args(cobra.RangeArgs(1, 2), "a source, and a person if only one is wanted"),
		Long: `Read people from a source and show every attribute as rules will see it, with the state
that follows and the groups. PERSON is an anchor. Nothing is taken over.`,
		Example: "  provhub source preview hr\n  provhub source preview hr 1005\n  provhub source preview hr --limit 100 --output json",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, given []string) error {
			if limit < 1 {
				return usageError{errors.New("--limit must be 1 or more")}
			}
			anchor := first(given[1:])
			people, err := h.Preview(cmd.Context(), given[0], anchor, limit)
			if err != nil {
				return err
			}
			if done, err := a.json(people); done {
				return err
			}
			for i, p := range people {
				if i > 0 {
					a.printf("\n")
				}
				a.printPreviewed(p)
			}
			if anchor == "" && len(people) == limit {
				a.printf("\nThere may be more: --limit takes more.\n")
			}
			return nil
		}),
	}
	c.Flags().IntVar(&limit, "limit", 10, "show at most this many")
	return c
}

func (a *app) printPreviewed(p hub.Previewed) {
	a.printf("%s %s (%s)", p.Kind, p.Anchor, p.Position)
	if p.State != "" {
		a.printf(", %s", p.State)
	}
	if !p.DueAt.IsZero() {
		a.printf(" until %s", when(p.DueAt, time.Now()))
	}
	a.printf("\n")
	if p.Fault != "" {
		a.printf("  bad record: %s\n", p.Fault)
	}
	var rows [][]any
	for _, name := range slices.Sorted(maps.Keys(p.Attributes)) {
		rows = append(rows, []any{"person." + name, shown(p.Attributes[name])})
	}
	a.table([]any{"rules see", "value"}, rows)
}
