package lifecycle

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/provhub/provhub/core/source"
)

// Check finds the faults that rules have whatever the data, against the
// attributes that the source supplies: unknown attributes, wrong types, a status
// in two lists. It returns all of them, joined; nil: none.
func (r Rules) Check(fields []source.Field) error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	attribute := func(key, name string, types ...source.Type) {
		if name == "" {
			return
		}
		i := slices.IndexFunc(fields, func(f source.Field) bool { return f.Name == name })
		if i < 0 {
			fault("%s: the source has no attribute %q; it has %s", key, name, names(fields))
			return
		}
		if !slices.Contains(types, fields[i].Type) {
			fault("%s: attribute %q is of type %s; it must be %s", key, name, fields[i].Type, join(types))
		}
	}
	words := []source.Type{source.Text, source.Bool, source.Integer}
	attribute("status", r.Status, words...)
	attribute("start", r.Start, source.Date)
	attribute("end", r.End, source.Date)
	attribute("zone", r.Zone, source.Text)
	attribute("contractor", r.Contractor, words...)
	if r.Status == "" && len(r.Active)+len(r.Suspended)+len(r.Leaver) > 0 {
		fault("status: lists of status values are given, but not the attribute that holds the status")
	}
	if r.Status != "" && len(r.Active) == 0 {
		fault("active: list the status values of people who work here; without them everybody is a fault")
	}
	for _, twice := range overlaps(r.Active, r.Suspended, r.Leaver) {
		fault("%q stands in more than one of the lists active, suspended and leaver", twice)
	}
	if r.EndRequired && (r.End == "" || r.Contractor == "" || len(r.Contractors) == 0) {
		fault("end_required: needs end, contractor and contractors")
	}
	return errors.Join(faults...)
}

// overlaps returns the values that stand in more than one list, sorted.
func overlaps(lists ...[]string) []string {
	var twice []string
	in := map[string]int{}
	for i, list := range lists {
		for _, v := range list {
			k := strings.ToLower(strings.TrimSpace(v))
			if first, ok := in[k]; ok && first != i {
				twice = append(twice, k)
			}
			in[k] = i
		}
	}
	slices.Sort(twice)
	return slices.Compact(twice)
}

func names(fields []source.Field) string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.Name
	}
	return strings.Join(out, ", ")
}

func join(types []source.Type) string {
	out := make([]string, len(types))
	for i, t := range types {
		out[i] = string(t)
	}
	return strings.Join(out, " or ")
}
