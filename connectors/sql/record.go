package sql

import (
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// record is one row. Planning changes it along with the statements it writes, so
// that each step of a unit sees what the ones before it did.
type record struct {
	e *entity
	// values are in the order of entity.reading; nil is NULL or not known.
	values []connector.Value
	// fresh: this unit makes the row; its id may not be known before the end.
	fresh bool
	// held are the groups the account is in, id to name, by join table; nil until
	// loaded.
	held map[*membership]map[string]string
}

func newRecord(e *entity) *record {
	return &record{e: e, values: make([]connector.Value, len(e.reading))}
}

func (r *record) get(c *column) connector.Value    { return r.values[c.pos] }
func (r *record) set(c *column, v connector.Value) { r.values[c.pos] = v }

func (r *record) id() string  { return idText(r.get(r.e.id)) }
func (r *record) key() string { return idText(r.get(r.e.key)) }

func idText(v connector.Value) string {
	if ref, ok := v.(connector.Ref); ok {
		return ref.ID
	}
	return connector.Text(v)
}

// deleted reports whether the row is marked as deleted.
func (r *record) deleted() bool {
	s := r.e.soft
	if s == nil {
		return false
	}
	if s.value == nil {
		return r.get(s.column) != nil
	}
	return s.column.identical(r.get(s.column), s.value)
}

// hidden reports whether the hub does not see the row.
func (r *record) hidden() bool { return r.deleted() && !r.e.soft.show }

// state tells whether the account can be used; a deleted one cannot.
func (r *record) state() connector.Enabled {
	switch f := r.e.enabled; {
	case r.deleted():
		return connector.IsDisabled
	case f == nil:
		return connector.EnabledUnknown
	case f.column.identical(r.get(f.column), f.on):
		return connector.IsEnabled
	case f.column.identical(r.get(f.column), f.off):
		return connector.IsDisabled
	}
	return connector.EnabledUnknown
}

// ref names the row for the hub.
func (r *record) ref() connector.Ref {
	ref := connector.Ref{Type: r.e.typ, ID: r.id(), Name: r.key()}
	if r.e.version != nil {
		ref.Version = connector.Text(r.get(r.e.version))
	}
	return ref
}

// object shows the whole row; attributes limits it, nil means all.
func (r *record) object(attributes []string) connector.Object {
	o := connector.Object{Ref: r.ref(), Enabled: r.state()}
	for _, c := range r.e.columns {
		if v := r.get(c); v != nil && (attributes == nil || slices.Contains(attributes, c.attr)) {
			o.Attributes = append(o.Attributes, connector.Attribute{Name: c.attr, Values: connector.Values{v}})
		}
	}
	if r.held != nil {
		o.Grants = []connector.Ref{}
		for _, j := range r.e.joins {
			for id, name := range r.held[j] {
				o.Grants = append(o.Grants, connector.Ref{Type: j.group.typ, ID: id, Name: name})
			}
		}
		slices.SortFunc(o.Grants, func(a, b connector.Ref) int { return strings.Compare(a.Type+"\x00"+a.ID, b.Type+"\x00"+b.ID) })
	}
	return o
}

// isIn reports whether the account is in a group.
func (r *record) isIn(j *membership, group *record) bool {
	_, in := r.held[j][group.id()]
	return in
}

// join notes that the account is in a group from now on.
func (r *record) join(j *membership, group *record) {
	if r.held == nil {
		r.held = map[*membership]map[string]string{}
	}
	if r.held[j] == nil {
		r.held[j] = map[string]string{}
	}
	r.held[j][group.id()] = group.key()
}

// names renders the columns of a SELECT.
func (e *entity) names() []string {
	out := make([]string, len(e.reading))
	for i, c := range e.reading {
		out[i] = c.quoted
	}
	return out
}

// decodeRow makes a record of what the driver read.
func (e *entity) decodeRow(raw []any) *record {
	r := newRecord(e)
	for i, c := range e.reading {
		r.values[i] = c.decode(raw[i])
	}
	return r
}

// equals writes "column = value"; the value is one that encode gave.
func (c *column) equals(v any) func(*dialect.Builder) {
	return func(b *dialect.Builder) { b.Text(c.quoted, " = ").Arg(orElse(c.attr, c.Name), v) }
}
