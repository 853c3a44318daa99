package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/wording"
)

func (a *app) applyCommand() *cobra.Command {
	var d drainFlags
	c := &cobra.Command{
		Use: "apply HASH", Short: "Carry out a plan that was shown before", Args: args(cobra.ExactArgs(1), "the hash of one plan"),
		Long: `Carry out a plan that was shown before: put its operations into the queue and send
them. It is refused when anything it was made from has changed since.

Exit codes: 0 all done, 3 held by a guard, 4 done but operations are parked or waiting.`,
		Example: "  provhub apply 5f0c2e",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			row, err := h.State().Plan(cmd.Context(), args[0])
			if err != nil {
				return planError(args[0], err)
			}
			n, err := h.Apply(cmd.Context(), row.Hash)
			if err != nil {
				return err
			}
			if a.output != "json" {
				a.printf("Plan %s applied: %s in the queue.\n", short(row.Hash), wording.Count(n, "operation", "operations"))
			}
			return a.drainWith(cmd.Context(), h, d.options())
		}),
	}
	d.add(c)
	return c
}

// drainFlags say how long to wait for the queue.
type drainFlags struct{ wait time.Duration }

func (d *drainFlags) add(c *cobra.Command) {
	c.Flags().DurationVar(&d.wait, "wait", 30*time.Second, "how long to wait for operations that are to be tried again")
}

func (d *drainFlags) options() hub.DrainOptions { return hub.DrainOptions{Wait: d.wait} }

func (a *app) syncCommand() *cobra.Command {
	var f forbidFlags
	var d drainFlags
	var source, accept string
	var follow bool
	var every time.Duration
	c := &cobra.Command{
		Use: "sync", Short: "Plan, apply and send: what a schedule runs", Args: none(),
		Long: `Read the source, plan, apply, and send, with what an earlier run left open, until
the queue is empty. A plan that a guard holds is stored and not applied.

With --follow it goes on until it is interrupted: it syncs whenever a source tells that
something changed (a directory that synchronizes, RFC 4533), and at least --every.

Exit codes: 0 all done, 1 failed, 3 held by a guard, 4 done but something waits: operations
that are parked or to be tried again, records that are bad.`,
		Example: `  provhub sync
  provhub sync --no-delete --wait 5m
  provhub sync --follow --every 15m
  17 * * * *  provhub sync --quiet --config /etc/provhub/provhub.yaml   # cron`,
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error {
			o := hub.PlanOptions{Source: source, Forbid: f.kinds(), Accept: accept}
			if follow {
				return a.follow(cmd, h, o, d.options(), every)
			}
			r, err := h.Sync(cmd.Context(), o, d.options())
			return a.printSync(r, err)
		}),
	}
	f.add(c)
	d.add(c)
	c.Flags().StringVar(&source, "source", "", "only this source")
	c.Flags().StringVar(&accept, "accept", "", acceptHelp)
	c.Flags().BoolVar(&follow, "follow", false, "go on, and sync whenever something changed in a source that tells, or can be asked (poll)")
	c.Flags().DurationVar(&every, "every", 15*time.Minute, "with --follow: sync at least that often")
	return c
}

// printSync prints what a sync did and returns what its exit code is to be.
func (a *app) printSync(r hub.SyncResult, err error) error {
	if err != nil && len(r.Plans)+len(r.Drained) == 0 {
		return err
	}
	if done, jerr := a.json(r); done {
		return cmp.Or(err, jerr, syncError(r))
	}
	for _, p := range r.Plans {
		a.printPlanned(p, false)
	}
	a.printDrained(r.Drained)
	return cmp.Or(err, syncError(r))
}

// follow syncs again and again. What goes wrong with one sync is printed, and the
// next one tries again.
func (a *app) follow(cmd *cobra.Command, h *hub.Hub, o hub.PlanOptions, d hub.DrainOptions, every time.Duration) error {
	if o.Accept != "" {
		return usageError{errors.New("--accept is for one reading; run it once without --follow")}
	}
	return h.Follow(cmd.Context(), o, d, every, func(r hub.SyncResult, err error) {
		var code *exitError
		if err := a.printSync(r, err); err != nil && !errors.As(err, &code) && cmd.Context().Err() == nil {
			fmt.Fprintln(a.err, "provhub:", err)
		}
	})
}

func syncError(r hub.SyncResult) error {
	planned, drained := plannedError(r.Plans), drainedError(r.Drained)
	switch {
	case drained != nil && exitCode(drained) == exitFailed:
		return drained // weighs more than a guard
	case planned != nil || drained != nil:
		return cmp.Or(planned, drained)
	}
	for _, p := range r.Plans {
		if len(p.Plan.Faults)+p.Report.FaultCount+p.Report.Source.FaultCount > 0 {
			return &exitError{code: exitParked} // somebody has not got what is due to them
		}
	}
	return nil
}

// drain sends what is in the queue and says how it went.
func (a *app) drain(ctx context.Context, h *hub.Hub) error {
	return a.drainWith(ctx, h, hub.DrainOptions{})
}

func (a *app) drainWith(ctx context.Context, h *hub.Hub, o hub.DrainOptions) error {
	r, err := h.Drain(ctx, o)
	if err != nil {
		return err
	}
	if done, err := a.json(r); done {
		return errors.Join(err, drainedError(r))
	}
	a.printDrained(r)
	return drainedError(r)
}

// drainedError gives the exit code of a queue that is not empty or that stands still.
func drainedError(r []hub.Drained) error {
	code := exitOK
	for _, d := range r {
		switch {
		case d.Problem != "" && !d.Paused:
			code = exitFailed
		case d.Open+d.Replanned > 0 && code == exitOK:
			code = exitParked
		}
	}
	if code == exitOK {
		return nil
	}
	return &exitError{code: code}
}

func (a *app) printDrained(r []hub.Drained) {
	var rows [][]any
	open, parked, stopped, still := 0, 0, false, false
	for _, d := range r {
		if d.Done+d.Open+d.Replanned == 0 && d.Problem == "" {
			continue
		}
		open += d.Open
		parked += d.Parked
		state := "all done"
		switch {
		case d.Paused:
			state, still = d.Problem, true
		case d.Problem != "":
			state = "STOPPED: " + strings.TrimPrefix(d.Problem, "stopped: ")
			stopped = true
		case d.Open+d.Replanned > 0:
			state = openText(d, time.Now())
		}
		rows = append(rows, []any{d.Connector, d.Done, d.Open, state})
	}
	if len(rows) > 0 {
		a.printf("\n")
	}
	a.table([]any{"connector", "done", "open", "state"}, rows)
	if stopped {
		a.printf("\nThe queue is kept. `provhub connector check` says what is wrong; once it passes, the next run goes on.\n")
	}
	switch {
	case parked > 0 && parked < open:
		a.printf("\n`provhub ops list --state parked` shows what waits for a person, `provhub ops list` all that is open.\n")
	case still && open > 0:
		a.printf("\n`provhub ops causes` says what waits and what to do, `provhub ops list` for whom.\n")
	case open > 0:
		a.printf("\n`provhub ops list` says why, and `provhub ops show ID` what to do.\n")
	}
}

// openText says what the open operations of a connector wait for.
func openText(d hub.Drained, now time.Time) string {
	again := func(n int, what string, at time.Time) string {
		if n > 0 && at.After(now) {
			what += " (next at " + when(at, now) + ")"
		}
		return count(n, what)
	}
	return list([]string{
		count(d.Replanned, "to be planned anew by the next sync"), count(d.Parked, "parked"),
		again(d.Pending, "accepted by the target and not finished", d.PendingAt),
		count(d.Missing, "waiting for something that is missing there"), count(d.Seats, "waiting for a free seat"),
		again(d.Retrying, "to be tried again", d.NextAt), count(d.Unknown, "to be looked up"), count(d.Sending, "being sent"), count(d.Waiting, "waiting"),
	})
}

func count(n int, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s", n, what)
}
