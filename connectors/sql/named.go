package sql

import (
	"regexp"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/sql/dialect"
)

// template is a statement of the config, cut at its :names. There is one more
// part than there are names.
type template struct {
	parts []string
	names []string
}

// opaque matches what a :name is not looked for in: strings, quoted identifiers,
// comments, dollar quotes, and the "::" of a cast.
var (
	opaqueText = regexp.MustCompile(`(?s)^(?:'(?:[^']|'')*'|"(?:[^"]|"")*"|` + "`[^`]*`" + `|--[^\n]*|/\*.*?\*/|\$\$.*?\$\$|::|:=)`)
	namedParam = regexp.MustCompile(`^:([A-Za-z_][A-Za-z0-9_]*)`)
)

// parseNamed cuts a statement at its :names.
func parseNamed(sql string) template {
	var t template
	var part strings.Builder
	for i := 0; i < len(sql); {
		rest := sql[i:]
		if m := opaqueText.FindString(rest); m != "" {
			part.WriteString(m)
			i += len(m)
			continue
		}
		if m := namedParam.FindStringSubmatch(rest); m != nil {
			t.parts = append(t.parts, part.String())
			t.names = append(t.names, m[1])
			part.Reset()
			i += len(m[0])
			continue
		}
		part.WriteByte(sql[i])
		i++
	}
	t.parts = append(t.parts, part.String())
	return t
}

// order lists the names as their placeholders count: a product that numbers them
// takes each value once.
func (t template) order(d *dialect.Dialect) []string {
	if d.Placeholder(1) == d.Placeholder(2) {
		return t.names
	}
	var out []string
	for _, n := range t.names {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// text renders the statement with placeholders.
func (t template) text(d *dialect.Dialect) string {
	order := t.order(d)
	var b strings.Builder
	for i, name := range t.names {
		b.WriteString(t.parts[i])
		b.WriteString(d.Placeholder(slices.Index(order, name) + 1))
	}
	b.WriteString(t.parts[len(t.names)])
	return b.String()
}

// bind renders the statement with its values. A name without a value is NULL.
func (t template) bind(d *dialect.Dialect, values map[string]any) dialect.Statement {
	st := dialect.Statement{SQL: t.text(d), Labels: t.order(d)}
	for _, name := range st.Labels {
		st.Args = append(st.Args, values[name])
	}
	return st
}
