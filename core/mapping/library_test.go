package mapping

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/mapping/library"
)

var exampleLine = regexp.MustCompile("^\\| `(.+)` \\| (.+) \\|$")

//go:embed README.md
var readme string

// examples gives the expressions of the README's examples and what they give.
func examples(t testing.TB) [][2]string {
	t.Helper()
	_, functions, ok := strings.Cut(readme, "## Functions")
	if !ok {
		t.Fatal("the README has no chapter on functions")
	}
	var out [][2]string
	for line := range strings.Lines(functions) {
		if m := exampleLine.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			out = append(out, [2]string{m[1], strings.Trim(m[2], "`")})
		}
	}
	return out
}

func readmeExamples(t testing.TB) (exprs []string) {
	for _, e := range examples(t) {
		exprs = append(exprs, e[0])
	}
	return exprs
}

// TestReadmeExamples runs every example of the README.
func TestReadmeExamples(t *testing.T) {
	for _, e := range examples(t) {
		t.Run(e[0], func(t *testing.T) {
			if got := outcome(t, e[0]); got != e[1] {
				t.Errorf("%s\n got %s\nwant %s", e[0], got, e[1])
			}
		})
	}
}

func TestEveryFunctionHasAnExample(t *testing.T) {
	all := strings.Join(readmeExamples(t), "\n")
	for _, f := range library.Functions() {
		if !strings.Contains(all, f+"(") {
			t.Errorf("%s() has no example in the README", f)
		}
	}
}

func outcome(t *testing.T, expr string) string {
	t.Helper()
	p, err := Compile(fields, true, rules(attribute("x", expr)))
	if err != nil {
		return err.Error()
	}
	r, err := p.Eval(jane(), taken{"x=jdoe": "someone else"})
	switch {
	case err != nil:
		return "fault: " + err.(Faults)[0].Text
	case len(r.Attributes) == 0:
		return "unset"
	case r.Attributes[0].Clear:
		return "clear"
	}
	vs := r.Attributes[0].Values
	if len(vs) == 1 && !strings.HasPrefix(expr, "compact") && !strings.Contains(expr, ".map(") {
		return show(vs[0])
	}
	texts := make([]string, len(vs))
	for i, v := range vs {
		texts[i] = show(v)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

func show(v connector.Value) string {
	switch x := v.(type) {
	case string:
		return fmt.Sprintf("%q", x)
	case time.Time:
		return x.Format(time.RFC3339)
	case connector.Ref:
		return "→ " + x.By.Value
	}
	return connector.Text(v)
}

// QUIRKS EXPR-6
func TestFunctionsListIsComplete(t *testing.T) {
	env, err := library.Env()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range library.Functions() {
		if f != "lookup" && !env.HasFunction(f) {
			t.Errorf("%s() is listed and does not exist", f)
		}
	}
}
