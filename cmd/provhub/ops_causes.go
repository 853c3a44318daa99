package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/helpdesk"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/wording"
)

func (a *app) opsCauses() *cobra.Command {
	var f opsFilter
	var limit int
	c := &cobra.Command{
		Use: "causes", Short: "Group what failed by what it fails for", Args: none(),
		Long: `Group the operations that failed, or wait, by what they fail for: the connector, the
error, the attribute. What concerns leavers comes first, then what concerns most people.`,
		Example: `  provhub ops causes
  provhub ops causes --connector crm --output json
  provhub ops causes --with helpdesk      what nobody has handed to the operators`,
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error {
			selected, err := f.filter(cmd.Context(), h, false)
			if err != nil {
				return err
			}
			return a.listCauses(cmd.Context(), h, causesOf(selected, limit))
		}),
	}
	s := c.Flags()
	s.StringVar(&f.connector, "connector", "", "only this connector")
	s.StringVar(&f.code, "code", "", "only this error code, such as ALREADY_EXISTS")
	s.StringVar(&f.cause, "cause", "", "only this one: its key, or how it begins")
	s.StringSliceVar(&f.states, "state", nil, "count only these states: parked, retry, unknown")
	s.StringVar(&f.with, "with", "", "ops: only what is handed to the operators; helpdesk: only what is not")
	s.IntVar(&limit, "limit", 20, "at most this many causes")
	return c
}

// causesOf are the causes of what f selects.
func causesOf(f store.OpFilter, limit int) store.CauseFilter {
	return store.CauseFilter{Connector: f.Connector, Code: f.Code, Key: f.Cause, States: f.States, With: f.With, Limit: limit}
}

// explainedCause is a cause in JSON, with what helpdesk is told of it.
type explainedCause struct {
	store.Cause
	Help helpdesk.Text `json:"help"`
}

func (a *app) listCauses(ctx context.Context, h *hub.Hub, f store.CauseFilter) error {
	found, err := h.Causes(ctx, f)
	if err != nil {
		return err
	}
	out := make([]explainedCause, len(found.Causes))
	for i, c := range found.Causes {
		out[i] = explainedCause{c, helpdesk.ExplainCause(c)}
	}
	if done, err := a.json(out); done {
		return err
	}
	if len(out) == 0 {
		a.printf("Nothing fails.\n")
	}
	for i, c := range out {
		if i > 0 {
			a.printf("\n")
		}
		a.printCause(c)
	}
	if found.More > 0 {
		a.printf("\n%s more: --limit takes more.\n", wording.Count(found.More, "cause", "causes"))
	}
	return nil
}

func (a *app) printCause(c explainedCause) {
	now := time.Now()
	since := ""
	if !c.First.IsZero() {
		since = " since " + when(c.First, now)
	}
	a.printf("%s: %s%s\n", countedOperations(c.Cause), c.Help.Happened, since)
	if c.Key != "" {
		a.printf("  cause      %s, last %s%s\n", c.Key, when(c.Last, now), countText(c.Cause))
		a.printf("  problem    %s: %s%s\n", c.Code, c.Message, attributesText(c.Attributes))
	} else {
		a.printf("  problem    %s\n", c.Message)
	}
	a.printf("  means      %s\n", c.Help.Means)
	a.printf("  what next  %s\n", doText(c.Help))
	people := make([]string, len(c.Examples))
	for i, op := range c.Examples {
		people[i] = op.Anchor
	}
	if more := c.Count - len(people); more > 0 {
		people = append(people, fmt.Sprintf("%d more", more))
	}
	a.printf("  people     %s\n", strings.Join(people, ", "))
	for _, s := range c.Help.Can {
		a.printf("  %-9s  %s\n", s.Action, s.Command)
	}
}

func countedOperations(c store.Cause) string {
	if c.More {
		return fmt.Sprintf("%d+ operations", c.Count)
	}
	return wording.Count(c.Count, "operation", "operations")
}

// countText tells how many of a cause are in which state, are leavers, are with ops.
func countText(c store.Cause) string {
	var parts []string
	for _, s := range []store.OpState{store.OpParked, store.OpRetry, store.OpUnknown} {
		if n := c.States[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	if c.Leavers > 0 {
		parts = append(parts, fmt.Sprintf("%d of leavers", c.Leavers))
	}
	if c.Handed > 0 {
		parts = append(parts, fmt.Sprintf("%d with ops", c.Handed))
	}
	return "; " + strings.Join(parts, ", ")
}

func attributesText(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}
