package sql

import (
	"fmt"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
	"github.com/provhub/provhub/wording"
)

// users reads the table of accounts with its state columns and join tables.
func (r *resolver) users(m *model) *entity {
	cfg := &r.cfg.Users
	e := r.entity("users", cfg.typeName(), &cfg.Table)
	if e == nil {
		return nil
	}
	e.kind = connector.KindAccount
	e.verbs = []connector.Verb{connector.VerbCreate, connector.VerbUpdate, connector.VerbRename, connector.VerbDelete}
	if cfg.Anchor != "" {
		if e.anchor = e.attr(cfg.Anchor); e.anchor == nil {
			r.fault("users.anchor: %q is not one of the attributes%s", cfg.Anchor, wording.DidYouMean(cfg.Anchor, e.attributeNames()))
		}
	}
	if cfg.Enabled != nil {
		e.enabled = r.enabled(e, cfg.Enabled)
		e.verbs = append(e.verbs, connector.VerbEnable, connector.VerbDisable)
	}
	if cfg.SoftDelete != nil {
		e.soft = r.softDelete(e, cfg.SoftDelete)
	}
	for i := range r.cfg.Groups {
		if j := r.membership(fmt.Sprintf("groups[%d].join", i), m, &r.cfg.Groups[i]); j != nil {
			e.joins = append(e.joins, j)
		}
	}
	if len(e.joins) > 0 {
		e.verbs = append(e.verbs, connector.VerbGrant, connector.VerbRevoke)
	}
	if len(m.credential) > 0 {
		e.verbs = append(e.verbs, connector.VerbSetCredential)
	}
	r.references(m, e, cfg.Columns)
	return e
}

// references ties columns of type reference to the object type they name.
func (r *resolver) references(m *model, users *entity, columns []Column) {
	for i, want := range columns {
		c := users.attr(want.Name)
		if c == nil || want.Type != string(connector.TypeReference) {
			continue
		}
		c.refersTo = users
		if want.RefersTo != "" && want.RefersTo != users.typ {
			c.refersTo = nil
			for _, g := range m.groups {
				if g.typ == want.RefersTo {
					c.refersTo = g
				}
			}
		}
		if c.refersTo == nil {
			r.fault("users.columns[%d].refers_to: there is no object type %q", i, want.RefersTo)
		}
	}
}

func (r *resolver) enabled(e *entity, cfg *Enabled) *flag {
	c := r.column("users.enabled.column", e, cfg.Column)
	if c == nil {
		return nil
	}
	f := &flag{column: c}
	f.on = r.constant("users.enabled.true", c, orElse(cfg.True, "true"))
	f.off = r.constant("users.enabled.false", c, orElse(cfg.False, "false"))
	return f
}

func (r *resolver) softDelete(e *entity, cfg *SoftDelete) *softRule {
	c := r.column("users.soft_delete.column", e, cfg.Column)
	if c == nil {
		return nil
	}
	s := &softRule{column: c, show: cfg.Show}
	if cfg.Value != "" {
		s.value = r.constant("users.soft_delete.value", c, cfg.Value)
	} else if c.typ != connector.TypeTimestamp && c.typ != connector.TypeDate {
		r.fault("users.soft_delete: column %s is no time stamp, so value must say what a deleted row holds", c.Name)
	}
	if cfg.Live != "" {
		s.live = r.constant("users.soft_delete.live", c, cfg.Live)
	} else if c.NotNull {
		r.fault("users.soft_delete: column %s takes no NULL, so live must say what a row in use holds", c.Name)
	}
	if cfg.Timestamp != "" {
		s.stamp = r.column("users.soft_delete.timestamp", e, cfg.Timestamp)
	}
	return s
}

// constant gives a value of the config the type of its column. A number in a
// BIT or TINYINT(1) column is that number, whatever the catalogue calls it.
func (r *resolver) constant(path string, c *column, text string) any {
	v, err := c.encode(text)
	if err != nil {
		r.fault("%s: %q does not fit column %s (%s)", path, text, c.Name, c.Native)
	}
	return v
}

func (r *resolver) membership(path string, m *model, cfg *Groups) *membership {
	var group *entity
	for _, g := range m.groups {
		if g.typ == cfg.typeName() {
			group = g
		}
	}
	t := r.table(path+".table", cfg.Join.Schema, cfg.Join.Table)
	if t == nil || group == nil {
		return nil
	}
	j := &membership{group: group, name: r.d.QuoteTable(t.Schema, t.Name)}
	j.userCol = r.named(path+".user_column", t, cfg.Join.UserColumn)
	j.groupCol = r.named(path+".group_column", t, cfg.Join.GroupColumn)
	j.constants = r.fixed(path+".values", t, cfg.Join.Values)
	return j
}

func (r *resolver) history(cfg *History) *history {
	t := r.table("history.table", cfg.Schema, cfg.Table)
	if t == nil {
		return nil
	}
	h := &history{name: r.d.QuoteTable(t.Schema, t.Name)}
	h.key = r.named("history.key", t, cfg.Key)
	h.verb = r.named("history.verb", t, cfg.Verb)
	if cfg.Timestamp != "" {
		h.at = r.named("history.timestamp", t, cfg.Timestamp)
	}
	if cfg.Operation != "" {
		h.operation = r.named("history.operation", t, cfg.Operation)
	}
	h.constants = r.fixed("history.values", t, cfg.Values)
	return h
}

// named returns the quoted column of a table that is no object type.
func (r *resolver) named(path string, t *dialect.Table, name string) string {
	if _, ok := t.Column(name); !ok {
		r.fault("%s: table %s has no column %q%s", path, t.Name, name, wording.DidYouMean(name, columnNames(t)))
	}
	return r.d.Quote(name)
}

func (r *resolver) fixed(path string, t *dialect.Table, values []Fixed) []dialect.Value {
	var out []dialect.Value
	for i, v := range values {
		at := fmt.Sprintf("%s[%d]", path, i)
		quoted := r.named(at+".column", t, v.Column)
		c, ok := t.Column(v.Column)
		if !ok {
			continue
		}
		out = append(out, dialect.Value{Column: quoted, Label: v.Column, Value: r.constant(at+".value", r.newColumn(t, c), v.Value)})
	}
	return out
}

func (e *entity) attributeNames() []string {
	var out []string
	for _, c := range e.columns {
		out = append(out, c.attr)
	}
	return out
}
