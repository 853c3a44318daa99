package scim

import (
	"maps"
	"slices"
	"strings"
)

// apply makes a change on r, which it modifies. ch is normal.
func (a *AttributeIndex) apply(p *Profile, r Resource, ch Change) {
	at := map[string]any(r)
	if ch.Path.Schema != "" {
		name := key(at, ch.Path.Schema)
		ext := object(at[name])
		if ext == nil {
			if ch.clears() {
				return
			}
			ext = map[string]any{}
			at[name] = ext
		}
		at = ext
		r.declare(ch.Path.Schema)
	}
	name := key(at, ch.Path.Attr)
	var v any
	switch {
	case ch.Path.Where != nil:
		v = a.mergeRow(p, list(at[name]), ch)
	case ch.Multi:
		v = a.mergeList(p, list(at[name]), ch)
	case ch.Path.Sub != "":
		v = a.mergeSub(at[name], ch)
	case len(ch.Replace) > 0:
		v = cloneValue(ch.Replace[0])
	}
	if o, rows := object(v), list(v); v == nil || o != nil && len(o) == 0 || o == nil && len(rows) == 0 {
		delete(at, name)
		return
	}
	at[name] = v
}

// declare puts the URI of an extension into schemas (RFC 7643 §3).
func (r Resource) declare(uri string) {
	have := r.Schemas()
	if !slices.ContainsFunc(have, func(s string) bool { return strings.EqualFold(s, uri) }) {
		r[key(r, "schemas")] = list(append(have, uri))
	}
}

// mergeSub sets a sub-attribute of a complex attribute that holds one value.
func (a *AttributeIndex) mergeSub(v any, ch Change) any {
	o := maps.Clone(object(v))
	switch {
	case ch.Path.Names(managerValue) && (ch.clears() || !a.Equal(managerValue, member(o, "value"), ch.Replace[0])):
		o = map[string]any{} // name and address are those of the manager that was
	case o == nil:
		o = map[string]any{}
	}
	setMember(o, ch.Path.Sub, ch.Replace)
	return o
}

func setMember(o map[string]any, name string, replace []any) {
	name = key(o, name)
	if len(replace) == 0 {
		delete(o, name)
		return
	}
	o[name] = cloneValue(replace[0])
}

// mergeList changes an attribute with many values as a whole.
func (a *AttributeIndex) mergeList(p *Profile, rows []any, ch Change) any {
	var out []any
	switch {
	case !ch.Delta:
		for _, v := range onePrimary(slices.Clone(ch.Replace), ch) {
			if i := a.rowIndex(out, ch.Path, v); i >= 0 {
				out[i] = mergedRow(out[i], v) // the same said twice
				continue
			}
			out = append(out, a.rowOf(rows, ch.Path, v))
		}
	default:
		for _, row := range rows {
			if !slices.ContainsFunc(ch.Remove, func(v any) bool { return a.isRow(ch.Path, row, v) }) {
				out = append(out, row)
			}
		}
		for _, v := range onePrimary(slices.Clone(ch.Add), ch) {
			if i := a.rowIndex(out, ch.Path, v); i >= 0 {
				out[i] = mergedRow(out[i], v)
				continue
			}
			if ch.Path.in(p.SingleValued) {
				out = nil
			}
			out = append(out, a.rowOf(nil, ch.Path, v))
		}
	}
	return onePrimary(out, ch)
}

// rowOf returns the row among rows that v means, with what the target knows
// besides, or a new one.
func (a *AttributeIndex) rowOf(rows []any, path Path, v any) any {
	if i := a.rowIndex(rows, path, v); i >= 0 {
		return mergedRow(rows[i], v)
	}
	if path.Sub != "" && object(v) == nil {
		return map[string]any{path.Sub: v}
	}
	return cloneValue(v)
}

// rowIndex returns where the row that v means is among rows, -1 when there is none.
func (a *AttributeIndex) rowIndex(rows []any, path Path, v any) int {
	return slices.IndexFunc(rows, func(row any) bool { return a.isRow(path, row, v) })
}

// mergedRow lays what is given over what is there.
func mergedRow(row, given any) any {
	o, g := maps.Clone(object(row)), object(given)
	if o == nil || g == nil {
		return row
	}
	for k, v := range g {
		o[key(o, k)] = cloneValue(v)
	}
	return o
}

// isRow reports whether row is the one that v means: by value where both have one,
// and by type where v has one.
func (a *AttributeIndex) isRow(path Path, row, v any) bool {
	value := Path{Schema: path.Schema, Attr: path.Attr, Sub: "value"}
	o, g := object(row), object(v)
	switch {
	case o == nil && g != nil:
		return a.Equal(value, row, member(g, "value"))
	case o == nil:
		return a.Equal(value, row, v)
	case g == nil:
		return a.Equal(value, member(o, "value"), v)
	}
	if member(g, "value") == nil {
		return a.Equal(path.Bare(), row, v)
	}
	typ := Path{Schema: path.Schema, Attr: path.Attr, Sub: "type"}
	return a.Equal(value, member(o, "value"), member(g, "value")) &&
		(member(g, "type") == nil || a.Equal(typ, member(o, "type"), member(g, "type")))
}

// mergeRow changes the rows that pass a filter; the first value makes the row.
func (a *AttributeIndex) mergeRow(p *Profile, rows []any, ch Change) any {
	var out []any
	hit := false
	for _, row := range rows {
		if !matches(ch.Path.Where, row, ch.Path.Bare(), a) {
			out = append(out, row)
			continue
		}
		hit = true
		if ch.dropsRow() {
			continue
		}
		out = append(out, changedRow(row, ch))
	}
	if !hit && !ch.clears() {
		row := newRow(ch)
		if ch.Path.in(p.SingleValued) {
			out = nil
		}
		out = append(out, row)
	}
	return onePrimary(out, ch)
}

// dropsRow reports whether nothing worth keeping is left of a row: its value goes.
func (ch Change) dropsRow() bool {
	return ch.clears() && (ch.Path.Sub == "" || strings.EqualFold(ch.Path.Sub, "value"))
}

func changedRow(row any, ch Change) any {
	o := maps.Clone(object(row))
	if o == nil {
		o = map[string]any{}
	}
	if ch.Path.Sub == "" {
		return mergedRow(o, ch.Replace[0])
	}
	setMember(o, ch.Path.Sub, ch.Replace)
	return o
}

// newRow makes the row that a filter such as [type eq "work"] asks for.
func newRow(ch Change) any {
	o := map[string]any{}
	for _, c := range equalities(ch.Path.Where) {
		o[c.Path.Attr] = c.Value
	}
	return changedRow(o, ch)
}

// equalities returns what a row must hold to pass f, as far as f says so.
func equalities(f Filter) []Compare {
	switch x := f.(type) {
	case Compare:
		if x.Op == OpEqual {
			return []Compare{x}
		}
	case And:
		var out []Compare
		for _, e := range x {
			out = append(out, equalities(e)...)
		}
		return out
	}
	return nil
}

// onePrimary leaves at most one row primary (RFC 7643 §2.4): the last that the
// change asks for, else the first that was so.
func onePrimary(rows []any, ch Change) []any {
	wanted, count := -1, 0
	for i, row := range rows {
		if isPrimary(row) {
			count++
			if wanted < 0 || ch.wants(row) {
				wanted = i
			}
		}
	}
	if count < 2 {
		return rows
	}
	for i, row := range rows {
		if i != wanted && isPrimary(row) {
			o := maps.Clone(object(row))
			o[key(o, "primary")] = false
			rows[i] = o
		}
	}
	return rows
}

// wants reports whether the change itself makes row primary.
func (ch Change) wants(row any) bool {
	if ch.Path.Where != nil {
		return matches(ch.Path.Where, row, ch.Path.Bare(), nil) && (strings.EqualFold(ch.Path.Sub, "primary") || ch.Path.Sub == "")
	}
	return slices.ContainsFunc(ch.Add, func(v any) bool { return isPrimary(v) && (*AttributeIndex)(nil).isRow(ch.Path, row, v) })
}
