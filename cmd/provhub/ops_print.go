package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/helpdesk"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// explainedOp is an operation in JSON, with what helpdesk is told of it.
type explainedOp struct {
	store.OpRow
	Help helpdesk.Text `json:"help"`
}

func explained(ops []store.OpRow) []explainedOp {
	out := make([]explainedOp, len(ops))
	for i, op := range ops {
		out[i] = explainedOp{op, helpdesk.Explain(op)}
	}
	return out
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
	s := string(r.State)
	if r.Pending {
		s = "pending"
	}
	if r.Handed != nil {
		s += ", with ops"
	}
	return s
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

func (a *app) printOperation(r store.OpRow, attempts []store.Attempt) {
	now := time.Now()
	text := helpdesk.Explain(r)
	a.printf("Operation  %s\n", r.ID)
	a.printf("What       %s the account of %s in %s\n", r.Kind, r.Anchor, r.Connector)
	a.printf("Why        %s\n", r.Reason)
	a.printf("State      %s since %s\n", stateText(r), when(r.UpdatedAt, now))
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
	}
	a.printf("Happened   %s\n", text.Happened)
	a.printf("Means      %s\n", text.Means)
	a.printf("What next  %s\n", doText(text))
	for _, s := range text.Can {
		a.printf("           %s: `%s`\n", s.Label, s.Command)
	}
	if h := r.Handed; h != nil {
		a.printf("With ops   since %s, by %s: %s\n", when(h.At, now), h.By, h.Note)
	}
	if r.FailsFor != "" {
		a.printf("Cause      %s since %s: `provhub ops causes --cause %[1]s` shows who else\n", r.FailsFor, when(r.FailingSince, now))
	}
	a.printf("Plan       %s\n\n", short(r.Plan))
	a.printChanges(r.Operation)
	a.printAttempts(attempts, now)
}

// doText is what to do, and who does it where that is not the reader.
func doText(t helpdesk.Text) string {
	switch t.Who {
	case helpdesk.Ops:
		return t.Do + " (the operators of the hub)"
	case helpdesk.Target:
		return t.Do + " (whoever runs the target)"
	case helpdesk.Source:
		return t.Do + " (whoever keeps the source)"
	}
	return t.Do
}

func (a *app) printAttempts(attempts []store.Attempt, now time.Time) {
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
