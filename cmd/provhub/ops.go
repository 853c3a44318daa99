package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

func (a *app) opsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "ops", Short: "See and mend operations that are not finished", Aliases: []string{"op"},
		Long: `See and mend operations that are not finished. All of it works beside a provhub that
runs; whoever presses second is told what the first one did, and every press is in the
audit trail.`,
		Example: `  provhub ops causes                     what fails, how often, since when, and what to do
  provhub ops list                       what is open, and why
  provhub ops list --state parked        what waits for a person
  provhub ops show 5f0c                  one operation with all its attempts
  provhub ops retry 5f0c                 try it again now
  provhub ops retry --cause 3fa9         try all again that fail for the same thing
  provhub ops edit 5f0c email=jo@a.org   send another value
  provhub ops skip 5f0c --reason "..."   never send it
  provhub ops handover 5f0c --note "..." give it to the operators of the hub`,
	}
	c.AddCommand(a.opsList(), a.opsCauses(), a.opsShow(), a.opsRetry(), a.opsEdit(), a.opsAdopt(), a.opsSkip(), a.opsHandOver(), a.opsTakeBack())
	return c
}

func (a *app) opsList() *cobra.Command {
	var f opsFilter
	var page store.OpFilter
	var all bool
	var by string
	c := &cobra.Command{
		Use: "list", Short: "List operations", Args: none(),
		Long: `List operations, a page at a time, in the order of the queue or the newest first. Where
little matches, a page ends after a bounded search, and says where to go on.`,
		Example: `  provhub ops list --connector crm --state parked,retry
  provhub ops list --all --person 1001 --output json
  provhub ops list --state parked --older 2h
  provhub ops list --with ops
  provhub ops list --by cause`,
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error {
			if by != "" && by != "cause" {
				return usageError{fmt.Errorf("--by %q is none; operations are grouped by cause", by)}
			}
			selected, err := f.filter(cmd.Context(), h, all)
			if err != nil {
				return err
			}
			if by == "cause" {
				return a.listCauses(cmd.Context(), h, causesOf(selected, page.Limit))
			}
			selected.After, selected.Before, selected.Newest, selected.Limit = page.After, page.Before, page.Newest, page.Limit
			p, err := h.State().OperationPage(cmd.Context(), selected)
			if err != nil {
				return err
			}
			return a.printPage(p, f.any() || all)
		}),
	}
	f.add(c)
	c.Flags().BoolVar(&all, "all", false, "finished ones too")
	c.Flags().StringVar(&by, "by", "", "cause: group them by what they fail for, as `provhub ops causes`")
	c.Flags().BoolVar(&page.Newest, "newest", false, "the last planned first")
	c.Flags().Int64Var(&page.After, "after", 0, "go on after this sequence number")
	c.Flags().Int64Var(&page.Before, "before", 0, "what comes before this sequence number")
	c.Flags().IntVar(&page.Limit, "limit", 100, "at most this many")
	c.MarkFlagsMutuallyExclusive("after", "before")
	return c
}

// printPage prints operations, and how to see more of them.
func (a *app) printPage(p store.OpPage, filtered bool) error {
	if done, err := a.json(explained(p.Operations)); done {
		if p.Next != 0 {
			fmt.Fprintf(a.err, "There is more: --after %d goes on.\n", p.Next)
		}
		return err
	}
	a.printOperations(p.Operations, filtered && p.Next == 0)
	if p.Next != 0 {
		a.printf("\nThere may be more: --after %d goes on, --limit takes more.\n", p.Next)
	}
	return nil
}

func opError(id string, err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return usageError{fmt.Errorf("there is no operation %s; `provhub ops list --all` shows them", id)}
	case errors.Is(err, store.ErrAmbiguous):
		return usageError{err}
	}
	return err
}
