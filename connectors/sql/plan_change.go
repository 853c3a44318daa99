package sql

import (
	"fmt"
	"slices"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// update writes the attributes that differ, and only those.
func (p *planner) update(op connector.Update) error {
	r, err := p.target(op.Target)
	if err != nil {
		return err
	}
	if err := p.unmoved(r, op.IfVersion); err != nil {
		return err
	}
	where := p.here(r)
	var values []dialect.Value
	for _, ch := range op.Changes {
		c, err := p.attribute(r.e, ch.Name)
		if err != nil {
			return err
		}
		v, err := p.change(r, c, ch)
		if err != nil {
			return err
		}
		if v != nil {
			values = append(values, *v)
		}
	}
	if len(values) > 0 {
		p.do(p.m.d.Update(r.e.name, values, where), expectOne)
	}
	return nil
}

// unmoved holds a conditional write against the version of the row.
func (p *planner) unmoved(r *record, version string) error {
	switch {
	case version == "" || p.blind:
		return nil
	case r.e.version == nil:
		return &connector.Error{Code: connector.CodeUnsupported, Message: "a conditional write needs a column for the version; set version for " + r.e.typ + " in its config"}
	case version != r.ref().Version:
		return &connector.Error{Code: connector.CodeVersionConflict, Message: "the row was changed by somebody else since it was read"}
	}
	return nil
}

// change returns what to write for one attribute, nil when it is so already.
func (p *planner) change(r *record, c *column, ch connector.Change) (*dialect.Value, error) {
	want := ch.Replace
	if ch.Delta {
		want = c.merge(r.get(c), ch)
	}
	want, err := p.refer(c, want)
	if err != nil {
		return nil, err
	}
	if c == r.e.key && len(want) == 1 {
		if err := p.free(r, connector.Text(want[0])); err != nil {
			return nil, err
		}
	}
	bound, err := c.encodeAll(want)
	if err != nil {
		return nil, err
	}
	next := c.decode(bound)
	if c == r.e.key && next == nil {
		return nil, c.invalid("is the natural key and cannot be cleared")
	}
	if !p.blind && c.identical(r.get(c), next) {
		return nil, nil
	}
	r.set(c, next)
	return &dialect.Value{Column: c.quoted, Label: c.attr, Value: bound}, nil
}

// merge applies a delta to the one value of a column. Removing a value that is
// not there changes nothing.
func (c *column) merge(have connector.Value, ch connector.Change) connector.Values {
	var out connector.Values
	if have != nil && !slices.ContainsFunc(ch.Remove, func(v connector.Value) bool { return c.same(have, v) }) {
		out = append(out, have)
	}
	for _, v := range ch.Add {
		if !slices.ContainsFunc(out, func(o connector.Value) bool { return c.identical(o, v) }) {
			out = append(out, v)
		}
	}
	return out
}

// free sees that nobody else holds a key that r is to get.
func (p *planner) free(r *record, key string) error {
	if p.blind {
		return nil
	}
	for _, other := range p.snap.find(r.e, r.e.key, key) {
		if other != r {
			ref := other.ref()
			return &connector.Error{Code: connector.CodeAlreadyExists, Conflicting: &ref, Attributes: []string{r.e.key.attr},
				Message: fmt.Sprintf("another %s holds the new %s", r.e.typ, r.e.key.attr)}
		}
	}
	return nil
}

// rename is an update of the key.
func (p *planner) rename(op connector.Rename) error {
	if op.NewContainer != "" {
		return unsupported(connector.VerbRename, " to another container: a table has none")
	}
	e := p.m.entity(op.Target.Type)
	if e == nil {
		return p.unknownType(op.Target.Type)
	}
	return p.update(connector.Update{Call: op.Call, Target: op.Target,
		Changes: []connector.Change{{Name: e.key.attr, Replace: connector.Values{op.NewName}}}})
}

// setEnabled writes the state column. A row that is shown although it is marked
// as deleted loses the mark when it is enabled.
func (p *planner) setEnabled(op connector.SetEnabled) error {
	r, err := p.target(op.Target)
	if err != nil {
		return err
	}
	want := connector.EnabledIf(op.Enabled)
	if r.e.enabled == nil {
		return unsupported(op.Verb(), "; set users.enabled in its config")
	}
	if err := p.unmoved(r, op.IfVersion); err != nil {
		return err
	}
	if r.state() == want && !p.blind {
		return nil
	}
	where := p.here(r)
	var values []dialect.Value
	if r.deleted() && op.Enabled {
		p.revive(r, connector.Create{Enabled: want}, nil)
		return nil
	}
	if v, ok := p.stateValue(r, want); ok {
		values = append(values, v)
	}
	p.do(p.m.d.Update(r.e.name, values, where), expectOne)
	return nil
}
