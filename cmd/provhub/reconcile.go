package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/reconcile"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/wording"
)

func (a *app) reconcileCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "reconcile", Short: "Compare targets with what is known of them",
		Long: `Compare what targets hold with what they last took from us: what somebody else changed,
accounts that came back, accounts that are nobody's. And compare what they took with
what the rules and the source, as last read, want today: everybody is worked out anew,
and what we missed is told, such as an account left in use of somebody who has left.

What is found is reported, and nothing done, unless the connector's reconcile.on, or --on,
says so. Even then nothing is changed in the target directly: the next plan mends it, with
its reasons and under its guards.`,
		Example: `  provhub reconcile run crm                       look, and note what is found
  provhub reconcile list                          what is not as it should be
  provhub reconcile list --situation orphan       accounts that are nobody's
  provhub reconcile run crm --on drifted=fix      have the next plan mend it`,
	}
	c.AddCommand(a.reconcileRun(), a.reconcileList())
	return c
}

func (a *app) reconcileRun() *cobra.Command {
	var on []string
	c := &cobra.Command{
		Use: "run CONNECTOR...", Short: "Compare targets now", Args: args(cobra.MinimumNArgs(1), "the names of connectors"),
		Long: `Compare targets with the ledger, and the ledger with what is wanted, now.

of the target against the ledger    enabled_again, there_again, orphan, ambiguous,
                                    unlinked, missing, drifted
of the ledger against what is       left_over, excess_grants, owed, outdated, unclear,
wanted                              rules_changed

Exit codes: 0 everything is as it should be, 3 a guard holds the plan that would disable
orphans, 4 something was found, or the target did not list everything.`,
		Example: "  provhub reconcile run crm\n  provhub reconcile run crm --on enabled_again=fix --on unlinked=adopt\n  provhub reconcile run crm --output json",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, names []string) error {
			react, err := parseReactions(on)
			if err != nil {
				return usageError{err}
			}
			var out []hub.Reconciled
			for _, name := range names {
				r, err := h.Reconcile(cmd.Context(), name, hub.ReconcileOptions{React: react})
				if err != nil {
					return err
				}
				out = append(out, r)
			}
			if done, err := a.json(out); done {
				return orReconciled(err, out)
			}
			for _, r := range out {
				a.printReconciled(r)
			}
			return orReconciled(nil, out)
		}),
	}
	c.Flags().StringArrayVar(&on, "on", nil, "SITUATION=REACTION in place of what the config says; the situations not named are reported")
	return c
}

// orReconciled returns err, else the exit code of what was found.
func orReconciled(err error, rs []hub.Reconciled) error {
	if err != nil {
		return err
	}
	code := exitOK
	for _, r := range rs {
		switch {
		case r.Plan != nil && r.Plan.Status == store.PlanHeld:
			return &exitError{code: exitHeld}
		case r.Findings() > 0 || !r.Complete:
			code = exitParked
		}
	}
	if code == exitOK {
		return nil
	}
	return &exitError{code: code}
}

// parseReactions reads SITUATION=REACTION; nil for none.
func parseReactions(on []string) (map[reconcile.Situation]reconcile.Reaction, error) {
	if len(on) == 0 {
		return nil, nil
	}
	var situations []string
	for _, s := range reconcile.Situations {
		situations = append(situations, string(s))
	}
	out := map[reconcile.Situation]reconcile.Reaction{}
	for _, text := range on {
		name, reaction, _ := strings.Cut(text, "=")
		s, r := reconcile.Situation(name), reconcile.Reaction(reaction)
		allowed, ok := reconcile.Allowed[s]
		if !ok {
			return nil, fmt.Errorf("--on %s: there is no situation %q%s; they are %s", text, name, wording.DidYouMean(name, situations), strings.Join(situations, ", "))
		}
		if !slices.Contains(allowed, r) {
			return nil, fmt.Errorf("--on %s: %s cannot be met with %q; expected one of %v", text, name, reaction, allowed)
		}
		out[s] = r
	}
	return out, nil
}

func (a *app) printReconciled(r hub.Reconciled) {
	a.printf("%s: %s.\n", r.Connector, r.Summary())
	for _, s := range r.Sources {
		a.printSurveyed(s)
	}
	if r.Corrected+r.Considered > 0 {
		a.printf("  The next plan looks at %s; run `provhub sync`.\n", wording.Count(r.Corrected+r.Considered, "of them", "of them"))
	}
	if r.Resolved > 0 {
		a.printf("  %s not so any more.\n", wording.Count(r.Resolved, "earlier finding is", "earlier findings are"))
	}
	if p := r.Plan; p != nil {
		a.printf("  Plan %s disables %s: it is %s.\n", short(p.Plan.Hash), wording.Count(len(p.Plan.Operations), "orphan", "orphans"), p.Status)
		for _, v := range p.Plan.Verdicts {
			a.printf("  %s\n", v.Text)
		}
		if p.Status == store.PlanHeld {
			a.printf("  If that is right: provhub plan approve %s --reason TEXT\n", short(p.Plan.Hash))
		}
	}
	if r.Findings() > 0 {
		a.printf("  `provhub reconcile list --connector %s` shows what was found.\n", r.Connector)
	}
}

// printSurveyed tells what a person should know of a source besides the findings.
func (a *app) printSurveyed(s hub.Surveyed) {
	switch {
	case s.Problem != "":
		a.printf("  The people of %s were not compared: %s\n", s.Source, s.Problem)
	case s.ReadAt.IsZero():
		a.printf("  Source %s was never read; nobody of it is known yet.\n", s.Source)
	case s.Held != "":
		a.printf("  Plan %s of %s waits for a person; what it would do is among the findings.\n", short(s.Held), s.Source)
	}
}

func (a *app) reconcileList() *cobra.Command {
	var f store.FindingFilter
	c := &cobra.Command{
		Use: "list", Short: "List what reconciliations found", Args: none(),
		Example: "  provhub reconcile list --connector crm\n  provhub reconcile list --situation enabled_again --output json\n  provhub reconcile list --person 1001 --resolved",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error {
			if _, err := parseSituation(f.Situation); err != nil {
				return err
			}
			f.Source, f.Anchor = h.Whose(f.Anchor)
			rows, err := h.State().Findings(cmd.Context(), f)
			if err != nil {
				return err
			}
			if rows == nil {
				rows = []store.FindingRow{} // a list in JSON too
			}
			if done, err := a.json(rows); done {
				return err
			}
			a.printReconciliation(rows, f.Limit)
			return nil
		}),
	}
	c.Flags().StringVar(&f.Connector, "connector", "", "only this connector")
	c.Flags().StringVar(&f.Situation, "situation", "", "only this situation, such as orphan")
	c.Flags().StringVar(&f.Anchor, "person", "", "only this person, by anchor, or hr/1001 where several sources have it")
	c.Flags().BoolVar(&f.Resolved, "resolved", false, "those that are not so any more, too")
	c.Flags().StringVar(&f.After, "after", "", "go on after this one, as the last page said")
	c.Flags().IntVar(&f.Limit, "limit", 100, "at most this many")
	return c
}

func parseSituation(name string) (reconcile.Situation, error) {
	if name == "" {
		return "", nil
	}
	_, err := parseReactions([]string{name + "=" + string(reconcile.Report)})
	if err != nil {
		return "", usageError{fmt.Errorf("--situation %s", strings.TrimPrefix(err.Error(), "--on "))}
	}
	return reconcile.Situation(name), nil
}

func (a *app) printReconciliation(rows []store.FindingRow, limit int) {
	if len(rows) == 0 {
		a.printf("No findings: as far as it was looked, targets are as they should be.\n")
		return
	}
	now := time.Now()
	out := make([][]any, len(rows))
	for i, r := range rows {
		out[i] = []any{r.Connector, r.Situation, r.Anchor, r.Object, r.Text, r.Reaction, when(r.FirstSeen, now)}
		if !r.ResolvedAt.IsZero() {
			out[i][5] = "resolved " + when(r.ResolvedAt, now)
		}
	}
	a.table([]any{"connector", "situation", "person", "account", "what", "reaction", "since"}, out)
	if limit > 0 && len(rows) == limit {
		a.printf("\nThere may be more: --after %q goes on, --limit takes more.\n", rows[len(rows)-1].Key())
	}
}
