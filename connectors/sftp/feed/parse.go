package feed

import (
	"fmt"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// Text returns the text of one cell, "" when it is not there. Headers are compared
// without regard to case.
func Text(row map[string]any, header string) string {
	v, ok := row[header]
	if !ok {
		for k, x := range row {
			if fold(k) == fold(header) {
				v = x
			}
		}
	}
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	}
	return fmt.Sprint(v)
}

// Parse reads a row of a full file back.
func (l *Layout) Parse(row map[string]any) (key string, r *Row, err error) {
	r = &Row{State: Enabled}
	for i := range l.Columns {
		c := &l.Columns[i]
		cell, there := row[c.Title()]
		if l.File.NoHeader && !l.File.isJSON() {
			cell, there = row[fmt.Sprint(i+1)]
		}
		if !there && !l.File.isJSON() {
			return "", nil, fmt.Errorf("the column %q is missing", c.Title())
		}
		if err := l.parse(c, cell, r); err != nil {
			return "", nil, fmt.Errorf("column %q: %w", c.Title(), err)
		}
	}
	if key = r.Attributes.Text(l.Key); key == "" {
		return "", nil, fmt.Errorf("there is no %s", l.Key)
	}
	return key, r, nil
}

func (l *Layout) parse(c *Column, cell any, r *Row) error {
	switch c.Kind {
	case KindState:
		return c.parseState(cell, r)
	case KindGroups:
		r.Groups = c.split(cell)
		return nil
	case KindAction, KindConstant:
		return nil
	}
	var vs connector.Values
	for _, text := range c.split(cell) {
		v, err := l.value(c, text)
		if err != nil {
			return err
		}
		vs = append(vs, v)
	}
	if len(vs) > 0 {
		r.Attributes = append(r.Attributes, connector.Attribute{Name: c.Name, Values: vs})
	}
	return nil
}

func (c *Column) parseState(cell any, r *Row) error {
	switch text := fmt.Sprint(cell); text {
	case c.Enabled:
		r.State = Enabled
	case c.Disabled:
		r.State = Disabled
	case c.Deleted:
		r.State = Deleted
	default:
		return fmt.Errorf("%q is neither %q nor %q", text, c.Enabled, c.Disabled)
	}
	return nil
}

// split returns the values of a cell as text.
func (c *Column) split(cell any) []string {
	switch x := cell.(type) {
	case nil:
		return nil
	case []any:
		out := make([]string, len(x))
		for i := range x {
			out[i] = fmt.Sprint(x[i])
		}
		return out
	}
	text := fmt.Sprint(cell)
	if rest, ok := strings.CutPrefix(text, "'"); ok && c.FormulaGuard && isFormula(rest) {
		text = rest
	}
	switch {
	case text == "":
		return nil
	case c.Multi, c.Kind == KindGroups:
		return strings.Split(text, c.Separator)
	}
	return []string{text}
}
