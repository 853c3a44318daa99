package sql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
	"github.com/provhub/provhub/wording"
)

// resolver checks the names of a config against the catalogue and collects
// every fault, so that an operator mends them all at once.
type resolver struct {
	ctx    context.Context
	d      *dialect.Dialect
	q      dialect.Queryer
	cfg    *Config
	faults []string
	failed error // the database itself failed
}

// resolve builds the model of a config in table mode. Its error is CONFIGURATION
// with every fault, or what the database answered.
func resolve(ctx context.Context, d *dialect.Dialect, q dialect.Queryer, cfg *Config) (*model, error) {
	r := &resolver{ctx: ctx, d: d, q: q, cfg: cfg}
	m := &model{d: d, credential: cfg.Statements.of(connector.VerbSetCredential)}
	for i := range cfg.Groups {
		path := fmt.Sprintf("groups[%d]", i)
		if e := r.entity(path, cfg.Groups[i].typeName(), &cfg.Groups[i].Table); e != nil {
			e.kind = connector.KindEntitlement
			e.verbs = []connector.Verb{}
			if cfg.Groups[i].Kind == "group" {
				e.kind = connector.KindGroup
				e.verbs = []connector.Verb{connector.VerbCreate, connector.VerbUpdate, connector.VerbRename, connector.VerbDelete}
			}
			m.groups = append(m.groups, e)
		}
	}
	m.users = r.users(m)
	if cfg.History != nil {
		m.history = r.history(cfg.History)
	}
	switch {
	case r.failed != nil:
		return nil, r.failed
	case len(r.faults) > 0:
		return nil, &connector.Error{Code: connector.CodeConfiguration, Message: strings.Join(r.faults, "; ")}
	}
	for _, e := range m.entities() {
		e.finish()
	}
	return m, nil
}

func (r *resolver) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// table reads one table; nil after a fault.
func (r *resolver) table(path, schema, name string) *dialect.Table {
	if r.failed != nil {
		return nil
	}
	t, err := r.d.ReadTable(r.ctx, r.q, orElse(schema, r.cfg.Schema), name)
	switch {
	case errors.Is(err, dialect.ErrNoTable):
		r.fault("%s: there is no table %s that the login can see", path, r.d.QuoteTable(orElse(schema, r.cfg.Schema), name))
		return nil
	case err != nil:
		r.failed = err
		return nil
	case t.NoTransactions:
		r.fault("%s: the storage engine of table %s has no transactions, so half an account could stay behind; convert it to InnoDB", path, name)
		return nil
	}
	return t
}

// entity reads the table of an object type and its columns.
func (r *resolver) entity(path, typ string, cfg *Table) *entity {
	t := r.table(path+".table", cfg.Schema, cfg.Table)
	if t == nil {
		return nil
	}
	e := &entity{typ: typ, table: t, name: r.d.QuoteTable(t.Schema, t.Name)}
	r.columns(path, e, cfg)
	e.key = r.column(path+".key", e, cfg.Key)
	e.id = e.key
	if cfg.ID != "" && cfg.ID != cfg.Key {
		e.id = r.column(path+".id", e, cfg.ID)
	}
	if cfg.Version != "" {
		e.version = r.column(path+".version", e, cfg.Version)
	}
	if e.key == nil || e.id == nil {
		return nil
	}
	if e.key.attr == "" {
		e.key.attr = e.key.Name
		e.columns = append([]*column{e.key}, e.columns...)
	}
	e.key.required = true
	return e
}

// columns makes an attribute of every configured column, or of all of them.
func (r *resolver) columns(path string, e *entity, cfg *Table) {
	if len(cfg.Columns) == 0 {
		for i := range e.table.Columns {
			name := e.table.Columns[i].Name
			if name != cfg.ID && name != cfg.Version && !r.isState(e.table, name) || name == cfg.Key {
				c := r.newColumn(e.table, &e.table.Columns[i])
				c.attr = name
				c.readOnly = c.Computed
				e.columns = append(e.columns, c)
			}
		}
		return
	}
	for i, want := range cfg.Columns {
		c := r.column(fmt.Sprintf("%s.columns[%d]", path, i), e, orElse(want.Column, want.Name))
		if c == nil {
			continue
		}
		if e.attr(want.Name) != nil || c.attr != "" {
			r.fault("%s.columns[%d]: %s is there twice", path, i, want.Name)
			continue
		}
		want.apply(c)
		e.columns = append(e.columns, c)
	}
}

// isState reports whether the users table keeps its state in that column, which
// is then no attribute.
func (r *resolver) isState(t *dialect.Table, name string) bool {
	u := &r.cfg.Users
	if t.Name != u.Table.Table {
		return false
	}
	return u.Enabled != nil && u.Enabled.Column == name ||
		u.SoftDelete != nil && (u.SoftDelete.Column == name || u.SoftDelete.Timestamp == name)
}

// apply lays the config of a column over what the catalogue says.
func (want Column) apply(c *column) {
	c.attr = want.Name
	if want.Type != "" {
		c.typ = connector.ValueType(want.Type)
	}
	if want.CaseExact != nil {
		c.caseExact = *want.CaseExact
	}
	c.required = c.required || want.Required
	c.readOnly = c.Computed || want.ReadOnly
	if want.MaxLength > 0 {
		c.maxLength = want.MaxLength
	}
}

// column returns the column called name of e's table; nil after a fault. The
// same column is one *column, however many roles it has.
func (r *resolver) column(path string, e *entity, name string) *column {
	if i := slices.IndexFunc(e.columns, func(c *column) bool { return c.Name == name }); i >= 0 {
		return e.columns[i]
	}
	c, ok := e.table.Column(name)
	if !ok {
		r.fault("%s: table %s has no column %q%s", path, e.table.Name, name, wording.DidYouMean(name, columnNames(e.table)))
		return nil
	}
	return r.newColumn(e.table, c)
}

func (r *resolver) newColumn(t *dialect.Table, c *dialect.Column) *column {
	return &column{
		Column: *c, quoted: r.d.Quote(c.Name), typ: c.Type, caseExact: !c.IgnoreCase, unique: t.IsUnique(c.Name),
		required: c.NotNull && !c.Filled && !c.Computed, maxLength: c.Length, emptyIsNull: r.d.EmptyIsNull,
	}
}

func columnNames(t *dialect.Table) []string {
	var out []string
	for _, c := range t.Columns {
		out = append(out, c.Name)
	}
	return out
}
