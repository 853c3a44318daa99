package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

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
			if err != nil && len(planned) == 0 {
				return err
			}
			if done, jerr := a.json(planned); done {
				return cmp.Or(err, jerr, plannedError(planned))
			}
			for _, p := range planned {
				a.printPlanned(p, all)
			}
			return cmp.Or(err, plannedError(planned))
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
// planned for weighs more than a guard, or than the rejection of what is still to
// be done. The text was printed with the plan.
func plannedError(planned []hub.Planned) error {
	code := exitOK
	for _, p := range planned {
		switch {
		case len(p.Problems) > 0:
			code = exitFailed
		case (p.Status == store.PlanHeld || rejected(p)) && code == exitOK:
			code = exitHeld
		}
	}
	if code == exitOK {
		return nil
	}
	return &exitError{code: code}
}

// rejected reports whether a person has refused what is still to be done.
func rejected(p hub.Planned) bool {
	return p.Status == store.PlanRejected && len(p.Plan.Operations)+len(p.Plan.Withdraw) > 0
}
