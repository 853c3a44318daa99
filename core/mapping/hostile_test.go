package mapping

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestHostileRules: a rule that is made to hurt ends soon, one way or another.
func TestHostileRules(t *testing.T) {
	binds := func(first, join string) string {
		out := ""
		for i := range 40 {
			previous := first
			if i > 0 {
				previous = fmt.Sprintf("v%d", i-1)
			}
			out += fmt.Sprintf("cel.bind(v%d, %s, ", i, strings.ReplaceAll(join, "$", previous))
		}
		return out + "size(v39)" + strings.Repeat(")", 40)
	}
	replaces := `person.mail`
	for range 60 {
		replaces = `replace(` + replaces + `, "e", "eeeeeeeeee")`
	}
	for name, expr := range map[string]string{
		"text that doubles":            binds("person.mail", "$ + $"),
		"lists that double":            binds("[person.mail]", "$ + $"),
		"lists of lists":               binds("[person.mail]", "[$, $].map(x, x)[0]"),
		"text that grows tenfold":      replaces,
		"a pattern that grows":         `regex_replace(regex_replace(regex_replace(person.mail, "", "` + strings.Repeat("x", 900) + `"), "", "` + strings.Repeat("x", 900) + `"), "", "$0")`,
		"a pattern of many states":     `person.mail.matches("(a{1,100}){1,100}$")`,
		"not not not":                  strings.Repeat("!", 5000) + "true",
		"brackets":                     strings.Repeat("[", 3000) + strings.Repeat("]", 3000),
		"a long sum":                   "1" + strings.Repeat("+1", 4900),
		"coalesce of very many":        "coalesce(" + strings.Repeat("person.mail,", 800) + `"x")`,
		"join of very many":            "join([" + strings.Repeat("person.mail,", 800) + `"x"], ",")`,
		"conditions within conditions": strings.Repeat("person.active ? person.mail : ", 300) + `"x"`,
		"loops within loops":           strings.Repeat("person.teams.all(x, ", 12) + "true" + strings.Repeat(")", 12),
		"longer than a rule may be":    strings.Repeat(" ", 20_000) + "1",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			p, err := Compile(fields, true, rules(attribute("x", expr)))
			if err == nil {
				_, err = p.Eval(jane(), nil)
			}
			if err != nil && len(err.Error()) > 100_000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}
