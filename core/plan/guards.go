package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/provhub/provhub/connectors/connector"
)

// minPopulation is the default of Limit.MinPopulation.
const minPopulation = 100

// Check counts the operations of one connector against its limits and returns
// what trips, in a fixed order; nil: nothing does. Operations of other connectors
// are not counted. The texts name the plan once it is sealed.
func (g Guards) Check(connector string, ops []Operation, pop Population) []Verdict {
	count, worst := tally(connector, ops)
	var out []Verdict
	for _, guarded := range slices.Sorted(maps.Keys(g.Run)) {
		if limit, trips := g.Run[guarded].Trips(count[guarded], pop.Accounts); trips {
			out = append(out, verdict(connector, guarded, count[guarded], limit, "run", worst))
		}
	}
	for _, guarded := range slices.Sorted(maps.Keys(g.Day)) {
		if count[guarded] == 0 {
			continue // what went out before is no reason to hold what is harmless
		}
		n := count[guarded] + pop.Last24h[guarded]
		if limit, trips := g.Day[guarded].Trips(n, pop.Accounts); trips {
			out = append(out, verdict(connector, guarded, n, limit, "24h", worst))
		}
	}
	return out
}

// Trips reports whether n of a population is over the limit, and names the limit.
func (l Limit) Trips(n, population int) (limit string, trips bool) {
	if l.Max > 0 && n > l.Max {
		return fmt.Sprintf("max %d", l.Max), true
	}
	base := max(population, cmp.Or(l.MinPopulation, minPopulation))
	if l.Percent > 0 && float64(n)*100 > l.Percent*float64(base) {
		return fmt.Sprintf("%g %% of %d", l.Percent, base), true
	}
	return "", false
}

// tally counts what is guarded. worst is the attribute that most updates change.
func tally(name string, ops []Operation) (count map[Guarded]int, worst string) {
	count = map[Guarded]int{}
	attributes := map[string]int{}
	for i := range ops {
		op := &ops[i]
		if op.Connector != name {
			continue
		}
		count[Guarded(op.Kind)]++
		if op.Cause == CauseOutOfScope {
			count[GuardOutOfScope]++
		}
		for _, g := range op.Grants {
			if g.Remove {
				count[GuardRevoke]++
			}
		}
		if op.Kind != Create {
			tallyChanges(op, count, attributes)
		}
	}
	for _, a := range slices.Sorted(maps.Keys(attributes)) {
		if n := attributes[a]; n > count[GuardAttribute] {
			count[GuardAttribute], worst = n, a
		}
	}
	return count, worst
}

func tallyChanges(op *Operation, count map[Guarded]int, attributes map[string]int) {
	renames := false
	for _, c := range op.Changes {
		switch {
		case len(c.After) == 0:
			count[GuardClear]++
		case same(&connector.Attr{CaseExact: true}, c.Before, c.After):
			continue
		}
		renames = renames || c.Naming
		attributes[c.Name]++
	}
	if renames {
		count[GuardRename]++
	}
}

// things says what is counted, for people.
var things = map[Guarded]string{
	Guarded(Create): "accounts to create", Guarded(Adopt): "accounts to take over", Guarded(Update): "accounts to change",
	Guarded(Enable): "accounts to enable", Guarded(Disable): "accounts to disable", Guarded(Delete): "accounts to delete",
	GuardRevoke: "grants to remove", GuardRename: "accounts to rename", GuardClear: "attributes to empty",
	GuardOutOfScope: "accounts to disable or delete for being out of scope",
}

func verdict(connector string, guarded Guarded, n int, limit, window, attribute string) Verdict {
	what := cmp.Or(things[guarded], string(guarded))
	if guarded == GuardAttribute {
		what = fmt.Sprintf("accounts whose attribute %q changes", attribute)
	}
	in := map[string]string{"run": "in this plan", "24h": "with those of the last 24 hours"}[window]
	return Verdict{Connector: connector, Guarded: guarded, Count: n, Limit: limit, Window: window,
		Text: fmt.Sprintf("%s: %d %s %s, the limit is %s", connector, n, what, in, limit)}
}
