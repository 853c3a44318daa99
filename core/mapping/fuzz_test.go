package mapping

import (
	"math"
	"strings"
	"testing"

	"github.com/provhub/provhub/core/identity"
)

// FuzzCompile: arbitrary text never panics, and what compiles can be run.
func FuzzCompile(f *testing.F) {
	for _, tt := range faulty {
		f.Add(tt.expr)
	}
	for _, e := range readmeExamples(f) {
		f.Add(e)
	}
	f.Add(`[1,2].map(x, [x].map(y, y))`)
	f.Add(`cel.bind(a, person.mail + person.mail, cel.bind(b, a + a, b + b))`)
	f.Add(strings.Repeat("(", 500))
	s := jane()
	f.Fuzz(func(t *testing.T, expr string) {
		p, err := Compile(fields, true, rules(attribute("x", expr)))
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without words")
			}
			return
		}
		r, err := p.Eval(s, nil)
		if err == nil {
			for _, d := range r.Attributes {
				if _, err := d.Values.MarshalJSON(); err != nil {
					t.Errorf("%q gives what cannot be stored: %v", expr, err)
				}
			}
		}
		if _, err := p.Explain(s, nil); err != nil {
			t.Error(err)
		}
	})
}

// FuzzEval: arbitrary attribute values never panic and never show in a fault.
func FuzzEval(f *testing.F) {
	var attributes []AttributeRule
	for i, e := range readmeExamples(f) {
		attributes = append(attributes, attribute(strings.Repeat("x", i+1), e))
	}
	for i, e := range []string{
		`ascii(person.mail)`, `slug(person.mail, "tr")`, `title(person.mail)`, `initials(person.mail)`,
		`phone(person.phone, "DE")`, `country_code(person.phone)`, `dn_escape(person.mail)`, `rdn("cn", person.mail)`,
		`truncate(person.mail, 5, "utf16")`, `parse_date(person.mail, "DD.MM.YYYY")`, `add_days(person.end_date, person.level)`,
		`add_months(person.end_date, person.level)`, `pad_left(person.mail, person.level, "0")`, `right(person.mail, person.level)`,
		`substring(person.mail, person.level, person.level + 2)`, `at(person.teams, person.level)`, `person.teams.map(t, slug(t))`,
		`filetime(end_of_day(person.end_date, "Asia/Tokyo"))`, `unique(person.mail, {"max": 5})`, `normalize(person.mail, "el")`,
		`split(person.mail, person.phone)`, `replace(person.mail, person.phone, "x")`, `lower(person.mail, person.phone)`,
	} {
		attributes = append(attributes, attribute(strings.Repeat("y", i+1), e))
	}
	p := compile(f, rules(attributes...))
	f.Add("Jane", "030 1", int64(3), 1.5, "2026-03-31", "a")
	f.Add("\xff\xfe", "+", int64(math.MinInt64), math.NaN(), "0000-00-00", "")
	f.Add("ǅ ﬀ ẞ İ \u0301", "(0)(0)", int64(math.MaxInt64), math.Inf(1), "9999-12-31", "\u200b")
	f.Fuzz(func(t *testing.T, mail, phone string, level int64, salary float64, end, team string) {
		for _, value := range []any{mail, level, salary, true, []string{team, team}, nil, []byte(mail), map[string]any{mail: 1}} {
			s := jane("mail", mail, "phone", phone, "level", level, "salary", salary, "end_date", end, "teams", []string{team}, "department", value)
			s.Manager = identity.Attributes{"mail": value}
			_, err := p.Eval(s, nil)
			if err != nil && len(mail) > 20 && !strings.Contains(readme, mail) && strings.Contains(err.Error(), mail) {
				t.Errorf("a fault repeats a value: %v", err)
			}
		}
	})
}
