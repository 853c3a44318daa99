package scim

import (
	"strings"
)

// shape gives edits the form that the profile asks for. of are, by operation, the
// changes that it carries out.
func (p *Profile) shape(edits []edit) (ops []PatchOp, of [][]Change) {
	objects := map[string]int{} // index of the operation that collects, by what it collects
	put := func(collect string, op PatchOp, e edit) map[string]any {
		i, there := objects[collect]
		if !there {
			i = len(ops)
			objects[collect] = i
			op.Value = map[string]any{}
			ops, of = append(ops, op), append(of, nil)
		}
		of[i] = append(of[i], e.of...)
		return ops[i].Value.(map[string]any)
	}
	for _, e := range edits {
		e = p.manager(p.cleared(e))
		op := PatchOp{Op: p.op(e.op)}
		switch {
		case e.op == "remove" || p.PatchStyle == PatchPerPath || isList(e.value):
			// A list always says where it goes: in an object without path some services
			// add it to what is there.
			ops, of = append(ops, p.atPath(e)), append(of, e.of)
		case p.PatchStyle == PatchDotted:
			put(e.op, op, e)[e.path.text(p.separator())] = p.value(e)
		case p.PatchStyle == PatchPathlessSingle:
			nest(put(e.op+" "+e.path.Bare().String(), op, e), e.path, p.value(e))
		default:
			nest(put(e.op, op, e), e.path, p.value(e))
		}
	}
	return ops, of
}

func isList(v any) bool {
	_, ok := v.([]any)
	return ok
}

// atPath is an operation that names its path.
func (p *Profile) atPath(e edit) PatchOp {
	op := PatchOp{Op: p.op(e.op), Path: e.path.text(p.separator())}
	if e.op == "remove" {
		op.Bare = true
		return op
	}
	op.Value = p.value(e)
	return op
}

// nest puts a value where its path says: name.givenName becomes {"name":
// {"givenName": …}}.
func nest(at map[string]any, path Path, value any) {
	down := func(name string) {
		next := object(at[name])
		if next == nil {
			next = map[string]any{}
			at[name] = next
		}
		at = next
	}
	if path.Schema != "" {
		down(path.Schema)
	}
	if path.Sub == "" {
		at[path.Attr] = value
		return
	}
	down(path.Attr)
	at[path.Sub] = value
}

// cleared turns a removal into what empties an attribute on this target. A row is
// always removed: it has no value to be emptied.
func (p *Profile) cleared(e edit) edit {
	if e.op != "remove" || e.path.Where != nil && e.path.Sub == "" {
		return e
	}
	switch p.ClearStyle {
	case ClearNull:
		e.op, e.value = "replace", nil
	case ClearEmptyString:
		e.op, e.value = "replace", ""
	}
	return e
}

// manager gives the manager the form that the profile asks for.
func (p *Profile) manager(e edit) edit {
	if !e.path.Names(managerValue) || e.op == "remove" {
		return e
	}
	switch p.ManagerStyle {
	case ManagerObject:
		e.path.Sub, e.value = "", map[string]any{"value": e.value}
	case ManagerString:
		e.path.Sub = ""
	}
	return e
}

// value is what an edit sends.
func (p *Profile) value(e edit) any {
	if e.path.Names(Path{Attr: "active"}) {
		return p.boolean(e.value)
	}
	return e.value
}

func (p *Profile) op(word string) string {
	if p.OpCase == OpCapital {
		return strings.ToUpper(word[:1]) + word[1:]
	}
	return word
}
