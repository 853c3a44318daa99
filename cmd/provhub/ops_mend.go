package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/wording"
)

// opsPress are the flags of what is done to several operations: their ids, or what
// they have in common.
type opsPress struct {
	opsFilter
	yes bool
}

func (p *opsPress) add(c *cobra.Command) {
	p.opsFilter.add(c)
	c.Flags().BoolVar(&p.yes, "yes", false, "do it to all that the flags select; without it they are only counted")
}

// matchesShown is up to where it is counted what a press concerns.
const matchesShown = 1000

// selection returns what the arguments and flags name.
func (p *opsPress) selection(ctx context.Context, h *hub.Hub, args []string) (hub.Selection, error) {
	if len(args) > 0 && p.any() {
		return hub.Selection{}, usageError{errors.New("give ids, or flags that select operations, not both")}
	}
	if len(args) > 0 {
		ids, err := wholeIDs(ctx, h, args)
		return hub.Selection{IDs: ids}, err
	}
	if !p.any() {
		return hub.Selection{}, usageError{errors.New("give the id of an operation, --cause KEY, or other flags that select operations")}
	}
	f, err := p.filter(ctx, h, false)
	if err != nil {
		return hub.Selection{}, err
	}
	only := p.opsFilter
	only.cause = ""
	if p.cause != "" && !only.any() || p.yes {
		return hub.Selection{Filter: &f}, nil
	}
	f.Limit = matchesShown
	if len(f.States) == 0 {
		f.States = store.HandFrom // what failed: nobody means the whole queue
	}
	ops, err := h.State().Operations(ctx, f)
	if err != nil {
		return hub.Selection{}, err
	}
	n := store.Count{N: len(ops), More: len(ops) == matchesShown}
	return hub.Selection{}, usageError{fmt.Errorf("these flags select %s operations; nothing was done: add --yes to do it to all of them", n)}
}

// wholeIDs turns beginnings of ids into whole ones.
func wholeIDs(ctx context.Context, h *hub.Hub, args []string) ([]string, error) {
	ids := make([]string, len(args))
	for i, id := range args {
		r, _, err := h.State().Operation(ctx, id)
		if err != nil {
			return nil, opError(id, err)
		}
		ids[i] = r.ID
	}
	return ids, nil
}

// pressed says what became of a press, and returns the exit code: nothing was done,
// or not all.
func (a *app) pressed(m hub.Mended, done string) error {
	if ok, err := a.json(m); ok {
		return errors.Join(err, pressedError(m))
	}
	a.printPressed(m, done)
	return pressedError(m)
}

func (a *app) printPressed(m hub.Mended, done string) {
	if m.Done+m.Refused == 0 {
		a.printf("No operation matches.\n")
		return
	}
	a.printf("%s %s.\n", wording.Count(m.Done, "operation", "operations"), done)
	for _, r := range m.Why {
		a.printf("  not done: %s\n", r.Why)
	}
	if more := m.Refused - len(m.Why); more > 0 {
		a.printf("  and %d more were not done\n", more)
	}
	for name, why := range m.Standing {
		a.printf("  %s stands still: %s\n", name, why)
	}
}

func pressedError(m hub.Mended) error {
	switch {
	case m.Refused == 0:
		return nil
	case m.Done == 0:
		return &exitError{code: exitFailed}
	}
	return &exitError{code: exitParked}
}

func (a *app) opsRetry() *cobra.Command {
	var p opsPress
	var later bool
	var reason string
	c := &cobra.Command{
		Use: "retry [ID...]", Short: "Try operations again: some, or all of a cause", Args: cobra.ArbitraryArgs,
		Long: `Put operations back into the queue, with their attempts forgotten, and send them. Beside
a provhub that runs they are only put back: it sends them.`,
		Example: `  provhub ops retry 5f0c2e
  provhub ops retry 5f0c2e 77ab01 --later
  provhub ops retry --cause 3fa9
  provhub ops retry --connector crm --code TIMEOUT --yes`,
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			s, err := p.selection(cmd.Context(), h, args)
			if err != nil {
				return err
			}
			m, err := h.Retry(cmd.Context(), s, strings.TrimSpace(reason))
			if err != nil {
				return err
			}
			if later || m.Done == 0 {
				return a.pressed(m, "put back; the next run sends what is put back")
			}
			if a.output != "json" {
				a.printPressed(m, "put back")
			}
			return errors.Join(pressedError(m), a.sendNow(cmd.Context(), h))
		}),
	}
	p.add(c)
	c.Flags().StringVar(&reason, "reason", "", "why; it goes into the audit trail")
	c.Flags().BoolVar(&later, "later", false, "only put them back; the next run sends them")
	return c
}

// sendNow drains the queue, unless another provhub does.
func (a *app) sendNow(ctx context.Context, h *hub.Hub) error {
	err := a.drain(ctx, h)
	if !errors.Is(err, store.ErrBusy) {
		return err
	}
	if done, err := a.json([]hub.Drained{}); done {
		return err
	}
	a.printf("Another provhub runs: it sends what is put back.\n")
	return nil
}

func (a *app) opsSkip() *cobra.Command {
	var p opsPress
	var reason string
	c := &cobra.Command{
		Use: "skip [ID...] --reason TEXT", Short: "Never send operations", Args: cobra.ArbitraryArgs,
		Long:    "Never send operations. The accounts stay as they are now; when a person changes, a new\noperation is planned.",
		Example: "  provhub ops skip 5f0c2e --reason \"account is handled by hand, ticket 4711\"\n  provhub ops skip --cause 3fa9 --reason \"the target is being replaced\"",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return usageError{errors.New("--reason is needed: the audit trail keeps it")}
			}
			s, err := p.selection(cmd.Context(), h, args)
			if err != nil {
				return err
			}
			m, err := h.Skip(cmd.Context(), s, strings.TrimSpace(reason))
			if err != nil {
				return err
			}
			return a.pressed(m, "skipped")
		}),
	}
	p.add(c)
	c.Flags().StringVar(&reason, "reason", "", "why; it goes into the audit trail")
	return c
}
