package sql

import (
	"slices"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// model is the config checked against the live catalogue: every name in it
// exists and is quoted.
type model struct {
	d       *dialect.Dialect
	users   *entity
	groups  []*entity
	history *history
	// credential are the statements that set a password.
	credential []Statement
}

// entity is one object type and its table.
type entity struct {
	typ     string
	kind    connector.ObjectKind
	table   *dialect.Table
	name    string // quoted, with schema
	columns []*column
	// reading lists every column that is read: the attributes, then the rest.
	reading []*column
	// key and id name a row; they are the same column when the table has no id
	// of its own. id need not be an attribute.
	key, id *column
	anchor  *column // nil: the key is all there is
	version *column // nil: no conditional updates
	enabled *flag
	soft    *softRule
	joins   []*membership // of an account type, one per group type
	verbs   []connector.Verb
	// assumed: its rows cannot be looked up and are taken to exist.
	assumed bool
}

// column is one column of an entity, with the attribute it holds.
type column struct {
	dialect.Column
	attr      string // "" for a column that is no attribute
	pos       int    // in entity.reading
	quoted    string
	typ       connector.ValueType
	caseExact bool
	required  bool
	readOnly  bool
	unique    bool
	maxLength int
	refersTo  *entity
	// emptyIsNull: the product keeps "" as NULL.
	emptyIsNull bool
}

// flag is a column with two states.
type flag struct {
	column  *column
	on, off any
}

// softRule is how a row says that it is deleted.
type softRule struct {
	column *column
	// value and live are what a deleted row and a row in use hold; value is nil
	// when any time stamp means deleted, live is nil for NULL.
	value, live any
	stamp       *column
	show        bool
}

// membership is the table between accounts and one type of groups.
type membership struct {
	group     *entity
	name      string // quoted, with schema
	userCol   string // quoted
	groupCol  string // quoted
	constants []dialect.Value
	// opaque: who is in which group cannot be read.
	opaque bool
}

// history is the table of changes.
type history struct {
	name                     string
	key, verb, at, operation string // quoted, "" when not kept
	constants                []dialect.Value
}

// surrogate reports whether rows have an id that is not the key.
func (e *entity) surrogate() bool { return e.id != e.key }

// finish lays out what is read of a row, once all columns are known.
func (e *entity) finish() {
	e.reading = slices.Clone(e.columns)
	more := []*column{e.id, e.version}
	if e.enabled != nil {
		more = append(more, e.enabled.column)
	}
	if e.soft != nil {
		more = append(more, e.soft.column)
	}
	for _, c := range more {
		if c != nil && !slices.Contains(e.reading, c) {
			e.reading = append(e.reading, c)
		}
	}
	for i, c := range e.reading {
		c.pos = i
	}
}

// attr returns the column of an attribute.
func (e *entity) attr(name string) *column {
	i := slices.IndexFunc(e.columns, func(c *column) bool { return c.attr == name })
	if i < 0 {
		return nil
	}
	return e.columns[i]
}

// membershipOf returns the join table of a group type.
func (e *entity) membershipOf(group string) *membership {
	i := slices.IndexFunc(e.joins, func(m *membership) bool { return m.group.typ == group })
	if i < 0 {
		return nil
	}
	return e.joins[i]
}

// entity returns the object type called name; "" is the account type.
func (m *model) entity(name string) *entity {
	if name == "" || name == m.users.typ {
		return m.users
	}
	i := slices.IndexFunc(m.groups, func(e *entity) bool { return e.typ == name })
	if i < 0 {
		return nil
	}
	return m.groups[i]
}

// entities lists the object types, accounts first.
func (m *model) entities() []*entity { return append([]*entity{m.users}, m.groups...) }

// schema describes the object types for the hub.
func (m *model) schema() connector.Schema {
	var out connector.Schema
	for _, e := range m.entities() {
		out = append(out, e.objectType())
	}
	return out
}

func (e *entity) objectType() connector.ObjectType {
	t := connector.ObjectType{Name: e.typ, Kind: e.kind, Verbs: e.verbs, Correlation: []string{e.key.attr}}
	if e.table != nil {
		t.NativeName = e.table.Name
	}
	for _, c := range e.columns {
		t.Attributes = append(t.Attributes, c.describe(e))
		if c != e.key && c.unique {
			t.Correlation = append(t.Correlation, c.attr)
		}
	}
	if e.anchor != nil && !slices.Contains(t.Correlation, e.anchor.attr) {
		t.Correlation = append(t.Correlation, e.anchor.attr)
	}
	for _, j := range e.joins {
		t.Grants = append(t.Grants, j.group.typ)
	}
	if e.enabled != nil {
		t.DisableMeans = "sets " + e.enabled.column.Name + " to " + connector.Text(e.enabled.off)
	}
	return t
}

func (c *column) describe(e *entity) connector.Attr {
	a := connector.Attr{
		Name: c.attr, Type: c.typ, Required: c.required, ReadOnly: c.readOnly, Unique: c.unique, CaseExact: c.caseExact,
		MaxLength: c.maxLength, Canonical: c.Only, Naming: c == e.key, Description: c.Native,
	}
	if c.refersTo != nil {
		a.RefersTo = c.refersTo.typ
	}
	return a
}
