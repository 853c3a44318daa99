package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/cycle"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

func (a *app) planCommand() *cobra.Command {
	var f forbidFlags
	var source, accept string
	var all bool
	c := &cobra.Command{
		Use: "plan", Short: "Show what would change; nothing is sent",
		Long: `Read the source, work out what every account should hold, compare that with what
is known of the targets, and show the difference. The plan is stored under the hash
of its content; ` + "`provhub apply HASH`" + ` carries out exactly that plan or refuses.

Exit codes: 0 shown, 3 a guard holds the plan.`,
		Example: `  provhub plan
  provhub plan --no-delete --output json
  provhub plan show 5f0c2e
  provhub plan approve 5f0c2e --reason "department closed, ticket 4711"`,
		Args: func(cmd *cobra.Command, given []string) error {
			if len(given) > 0 {
				return usageError{fmt.Errorf("there is no command `provhub plan %s`; run `provhub plan --help`", given[0])}
			}
			return nil
		},
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error {
			planned, err := h.Plan(cmd.Context(), hub.PlanOptions{Source: source, Forbid: f.kinds(), Accept: accept})
			if err != nil {
				return err
			}
			if done, err := a.json(planned); done {
				return errors.Join(err, plannedError(planned))
			}
			for _, p := range planned {
				a.printPlanned(p, all)
			}
			return plannedError(planned)
		}),
	}
	f.add(c)
	c.Flags().StringVar(&source, "source", "", "only this source")
	c.Flags().StringVar(&accept, "accept", "", acceptHelp)
	c.Flags().BoolVar(&all, "all", false, "list every operation, not only the first 20")
	c.AddCommand(a.planShow(), a.planList(), a.planApprove(), a.planReject())
	return c
}

const acceptHelp = "take a reading for right though many people are missing from it: the snapshot that provhub named"

// forbidFlags are the switches that keep kinds of operations out of one run.
type forbidFlags struct{ create, update, disable, delete bool }

func (f *forbidFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.create, "no-create", false, "plan no creates in this run")
	c.Flags().BoolVar(&f.update, "no-update", false, "plan no updates in this run")
	c.Flags().BoolVar(&f.disable, "no-disable", false, "plan no disables in this run")
	c.Flags().BoolVar(&f.delete, "no-delete", false, "plan no deletes in this run")
}

func (f *forbidFlags) kinds() []plan.Kind {
	var out []plan.Kind
	for _, k := range []struct {
		on   bool
		kind plan.Kind
	}{{f.create, plan.Create}, {f.update, plan.Update}, {f.disable, plan.Disable}, {f.delete, plan.Delete}} {
		if k.on {
			out = append(out, k.kind)
		}
	}
	return out
}

// plannedError gives the exit code of plans: a connector that nothing could be
// planned for weighs more than a guard. The text was printed with the plan.
func plannedError(planned []hub.Planned) error {
	code := exitOK
	for _, p := range planned {
		switch {
		case len(p.Problems) > 0:
			code = exitFailed
		case p.Status == store.PlanHeld && code == exitOK:
			code = exitHeld
		}
	}
	if code == exitOK {
		return nil
	}
	return &exitError{code: code}
}

func (a *app) printPlanned(p hub.Planned, all bool) {
	a.printReading(p)
	for _, problem := range p.Problems {
		a.printf("  NOT PLANNED: %s\n", strings.ReplaceAll(problem, "\n", "\n    "))
	}
	a.printf("\nPlan %s: %s\n", short(p.Plan.Hash), countsText(p.Plan.Operations))
	a.printOps(p.Plan.Operations, all)
	if n := len(p.Plan.Withdraw); n > 0 {
		a.printf("\n%s withdrawn: no longer wanted.\n", plural(n, "open operation is", "open operations are"))
	}
	a.printNotes("Left alone", p.Plan.Notes)
	a.printNotes("Could not be worked out", p.Plan.Faults)
	switch {
	case p.Status == store.PlanHeld:
		a.printf("\nHELD, nothing is sent:\n")
		for _, v := range p.Plan.Verdicts {
			a.printf("  %s\n", v.Text)
		}
		if !slices.ContainsFunc(p.Plan.Verdicts, ofSource) {
			a.printf("When all of this is right: provhub plan approve %s --reason TEXT\n", short(p.Plan.Hash))
		}
	case p.Status == store.PlanProposed && len(p.Plan.Operations)+len(p.Plan.Withdraw) > 0:
		a.printf("\nNothing was sent. To carry it out: provhub apply %s\n", short(p.Plan.Hash))
	}
}

// ofSource tells the guards of a source: approving the plan does not answer them,
// their text says what does.
func ofSource(v plan.Verdict) bool {
	return v.Guarded == plan.GuardVanish || v.Guarded == plan.GuardClock
}

// printReading says what was read, and everything that was wrong with it.
func (a *app) printReading(p hub.Planned) {
	r := p.Report
	a.printf("Source %s: %s\n", p.Source, readingText(r))
	for _, w := range append(r.Source.Warnings, r.Warnings...) {
		a.printf("  warning: %s\n", w)
	}
	faults := append(r.Source.Faults, r.Faults...)
	for _, f := range faults {
		a.printf("  bad record: %s\n", f.String())
	}
	if more := r.Source.FaultCount + r.FaultCount - len(faults); more > 0 {
		a.printf("  and %s\n", plural(more, "more bad record", "more bad records"))
	}
	for _, w := range r.Source.Incomplete {
		a.printf("  incomplete: %s; nobody is taken to have left\n", w)
	}
}

// readingText says in one line what a reading found.
func readingText(r cycle.Report) string {
	if r.Unchanged {
		return list([]string{"unchanged since the last time", count(r.Timers, "whose date has come")})
	}
	what := list([]string{
		count(r.New, "new"), count(r.Changed, "changed"), count(r.Vanished, "no longer there"),
		count(r.Missing, "missing and kept"), count(r.Doubles, "twice in it and left alone"), count(r.Timers, "whose date has come"),
	})
	if what == "" {
		what = "nothing new"
	}
	return plural(r.Source.Rows, "row", "rows") + ", " + what
}

// countsText counts operations by kind: "3 create, 1 disable".
func countsText(ops []plan.Operation) string {
	counts := map[plan.Kind]int{}
	for _, o := range ops {
		counts[o.Kind]++
	}
	return kindsText(counts)
}

func kindsText(counts plan.Counts) string {
	var parts []string
	for _, k := range plan.Kinds {
		if counts[k] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[k], k))
		}
	}
	if len(parts) == 0 {
		return "nothing to do"
	}
	return strings.Join(parts, ", ")
}

// opsShown is how many operations a plan lists when not asked for all.
const opsShown = 20

func (a *app) printOps(ops []plan.Operation, all bool) {
	shown := ops
	if !all && len(ops) > opsShown {
		shown = ops[:opsShown]
	}
	rows := make([][]any, len(shown))
	for i, o := range shown {
		rows[i] = []any{o.Connector, o.Anchor, o.Kind, changesText(o), o.Reason}
	}
	if len(rows) > 0 {
		a.printf("\n")
	}
	a.table([]any{"connector", "person", "operation", "changes", "because"}, rows)
	if len(shown) < len(ops) {
		a.printf("… and %d more; --all lists them, `provhub plan show` too\n", len(ops)-len(shown))
	}
}

// changesText says in one line what an operation changes.
func changesText(o plan.Operation) string {
	var parts []string
	for _, c := range o.Changes {
		switch {
		case slices.Equal(textsOf(c.Before), textsOf(c.After)):
		case len(c.Before) == 0:
			parts = append(parts, c.Name+"="+valuesText(c.After))
		default:
			parts = append(parts, c.Name+": "+valuesText(c.Before)+" → "+valuesText(c.After))
		}
	}
	for _, g := range o.Grants {
		if g.Remove {
			parts = append(parts, "−"+g.Entitlement)
		} else {
			parts = append(parts, "+"+g.Entitlement)
		}
	}
	if len(parts) > 4 {
		parts = append(parts[:3], fmt.Sprintf("and %d more", len(parts)-3))
	}
	return strings.Join(parts, "; ")
}

func textsOf(vs connector.Values) []string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = connector.Text(v)
	}
	return out
}

func (a *app) printNotes(title string, notes []plan.Note) {
	if len(notes) == 0 {
		return
	}
	a.printf("\n%s:\n", title)
	rows := make([][]any, 0, len(notes))
	for _, n := range notes {
		rows = append(rows, []any{n.Connector, n.Anchor, n.Text})
	}
	a.table([]any{"connector", "person", "why"}, rows)
}

func (a *app) planList() *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use: "list", Short: "List the plans, the newest first", Args: none(),
		Example: "  provhub plan list --limit 5",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error {
			plans, err := h.State().Plans(cmd.Context(), limit)
			if err != nil {
				return err
			}
			if done, err := a.json(plans); done {
				return err
			}
			if len(plans) == 0 {
				a.printf("There are no plans yet; `provhub plan` makes one.\n")
			}
			rows := make([][]any, len(plans))
			for i, p := range plans {
				rows[i] = []any{short(p.Hash), p.Inputs.Source, p.Status, when(p.CreatedAt, time.Now()), kindsText(p.Counts), p.ApprovedBy}
			}
			a.table([]any{"plan", "source", "status", "made", "operations", "approved by"}, rows)
			return nil
		}),
	}
	c.Flags().IntVar(&limit, "limit", 20, "at most this many")
	return c
}

func (a *app) planShow() *cobra.Command {
	return &cobra.Command{
		Use: "show HASH", Short: "Show a stored plan with every change", Args: args(cobra.ExactArgs(1), "the hash of one plan"),
		Example: "  provhub plan show 5f0c2e",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			row, ops, err := loadPlan(cmd.Context(), h, args[0])
			if err != nil {
				return err
			}
			if done, err := a.json(struct {
				store.PlanRow
				Operations []store.OpRow `json:"operations"`
			}{row, ops}); done {
				return err
			}
			a.printf("Plan %s from %s, %s, made %s: %s\n", short(row.Hash), row.Inputs.Source, row.Status, when(row.CreatedAt, time.Now()), kindsText(row.Counts))
			if row.ApprovedBy != "" {
				a.printf("Decided by %s until %s: %s\n", row.ApprovedBy, when(row.Until, time.Now()), row.Reason)
			}
			for _, v := range row.Verdicts {
				a.printf("HELD: %s\n", v.Text)
			}
			for _, o := range ops {
				a.printf("\n%s %s in %s  (%s, operation %s)\n  because %s\n", o.Kind, o.Anchor, o.Connector, o.State, short(o.ID), o.Reason)
				a.printChanges(o.Operation)
			}
			a.printNotes("Left alone", row.Notes)
			a.printNotes("Could not be worked out", row.Faults)
			return nil
		}),
	}
}

func loadPlan(ctx context.Context, h *hub.Hub, hash string) (store.PlanRow, []store.OpRow, error) {
	row, err := h.State().Plan(ctx, hash)
	if err != nil {
		return row, nil, planError(hash, err)
	}
	var ops []store.OpRow
	err = h.State().PlanOperations(ctx, row.Hash, func(o store.OpRow) error {
		ops = append(ops, o)
		return nil
	})
	return row, ops, err
}

func planError(hash string, err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return usageError{fmt.Errorf("there is no plan %s; `provhub plan list` shows them", hash)}
	case errors.Is(err, store.ErrAmbiguous):
		return usageError{fmt.Errorf("plan %s: %w", hash, err)}
	}
	return err
}

func (a *app) planApprove() *cobra.Command {
	var reason string
	var valid time.Duration
	c := &cobra.Command{
		Use: "approve HASH --reason TEXT", Short: "Release a plan that a guard holds", Args: args(cobra.ExactArgs(1), "the hash of one plan"),
		Long: `Release a plan that a guard holds. The approval is for exactly this plan, names you in
the audit trail, and ends by itself; then ` + "`provhub apply HASH`" + ` carries it out.`,
		Example: `  provhub plan approve 5f0c2e --reason "site closed, ticket 4711" --valid 4h`,
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return usageError{errors.New("--reason is needed: the audit trail keeps it")}
			}
			if valid <= 0 || valid > 7*24*time.Hour {
				return usageError{fmt.Errorf("--valid is %s; expected up to 168h", valid)}
			}
			row, err := h.State().Plan(cmd.Context(), args[0])
			if err != nil {
				return planError(args[0], err)
			}
			now := h.Now()
			if err := h.State().ApprovePlan(cmd.Context(), row.Hash, store.Approval{By: a.actor, Reason: reason, At: now, Until: now.Add(valid)}); err != nil {
				return err
			}
			a.printf("Approved until %s by %s. To carry it out: provhub apply %s\n", when(now.Add(valid), now), a.actor, short(row.Hash))
			return nil
		}),
	}
	c.Flags().StringVar(&reason, "reason", "", "why this is right; it goes into the audit trail")
	c.Flags().DurationVar(&valid, "valid", 4*time.Hour, "how long the approval holds, at most 168h")
	return c
}

func (a *app) planReject() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "reject HASH --reason TEXT", Short: "Refuse a plan for good", Args: args(cobra.ExactArgs(1), "the hash of one plan"),
		Example: `  provhub plan reject 5f0c2e --reason "HR sent half a file"`,
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return usageError{errors.New("--reason is needed: the audit trail keeps it")}
			}
			row, err := h.State().Plan(cmd.Context(), args[0])
			if err != nil {
				return planError(args[0], err)
			}
			if err := h.State().RejectPlan(cmd.Context(), row.Hash, a.actor, reason, h.Now()); err != nil {
				return err
			}
			a.printf("Rejected: plan %s is never carried out.\n", short(row.Hash))
			return nil
		}),
	}
	c.Flags().StringVar(&reason, "reason", "", "why; it goes into the audit trail")
	return c
}
