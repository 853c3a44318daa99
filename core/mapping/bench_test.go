package mapping

import "testing"

// tenAttributes is what a usual connector has.
func tenAttributes() Rules {
	r := rules(
		AttributeRule{To: "userName", From: at(`unique(slug(join([person.first_name, person.last_name], " "), "de", "."), {"max": 20})`)},
		attribute("externalId", `anchor`),
		attribute("givenName", `person.first_name`),
		attribute("familyName", `person.last_name`),
		attribute("displayName", `join([person.first_name, person.middle_name, person.last_name], " ")`),
		attribute("mail", `lower(person.mail)`),
		attribute("phone", `phone(person.phone, "DE")`),
		attribute("department", `lookup("sites", person.department, "HQ")`),
		attribute("title", `person.level > 5 ? "Senior" : "Junior"`),
		attribute("manager", `ref(person.manager_id)`),
	)
	r.Scope = at(`person.active && person.department in ["Sales", "IT"]`)
	r.Grants = []GrantRule{{Entitlement: "sales", When: at(`person.department == "Sales"`), Place: "x:1"}}
	return r
}

// BenchmarkEval is one identity in one connector of ten attributes.
func BenchmarkEval(b *testing.B) {
	for _, bm := range []struct {
		name       string
		hasAccount bool
	}{{"new", false}, {"known", true}} {
		b.Run(bm.name, func(b *testing.B) {
			p := compile(b, tenAttributes())
			s := jane()
			s.HasAccount = bm.hasAccount
			names := NewChosen(nil)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Eval(s, names); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEvalOutOfScope is what most identities cost a small connector.
func BenchmarkEvalOutOfScope(b *testing.B) {
	p := compile(b, tenAttributes())
	s := jane("active", false)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Eval(s, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEvalLoop is one rule with a loop, which runs under limits.
func BenchmarkEvalLoop(b *testing.B) {
	p := compile(b, rules(attribute("x", `person.teams.map(t, "team-" + t)`)))
	s := jane()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Eval(s, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompile is what each connector costs at the start.
func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		compile(b, tenAttributes())
	}
}
