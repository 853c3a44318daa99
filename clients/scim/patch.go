package scim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

const patchSchema = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

// PatchOp is one operation of a PATCH (RFC 7644 §3.5.2).
type PatchOp struct {
	Op    string
	Path  string // "": none
	Value any
	Bare  bool // no value at all; nil is null
}

// MarshalJSON implements [json.Marshaler].
func (o PatchOp) MarshalJSON() ([]byte, error) {
	if o.Bare {
		return json.Marshal(struct {
			Op   string `json:"op"`
			Path string `json:"path,omitempty"`
		}{o.Op, o.Path})
	}
	return json.Marshal(struct {
		Op    string `json:"op"`
		Path  string `json:"path,omitempty"`
		Value any    `json:"value"`
	}{o.Op, o.Path, o.Value})
}

// patchBody is a PATCH request.
func patchBody(ops []PatchOp) map[string]any {
	return map[string]any{"schemas": []string{patchSchema}, "Operations": ops}
}

// edit is one step towards what is wanted, before it gets a shape.
type edit struct {
	op    string // add, replace, remove
	path  Path
	value any
	of    []Change // those it carries out
}

// patches turns the changes into PATCH requests. wanted is the resource with all of
// them made; it is only looked at where the profile needs the resource as it was.
func (plan *updatePlan) patches(set *state, wanted Resource) error {
	p := set.profile
	edits, err := p.edits(set.schema, plan.u.Current, wanted, plan.changes)
	if err != nil {
		return err
	}
	ops, of := p.shape(edits)
	size := len(ops)
	if p.PatchMaxOps > 0 {
		size = p.PatchMaxOps
	}
	plan.several = len(plan.changes) > 1 && len(ops) > 0
	for i := 0; i < len(ops); i += size {
		end := min(i+size, len(ops))
		if err := plan.add(p, http.MethodPatch, patchBody(ops[i:end]), slices.Concat(of[i:end]...)); err != nil {
			return err
		}
	}
	return nil
}

// edits works out the steps: those of one attribute together.
func (p *Profile) edits(a *AttributeIndex, current, wanted Resource, changes []Change) ([]edit, error) {
	var out []edit
	for i, ch := range changes {
		sameAttr := func(o Change) bool { return o.Path.Bare().Names(ch.Path.Bare()) }
		if slices.ContainsFunc(changes[:i], sameAttr) {
			continue // done with the first of them
		}
		var group []Change
		for _, o := range changes[i:] {
			if sameAttr(o) {
				group = append(group, o)
			}
		}
		if ch.Multi && slices.ContainsFunc(group, func(o Change) bool { return p.wholesale(a, current, wanted, o) }) {
			out = append(out, whole(wanted, group))
			continue
		}
		out = append(out, p.small(a, current, group)...)
	}
	for _, e := range out {
		if e.op == "remove" && e.path.Where == nil && p.ClearStyle == ClearUnsupported {
			return nil, refused(connector.CodeUnsupported, e.path, "cannot be emptied on this target (profile %s, clear_style)", p.Name)
		}
	}
	return out, nil
}

// wholesale reports whether a change of a list is made by sending the whole list:
// the shape has no way to name its rows, or another row must stop being primary.
func (p *Profile) wholesale(a *AttributeIndex, current, wanted Resource, ch Change) bool {
	switch {
	case p.PatchStyle == PatchPathlessObject || p.PatchStyle == PatchPathlessSingle:
		return true
	case ch.Path.in(p.SingleValued):
		return true
	case ch.Path.Where == nil && !ch.Delta:
		return true
	case current != nil && primaryMoves(current, wanted, ch.Path):
		return true
	case ch.Path.Where != nil:
		return !p.allowsPathFilter(ch.Path.Where)
	}
	return len(ch.Remove) > 0 && p.PathFilters != PathFiltersFull
}

// primaryMoves reports whether a row that was primary is not so any more.
func primaryMoves(current, wanted Resource, path Path) bool {
	now := wanted.Values(path.Bare())
	for _, row := range current.Values(path.Bare()) {
		if isPrimary(row) && slices.ContainsFunc(now, func(o any) bool {
			return !isPrimary(o) && textOf(member(object(o), "value")) == textOf(member(object(row), "value")) && textOf(member(object(o), "type")) == textOf(member(object(row), "type"))
		}) {
			return true
		}
	}
	return false
}

// allowsPathFilter reports whether a PATCH path may hold f.
func (p *Profile) allowsPathFilter(f Filter) bool {
	switch p.PathFilters {
	case PathFiltersFull:
		return true
	case PathFiltersTypeOnly:
		c, ok := f.(Compare)
		return ok && c.Op == OpEqual && strings.EqualFold(c.Path.Attr, "type")
	}
	return false
}

// whole replaces a list by what is wanted.
func whole(wanted Resource, group []Change) edit {
	path := group[0].Path.Bare()
	rows := wanted.Values(path)
	if len(rows) == 0 {
		return edit{op: "remove", path: path, of: group}
	}
	return edit{op: "replace", path: path, value: rows, of: group}
}

// small makes a step for each change of one attribute, and one for all new rows.
func (p *Profile) small(a *AttributeIndex, current Resource, group []Change) []edit {
	var out []edit
	var added edit
	for _, ch := range group {
		rows := []any(nil)
		switch {
		case ch.Path.Where != nil && p.PatchStyle == PatchDotted && current == nil:
			out = append(out, one(ch, ch.Path))
		case ch.Path.Where != nil:
			at := ch.Path
			if ch.dropsRow() {
				at.Sub = ""
			}
			have := Resource{at.Attr: current.Values(at.Bare())}.Values(Path{Attr: at.Attr, Where: at.Where})
			switch {
			case len(have) > 0:
				out = append(out, one(ch, at))
			case p.PatchStyle == PatchDotted && !ch.clears():
				out = append(out, edit{op: "add", path: at, value: ch.Replace[0], of: []Change{ch}})
			case !ch.clears():
				rows = []any{newRow(ch)}
			}
		case ch.Multi:
			for _, v := range ch.Remove {
				out = append(out, edit{op: "remove", path: rowPath(ch.Path, v), of: []Change{ch}})
			}
			for _, v := range ch.Add {
				rows = append(rows, a.rowOf(nil, ch.Path, v))
			}
		default:
			out = append(out, one(ch, ch.Path))
		}
		if len(rows) > 0 {
			added.of = append(added.of, ch)
			added.op, added.path = "add", ch.Path.Bare()
			added.value = append(list(added.value), rows...)
		}
	}
	if added.op != "" {
		out = append(out, added)
	}
	return out
}

// one sets or clears what is at path.
func one(ch Change, path Path) edit {
	if ch.clears() {
		if path.Names(managerValue) {
			path.Sub = "" // a manager without an id is none
		}
		return edit{op: "remove", path: path, of: []Change{ch}}
	}
	return edit{op: "replace", path: path, value: ch.Replace[0], of: []Change{ch}}
}

// rowPath names the row that a delta removes.
func rowPath(path Path, v any) Path {
	bare := path.Bare()
	o := object(v)
	if o == nil {
		bare.Where = Compare{Path: Path{Attr: "value"}, Op: OpEqual, Value: v}
		return bare
	}
	var all And
	for _, name := range []string{"value", "type"} {
		if x := member(o, name); x != nil {
			all = append(all, Compare{Path: Path{Attr: name}, Op: OpEqual, Value: x})
		}
	}
	bare.Where = all
	return bare
}
