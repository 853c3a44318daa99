package dialect

import (
	"fmt"
	"strings"
)

// Statement is SQL with its values apart. Labels name the values for people:
// they are what a preview shows in their place.
type Statement struct {
	SQL    string
	Args   []any
	Labels []string
}

// Builder writes one statement. Values enter through Arg only, so that none is
// ever spliced into the text.
type Builder struct {
	d *Dialect
	b strings.Builder
	s Statement
}

// Build begins a statement.
func (d *Dialect) Build() *Builder {
	b := &Builder{d: d, s: Statement{Args: make([]any, 0, 8), Labels: make([]string, 0, 8)}}
	b.b.Grow(256)
	return b
}

// Text writes SQL as it stands. Parts that come from a config were quoted before.
func (b *Builder) Text(parts ...string) *Builder {
	for _, p := range parts {
		b.b.WriteString(p)
	}
	return b
}

// Arg binds a value and writes its placeholder.
func (b *Builder) Arg(label string, v any) *Builder {
	b.s.Args = append(b.s.Args, v)
	b.s.Labels = append(b.s.Labels, label)
	b.b.WriteString(b.d.placeholder(len(b.s.Args)))
	return b
}

// Statement ends the statement.
func (b *Builder) Statement() Statement {
	b.s.SQL = b.b.String()
	return b.s
}

// Value is one column and what goes into it.
type Value struct {
	Column string // quoted
	Label  string
	Value  any
}

// Select is a SELECT of one table. All names are quoted.
type Select struct {
	Columns []string
	From    string
	// Where writes the condition; nil: all rows.
	Where   func(*Builder)
	OrderBy string
	Limit   int  // 0: no limit
	Lock    bool // hold the rows until the transaction ends
}

// Select renders s.
func (d *Dialect) Select(s Select) Statement {
	b := d.Build().Text("SELECT ")
	if s.Limit > 0 && d.page == pageTop {
		b.Text(fmt.Sprintf("TOP (%d) ", s.Limit))
	}
	b.Text(strings.Join(s.Columns, ", "), " FROM ", s.From)
	if s.Lock {
		b.Text(d.lockHint)
	}
	if s.Where != nil {
		b.Text(" WHERE ")
		s.Where(b)
	}
	if s.OrderBy != "" {
		b.Text(" ORDER BY ", s.OrderBy)
	}
	switch {
	case s.Limit > 0 && d.page == pageLimit:
		b.Text(fmt.Sprintf(" LIMIT %d", s.Limit))
	case s.Limit > 0 && d.page == pageFetch:
		b.Text(fmt.Sprintf(" FETCH FIRST %d ROWS ONLY", s.Limit))
	}
	if s.Lock {
		b.Text(d.lockSuffix)
	}
	return b.Statement()
}

// Insert renders an INSERT of one row. id is the quoted column whose new value
// the caller wants, "" when it is known already (see [Dialect.TellsID]).
func (d *Dialect) Insert(table string, values []Value, id string) Statement {
	b := d.Build().Text("INSERT INTO ", table, " (")
	for i, v := range values {
		b.Text(comma(i), v.Column)
	}
	b.Text(")")
	if id != "" && d.newID == idOutput {
		b.Text(" OUTPUT INSERTED.", id)
	}
	b.Text(" VALUES (")
	for i, v := range values {
		b.Text(comma(i)).Arg(v.Label, v.Value)
	}
	b.Text(")")
	switch {
	case id == "":
	case d.newID == idReturning:
		b.Text(" RETURNING ", id)
	case d.newID == idInto:
		b.Text(" RETURNING ", id, " INTO ", d.placeholder(len(values)+1))
	}
	return b.Statement()
}

// TellsID reports whether an INSERT answers the new id as a row; otherwise it
// is the driver's LastInsertId.
func (d *Dialect) TellsID() bool { return d.newID == idReturning || d.newID == idOutput }

// Update renders an UPDATE.
func (d *Dialect) Update(table string, values []Value, where func(*Builder)) Statement {
	b := d.Build().Text("UPDATE ", table, " SET ")
	for i, v := range values {
		b.Text(comma(i), v.Column, " = ").Arg(v.Label, v.Value)
	}
	b.Text(" WHERE ")
	where(b)
	return b.Statement()
}

// Delete renders a DELETE.
func (d *Dialect) Delete(table string, where func(*Builder)) Statement {
	b := d.Build().Text("DELETE FROM ", table, " WHERE ")
	where(b)
	return b.Statement()
}

func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ", "
}
