package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/cycle"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/quality"
	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/wording"
)

func (a *app) sourceListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "The sources, and how their last readings went", Args: none(),
		Example: "  provhub source list\n  provhub source list --output json",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, _ []string) error {
			views, err := h.Sources(cmd.Context())
			if err != nil {
				return err
			}
			if done, err := a.json(views); done {
				return err
			}
			now := time.Now()
			rows := make([][]any, len(views))
			for i, v := range views {
				whole := "every time"
				if !v.NextWhole.IsZero() {
					whole = when(v.NextWhole, now)
				}
				rows[i] = []any{v.Name, v.Type, when(v.ReadAt, now), when(v.Next, now), when(v.Dated, now), v.People, v.Groups, v.Faults, short(v.Snapshot), whole}
			}
			a.table([]any{"source", "type", "read", "next", "dated", "people", "groups", "bad", "snapshot", "read whole"}, rows)
			for _, v := range views {
				a.printStanding(v)
			}
			return nil
		}),
	}
}

// printStanding says what a person should know of a source besides its row.
func (a *app) printStanding(v hub.SourceView) {
	if len(v.Findings) == 0 && v.Refused == nil && v.Failed == "" {
		return
	}
	a.printf("\nSource %s:\n", v.Name)
	if v.Failed != "" {
		a.printf("  its last run failed: %s\n", v.Failed)
	}
	a.printFindings(v.Findings)
	if v.Refused == nil {
		return
	}
	a.printf("  REFUSED, of the reading of %s nothing was taken over:\n", when(v.Refused.At, time.Now()))
	a.printFindings(v.Refused.Findings)
	a.printf("  When it is right, take it over with: provhub sync --accept %s\n", short(v.Refused.Snapshot))
}

// checked is what a check found, for JSON.
type checked struct {
	Source string `json:"source"`
	// Error says why it could not be read to the end; "": it could.
	Error    string         `json:"error,omitempty"`
	Faults   []source.Fault `json:"faults"`
	Verdicts []plan.Verdict `json:"verdicts,omitempty"`
	Report   cycle.Report   `json:"report"`
}

func (a *app) sourceCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check [SOURCE]", Short: "Read a source and say what is wrong with it; nothing is taken over",
		Args: args(cobra.MaximumNArgs(1), "at most one source"),
		Long: `Read one source, or all, from beginning to end, and print every bad record with file
and line, and what is suspicious against the last reading. Nothing is stored.

Exit codes: 0 nothing wrong, 1 cannot be read, 3 a sync would hold it, 4 something is bad.`,
		Example: "  provhub source check\n  provhub source check hr --output json",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, given []string) error {
			names, err := h.SourceNames(first(given))
			if err != nil {
				return err
			}
			var all []checked
			var errs []error
			code := exitOK
			for _, name := range names {
				c, err := a.checkSource(cmd, h, name)
				if err != nil {
					errs = append(errs, err)
				}
				all, code = append(all, c), worse(code, c)
			}
			if done, err := a.json(all); done && err != nil {
				return err
			}
			if len(errs) == 0 && code != exitOK {
				return &exitError{code: code}
			}
			return errors.Join(errs...)
		}),
	}
}

func first(given []string) string {
	if len(given) == 0 {
		return ""
	}
	return given[0]
}

// worse returns the exit code after one more source.
func worse(code int, c checked) int {
	switch r := c.Report; {
	case len(c.Verdicts) > 0:
		return exitHeld
	case code == exitOK && r.Source.FaultCount+r.FaultCount+len(r.Findings)+len(r.Source.Incomplete) > 0:
		return exitParked
	}
	return code
}

// checkSource looks at one source. Bad records are printed as they are met, and kept
// for JSON only.
func (a *app) checkSource(cmd *cobra.Command, h *hub.Hub, name string) (checked, error) {
	c := checked{Source: name, Faults: []source.Fault{}}
	told := 0
	if a.output != "json" {
		a.printf("Source %s\n", name)
	}
	var err error
	c.Report, c.Verdicts, err = h.Look(cmd.Context(), name, cycle.Look{Fault: func(f source.Fault) {
		told++
		if a.output == "json" {
			c.Faults = append(c.Faults, f)
		} else {
			a.printFault(f)
		}
	}})
	if err != nil {
		c.Error = err.Error()
		return c, err
	}
	if a.output == "json" {
		return c, nil
	}
	r := c.Report
	if more := r.Source.FaultCount + r.FaultCount - told; more > 0 {
		a.printf("  and %s\n", wording.Count(more, "more bad record", "more bad records"))
	}
	for _, w := range append(r.Source.Warnings, r.Warnings...) {
		a.printf("  warning: %s\n", w)
	}
	for _, w := range r.Source.Incomplete {
		a.printf("  incomplete: %s; nobody is taken to have left\n", w)
	}
	a.printFindings(r.Findings)
	a.printf("  %s, %s\n", readingText(r), cmp.Or(count(r.Source.FaultCount+r.FaultCount, "bad"), "none bad"))
	if len(c.Verdicts) > 0 {
		a.printf("  A sync would HOLD it:\n")
		for _, v := range c.Verdicts {
			a.printf("    %s.\n", strings.TrimSuffix(v.Text, "."))
		}
	}
	return c, nil
}

func (a *app) printFault(f source.Fault) {
	who := ""
	if f.Anchor != "" {
		who = " (" + f.Anchor + ")"
	}
	a.printf("  bad record: %s%s: %s\n", f.Position, who, f.Reason)
}

// printFindings says what is suspicious about a reading, a line each.
func (a *app) printFindings(fs []quality.Finding) {
	for _, f := range fs {
		such := ""
		if len(f.Examples) > 0 {
			such = fmt.Sprintf(": %s", strings.Join(f.Examples, ", "))
			if f.Count > len(f.Examples) {
				such += ", …"
			}
		}
		a.printf("  suspicious: %s%s\n", f.Text, such)
	}
}
