package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/cycle"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
	"github.com/provhub/provhub/wording"
)

func (a *app) printPlanned(p hub.Planned, all bool) {
	a.printReading(p)
	for _, problem := range p.Problems {
		a.printf("  NOT PLANNED: %s\n", strings.ReplaceAll(problem, "\n", "\n    "))
	}
	a.printf("\nPlan %s: %s\n", short(p.Plan.Hash), plan.CountsOf(p.Plan.Operations))
	a.printOps(p.Plan.Operations, all)
	if n := len(p.Plan.Withdraw); n > 0 {
		a.printf("\n%s withdrawn: no longer wanted.\n", wording.Count(n, "open operation is", "open operations are"))
	}
	if n := decisions(p.Plan.Operations); n > 0 {
		a.printf("\n%s to be decided by a person: applied, they wait in the queue as parked.\n", wording.Count(n, "operation is", "operations are"))
	}
	a.printNotes("Left alone", p.Plan.Notes, all)
	a.printNotes("Could not be worked out", p.Plan.Faults, all)
	switch {
	case p.Status == store.PlanHeld:
		a.printf("\nHELD, nothing is sent:\n")
		for _, v := range p.Plan.Verdicts {
			a.printf("  %s.\n", strings.TrimSuffix(v.Text, "."))
		}
		if !slices.ContainsFunc(p.Plan.Verdicts, ofSource) {
			a.printf("When all of this is right, release it with: provhub plan approve %s --reason TEXT\n", short(p.Plan.Hash))
		}
	case rejected(p):
		a.printf("\nREJECTED, nothing is sent: `provhub plan show %s` says by whom. Mend the source, then sync again.\n", short(p.Plan.Hash))
	case p.Status == store.PlanProposed && len(p.Plan.Operations)+len(p.Plan.Withdraw) > 0:
		a.printf("\nNothing was sent. To carry it out: provhub apply %s\n", short(p.Plan.Hash))
	}
}

// ofSource tells the guards of a source: approving the plan does not answer them,
// their text says what does.
func ofSource(v plan.Verdict) bool {
	return v.Guarded == plan.GuardVanish || v.Guarded == plan.GuardClock || v.Guarded == plan.GuardQuality
}

// printReading says what was read, and everything that was wrong with it.
func (a *app) printReading(p hub.Planned) {
	r := p.Report
	if p.Plan.Inputs.Partial {
		a.printf("Source %s: one record, %s\n", p.Source, pushText(r))
		return
	}
	a.printf("Source %s: %s\n", p.Source, readingText(r))
	for _, w := range append(r.Source.Warnings, r.Warnings...) {
		a.printf("  warning: %s\n", w)
	}
	faults := append(r.Source.Faults, r.Faults...)
	for _, f := range faults {
		a.printFault(f)
	}
	if more := r.Source.FaultCount + r.FaultCount - len(faults); more > 0 {
		a.printf("  and %s; `provhub source check %s` lists them\n", wording.Count(more, "more bad record", "more bad records"), p.Source)
	}
	a.printFindings(r.Findings)
	for _, w := range r.Source.Incomplete {
		a.printf("  incomplete: %s; nobody is taken to have left\n", w)
	}
}

// pushText says what a record that was pushed is to the source.
func pushText(r cycle.Report) string {
	switch {
	case r.New > 0:
		return "new"
	case r.Changed > 0:
		return "changed"
	case r.Vanished > 0:
		return "gone"
	}
	return "as it was: what follows from it was done before, or is in a plan or the queue already"
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
	return wording.Count(r.Source.Rows, "row", "rows") + ", " + what
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

// decisions counts the operations that a person has to decide about.
func decisions(ops []plan.Operation) int {
	n := 0
	for _, o := range ops {
		if o.Park != "" {
			n++
		}
	}
	return n
}

func (a *app) printNotes(title string, notes []plan.Note, all bool) {
	if len(notes) == 0 {
		return
	}
	more := 0
	if !all && len(notes) > opsShown {
		notes, more = notes[:opsShown], len(notes)-opsShown
	}
	a.printf("\n%s:\n", title)
	rows := make([][]any, 0, len(notes))
	for _, n := range notes {
		rows = append(rows, []any{n.Connector, n.Anchor, n.Text})
	}
	a.table([]any{"connector", "person", "why"}, rows)
	if more > 0 {
		a.printf("… and %d more; `provhub plan show` lists them\n", more)
	}
}
