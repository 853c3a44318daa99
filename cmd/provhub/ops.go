package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/wording"
)

func (a *app) opsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "ops", Short: "See and mend operations that are not finished", Aliases: []string{"op"},
		Example: `  provhub ops list                       what is open, and why
  provhub ops list --state parked        what waits for a person
  provhub ops show 5f0c                  one operation with all its attempts
  provhub ops retry 5f0c                 try it again now
  provhub ops edit 5f0c email=jo@a.org   send another value
  provhub ops skip 5f0c --reason "..."   never send it`,
	}
	c.AddCommand(a.opsList(), a.opsShow(), a.opsRetry(), a.opsEdit(), a.opsSkip())
	return c
}

func (a *app) opsList() *cobra.Command {
	var f store.OpFilter
	var states []string
	var all bool
	c := &cobra.Command{
		Use: "list", Short: "List operations", Args: none(),
		Example: "  provhub ops list --connector crm --state parked,retry\n  provhub ops list --all --person 1001 --output json",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error {
			var err error
			if f.States, err = parseStates(states, all); err != nil {
				return err
			}
			rows, err := h.State().Operations(cmd.Context(), f)
			if err != nil {
				return err
			}
			if done, err := a.json(rows); done {
				return err
			}
			a.printOperations(rows, all || len(states) > 0 || f.Connector+f.Anchor+f.Plan+f.Code != "")
			if f.Limit > 0 && len(rows) == f.Limit {
				a.printf("\nThere may be more: --after %d goes on, --limit takes more.\n", rows[len(rows)-1].Seq)
			}
			return nil
		}),
	}
	c.Flags().StringVar(&f.Connector, "connector", "", "only this connector")
	c.Flags().StringVar(&f.Anchor, "person", "", "only this person, by anchor")
	c.Flags().StringVar(&f.Plan, "plan", "", "only this plan, by hash")
	c.Flags().StringVar(&f.Code, "code", "", "only this error code, such as ALREADY_EXISTS")
	c.Flags().StringSliceVar(&states, "state", nil, "only these states: ready, leased, sent, retry, unknown, parked, done, superseded, skipped")
	c.Flags().BoolVar(&all, "all", false, "finished ones too")
	c.Flags().Int64Var(&f.After, "after", 0, "go on after this sequence number")
	c.Flags().IntVar(&f.Limit, "limit", 100, "at most this many")
	return c
}

var allStates = append([]store.OpState{store.OpDone, store.OpSuperseded, store.OpSkipped}, store.OpenStates...)

func parseStates(names []string, all bool) ([]store.OpState, error) {
	if all && len(names) == 0 {
		return allStates, nil
	}
	var known []string
	for _, s := range allStates {
		known = append(known, string(s))
	}
	var out []store.OpState
	for _, n := range names {
		s := store.OpState(strings.ToLower(strings.TrimSpace(n)))
		found := false
		for _, k := range allStates {
			found = found || k == s
		}
		if !found {
			return nil, usageError{fmt.Errorf("--state %q is none%s; states are %s", n, wording.DidYouMean(n, known), strings.Join(known, ", "))}
		}
		out = append(out, s)
	}
	return out, nil
}

func (a *app) printOperations(rows []store.OpRow, filtered bool) {
	if len(rows) == 0 {
		if filtered {
			a.printf("No operation matches.\n")
		} else {
			a.printf("Nothing is open: every operation is finished.\n")
		}
		return
	}
	now := time.Now()
	out := make([][]any, len(rows))
	for i, r := range rows {
		out[i] = []any{short(r.ID), r.Connector, r.Anchor, r.Kind, stateText(r), tries(r, now), why(r)}
	}
	a.table([]any{"id", "connector", "person", "operation", "state", "tries", "why"}, out)
}

// tries says how often it was tried, and when it is tried again.
func tries(r store.OpRow, now time.Time) string {
	s := fmt.Sprint(r.Attempts)
	switch {
	case r.Pending:
		s += ", asked again " + when(r.NextAttemptAt, now)
	case r.State == store.OpRetry && r.NextAttemptAt.After(now):
		s += ", again " + when(r.NextAttemptAt, now)
	}
	return s
}

// stateText is the state of an operation; one that the target works on is pending,
// whose outcome is unknown for another reason than a lost answer.
func stateText(r store.OpRow) string {
	if r.Pending {
		return "pending"
	}
	return string(r.State)
}

// why says in one line why an operation is not done, else why it exists.
func why(r store.OpRow) string {
	if r.Pending {
		return "the target has accepted it and not finished: " + r.Reason
	}
	if r.LastError != nil && r.State != store.OpDone {
		return fmt.Sprintf("%s: %s", r.LastError.Code, r.LastError.Message)
	}
	return r.Reason
}

func (a *app) opsShow() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show one operation with all its attempts", Args: args(cobra.ExactArgs(1), "the id of one operation"),
		Example: "  provhub ops show 5f0c2e",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, args []string) error {
			r, attempts, err := h.State().Operation(cmd.Context(), args[0])
			if err != nil {
				return opError(args[0], err)
			}
			if done, err := a.json(struct {
				store.OpRow
				Tries []store.Attempt `json:"tries"`
			}{r, attempts}); done {
				return err
			}
			a.printOperation(r, attempts)
			return nil
		}),
	}
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

func (a *app) printOperation(r store.OpRow, attempts []store.Attempt) {
	now := time.Now()
	a.printf("Operation  %s\n", r.ID)
	a.printf("What       %s the account of %s in %s\n", r.Kind, r.Anchor, r.Connector)
	a.printf("Why        %s\n", r.Reason)
	a.printf("State      %s since %s\n", stateText(r), when(r.UpdatedAt, now))
	if r.Pending {
		a.printf("What next  nothing: the target has accepted it; the next run after %s asks whether it is finished\n", when(r.NextAttemptAt, now))
	}
	if r.LastError != nil && r.State != store.OpDone {
		a.printf("Problem    %s\n", r.LastError.Error())
		if at := r.LastError.Attributes; len(at) > 0 {
			a.printf("At fault   %s\n", strings.Join(at, ", "))
		}
		if r.Kind == plan.Adopt && r.Target.ID != "" {
			a.printf("Account    %s, which is there already\n", refText(r.Target))
		}
		if c := r.LastError.Conflicting; c != nil {
			a.printf("In the way %s\n", refText(*c))
		}
		a.printf("What next  %s\n", advice(r))
	}
	a.printf("Plan       %s\n\n", short(r.Plan))
	a.printChanges(r.Operation)
	rows := make([][]any, len(attempts))
	for i, t := range attempts {
		rows[i] = []any{t.N, when(t.StartedAt, now), t.Took.Round(time.Millisecond), t.Outcome, t.Code, t.Answer}
	}
	if len(rows) > 0 {
		a.printf("\n")
	}
	a.table([]any{"try", "at", "took", "outcome", "code", "answer"}, rows)
}

// refText names an object by its name and its id.
func refText(r connector.Ref) string {
	if r.ID != "" && r.ID != r.String() {
		return fmt.Sprintf("%s (id %s)", r, r.ID)
	}
	return r.String()
}

// printChanges prints what an operation does to the account.
func (a *app) printChanges(o plan.Operation) {
	var rows [][]any
	for _, c := range o.Changes {
		rows = append(rows, []any{c.Name, valuesText(c.Before), valuesText(c.After), c.Rule})
	}
	if o.Enabled != connector.EnabledUnknown {
		rows = append(rows, []any{"(account)", "", string(o.Enabled), ""})
	}
	for _, g := range o.Grants {
		sign := "add "
		if g.Remove {
			sign = "remove "
		}
		rows = append(rows, []any{"(grant)", "", sign + g.Entitlement, g.Reason})
	}
	a.table([]any{"attribute", "before", "after", "rule"}, rows)
}

func valuesText(vs connector.Values) string {
	parts := make([]string, len(vs))
	for i, v := range vs {
		parts[i] = connector.Text(v)
	}
	if len(parts) == 0 {
		return "–"
	}
	return strings.Join(parts, ", ")
}

// advice says what a person can do about an operation, by the class of its error.
func advice(r store.OpRow) string {
	id := short(r.ID)
	switch {
	case r.State == store.OpParked && r.Park != "" && r.Attempts == 0:
		return "decide: `provhub ops retry " + id + "` carries it out, `provhub ops skip " + id + " --reason TEXT` does not"
	case r.LastError.Code == connector.CodeDependencyMissing:
		return dependencyAdvice(r)
	case r.LastError.Code == connector.CodeQuota && r.State == store.OpRetry:
		return "free a seat in " + r.Connector + ", or buy one: then it goes on by itself; `provhub ops retry " + id + "` tries it now"
	case r.State == store.OpRetry:
		return "nothing: it is tried again by itself; `provhub ops retry " + id + "` does so now"
	case r.State == store.OpUnknown:
		return "nothing: the next run looks at the target first and then settles it"
	}
	switch r.LastError.Class() {
	case connector.ClassConflict:
		return "look at the account that is in the way in " + r.Connector + "; when it is mended, `provhub ops retry " + id + "`"
	case connector.ClassInstance:
		return "mend the connector's sign-in or config, then `provhub connector check " + r.Connector + "`"
	case connector.ClassTransient:
		return "`provhub ops retry " + id + "` once the target works again"
	case connector.ClassDefect:
		return "report it to the author of the plugin; `provhub ops retry " + id + "` tries again"
	}
	return "correct the value in the source, or `provhub ops edit " + id + " NAME=VALUE`, or `provhub ops skip " + id + " --reason TEXT`"
}

// dependencyAdvice says whose account an operation waits for, or that somebody has
// to make what is missing.
func dependencyAdvice(r store.OpRow) string {
	next := "; `provhub ops retry " + short(r.ID) + "` tries it now"
	for _, c := range r.Changes {
		if slices.Contains(r.LastError.Attributes, c.Name) && len(c.After) == 1 {
			who := connector.Text(c.After[0])
			return "it goes on by itself once " + who + " has an account: `provhub account show " + who + "`" + next
		}
	}
	if r.State == store.OpRetry {
		return "make what is missing in " + r.Connector + "; it is tried again by itself" + next
	}
	return "make what is missing in " + r.Connector + ", then `provhub ops retry " + short(r.ID) + "`"
}
