package plan

import (
	"strconv"
	"testing"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

// typical is an account with ten attributes and three grants.
func typical() Subject {
	var parts []any
	s := subject(account(grants("a", "b", "c")))
	for i := range 9 {
		name := "attribute" + strconv.Itoa(i)
		parts = append(parts, set(name, "Value "+name))
		s.Have.Applied = applied(s.Have.Applied, []Change{{Name: name, After: connector.Values{"Value " + name}}})
	}
	s.Want = want(append(parts, set("userName", "jane"), "a", "b", "c")...)
	return s
}

func BenchmarkDiff(b *testing.B) {
	wide := append(connector.Schema{}, schema...)
	for i := range 9 {
		wide[0].Attributes = append(wide[0].Attributes, connector.Attr{Name: "attribute" + strconv.Itoa(i)})
	}
	same, moved, left := typical(), typical(), typical()
	moved.Want.Attributes[3] = set("attribute3", "New value")
	moved.Want.Grants = moved.Want.Grants[1:]
	left.State = identity.Leaver
	for _, bench := range []struct {
		name string
		s    Subject
	}{{"nothing", same}, {"mover", moved}, {"leaver", left}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Diff(bench.s, Policy{RevokeOnLeave: true}, wide)
			}
		})
	}
}

func BenchmarkSeal(b *testing.B) {
	s := typical()
	s.Want.Attributes[3] = set("attribute3", "New value")
	o := *Diff(s, Policy{}, schema).Operation
	ops := make([]Operation, 20_000)
	for i := range ops {
		ops[i] = o
		ops[i].Anchor = strconv.Itoa(len(ops) - i)
	}
	b.ReportAllocs()
	for b.Loop() {
		p := Plan{Operations: append([]Operation{}, ops...)}
		Seal(&p)
	}
}
