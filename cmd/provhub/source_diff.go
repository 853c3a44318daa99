package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provhub/provhub/core/cycle"
	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/wording"
)

// fieldChange is what became of one attribute; nil: it has no value.
type fieldChange struct {
	Name   string `json:"name"`
	Before any    `json:"before"`
	After  any    `json:"after"`
}

// difference is one person or group that is not in the source as it is stored.
type difference struct {
	identity.Key
	Change   string        `json:"change"` // "new", "changed", "gone"; "members" of a group whose attributes are as they were
	Position string        `json:"position"`
	Fields   []fieldChange `json:"fields,omitempty"`
}

func (a *app) sourceDiffCommand() *cobra.Command {
	limit := 0
	c := &cobra.Command{
		Use: "diff [SOURCE]", Short: "Who is new, changed or gone in a source, by field; nothing is taken over",
		Args: args(cobra.MaximumNArgs(1), "one source"),
		Long: `Read a source and compare it with what is stored of it: who is new, who changed and in
which fields, who is gone. The values are shown. Nothing is taken over.

Somebody who is missing from a reading that is incomplete, or from which too many are
missing, is not listed as gone: a sync would not take them for that.`,
		Example: "  provhub source diff hr\n  provhub source diff hr --limit 0 --output json",
		RunE: a.withHub(func(cmd *cobra.Command, h *hub.Hub, given []string) error {
			d := differ{a: a, limit: limit, list: []difference{}}
			report, _, err := h.Look(cmd.Context(), first(given), cycle.Look{Change: d.take})
			if err != nil {
				return err
			}
			if done, err := a.json(struct {
				Changes []difference `json:"changes"`
				Count   int          `json:"count"`
				Missing int          `json:"missing"`
			}{d.list, d.count, report.Missing}); done {
				return err
			}
			d.end(report)
			return nil
		}),
	}
	c.Flags().IntVar(&limit, "limit", 100, "show at most this many; 0 shows all")
	return c
}

// differ prints differences as they come; for JSON it keeps them.
type differ struct {
	a     *app
	limit int
	count int
	list  []difference
}

func (d *differ) take(before, after *identity.Identity) error {
	out := differenceOf(before, after)
	if out.Change == "changed" && len(out.Fields) == 0 {
		if out.Kind != identity.Group || before.Hash == after.Hash {
			return nil // read anew for another reason, and as it was
		}
		out.Change = "members"
	}
	if d.count++; d.limit > 0 && d.count > d.limit {
		return nil
	}
	if d.a.output == "json" {
		d.list = append(d.list, out)
		return nil
	}
	d.a.printf("%-8s%s %s (%s)\n", out.Change, out.Kind, out.Anchor, out.Position)
	for _, f := range out.Fields {
		d.a.printf("          %s: %s → %s\n", f.Name, shown(f.Before), shown(f.After))
	}
	return nil
}

func (d *differ) end(r cycle.Report) {
	if more := d.count - d.limit; d.limit > 0 && more > 0 {
		d.a.printf("… and %d more; --limit 0 shows all\n", more)
	}
	if d.count == 0 {
		d.a.printf("Nothing is different from what is stored.\n")
	}
	if r.Missing > 0 {
		d.a.printf("%s from the reading and would be kept: it is incomplete, or lost too many at once.\n", wording.Count(r.Missing, "identity is missing", "identities are missing"))
	}
}

func differenceOf(before, after *identity.Identity) difference {
	switch {
	case before == nil:
		return difference{Key: after.Key, Change: "new", Position: after.Position, Fields: fieldsChanged(nil, after.Attributes)}
	case after == nil:
		return difference{Key: before.Key, Change: "gone", Position: before.Position}
	}
	return difference{Key: after.Key, Change: "changed", Position: after.Position, Fields: fieldsChanged(before.Attributes, after.Attributes)}
}

// fieldsChanged lists the attributes that differ, by name.
func fieldsChanged(before, after identity.Attributes) (out []fieldChange) {
	names := slices.Sorted(maps.Keys(after))
	for n := range before {
		if _, both := after[n]; !both {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	for _, n := range names {
		if shown(before[n]) != shown(after[n]) {
			out = append(out, fieldChange{Name: n, Before: before[n], After: after[n]})
		}
	}
	return out
}

// shown is a value as people read it.
func shown(v any) string {
	switch x := v.(type) {
	case nil:
		return "–"
	case string:
		if x == "" {
			return "–"
		}
		return x
	case []string:
		if len(x) == 0 {
			return "–"
		}
		return strings.Join(x, "; ")
	}
	return fmt.Sprint(v)
}
