package fakescim

import (
	"net/http"
	"strings"

	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/query"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// The operations of a PATCH, in lower case.
const (
	opAdd     = "add"
	opReplace = "replace"
	opRemove  = "remove"
)

// patchOp is one operation of a PATCH (RFC 7644 §3.5.2).
type patchOp struct {
	op       string // in lower case
	written  string // as it came
	path     *query.Path
	field    schema.Field // what path names
	value    any
	hasValue bool
}

// about reports whether the operation names the attribute, by path or as the key
// of a path-less value.
func (o *patchOp) about(name string) bool {
	if o.path != nil {
		return o.field.URN == "" && o.field.Attr != nil && o.field.Attr.Name == name
	}
	m, _ := o.value.(map[string]any)
	_, ok := fieldOf(m, name)
	return ok
}

// patch changes a resource in place: all operations take effect, or none.
func (s *Server) patch(q *request) (*reply, error) {
	p, err := projectionOf(q)
	if err != nil {
		return nil, err
	}
	ops, err := q.operations()
	if err != nil {
		return nil, err
	}
	if err := q.rules.patch(q.typ, ops); err != nil {
		return nil, err
	}
	status := http.StatusOK
	if q.typ.Name == "Group" && p.only == nil {
		status = http.StatusNoContent // members may be many
	}
	return s.change(q, p, status, func(d *directory.Draft) error {
		e := &editor{server: s, q: q, draft: d}
		for _, o := range ops {
			if err := e.apply(o); err != nil {
				return err
			}
		}
		return nil
	})
}

// operations reads the body of a PATCH.
func (q *request) operations() ([]patchOp, error) {
	if !follows(q.body, urnPatch) {
		return nil, schema.Bad(schema.InvalidSyntax, "schemas does not list %s", urnPatch)
	}
	list, _ := field(q.body, "Operations").([]any)
	if len(list) == 0 {
		return nil, schema.Bad(schema.InvalidSyntax, "Operations is missing or empty")
	}
	out := make([]patchOp, len(list))
	for i, x := range list {
		m, ok := x.(map[string]any)
		if !ok {
			return nil, schema.Bad(schema.InvalidSyntax, "Operations: an object is needed")
		}
		o, err := q.operation(m)
		if err != nil {
			return nil, err
		}
		out[i] = o
	}
	return out, nil
}

func (q *request) operation(m map[string]any) (patchOp, error) {
	var o patchOp
	o.written, _ = field(m, "op").(string)
	o.op = strings.ToLower(o.written)
	if !contains([]string{opAdd, opReplace, opRemove}, o.op) {
		return o, schema.Bad(schema.InvalidSyntax, "op is add, replace or remove, not %q", o.written)
	}
	o.value, o.hasValue = fieldOf(m, "value")
	if o.op != opRemove && !o.hasValue {
		return o, schema.Bad(schema.InvalidValue, "%s: value is missing", o.op)
	}
	path, has := fieldOf(m, "path")
	switch text, isText := path.(string); {
	case has && !isText:
		return o, schema.Bad(schema.InvalidPath, "path is no text")
	case has && text != "":
		return o, q.target(&o, text)
	case o.op == opRemove:
		return o, schema.Bad(schema.NoTarget, "remove needs a path")
	}
	if _, ok := o.value.(map[string]any); !ok {
		return o, schema.Bad(schema.InvalidValue, "%s without path: value must be an object", o.op)
	}
	return o, nil
}

// target reads the path of an operation and finds what it names.
func (q *request) target(o *patchOp, text string) error {
	text, err := q.rules.unseparated(q.typ, text)
	if err != nil {
		return err
	}
	return q.locate(o, text)
}

// locate is target for a path as the RFC writes it.
func (q *request) locate(o *patchOp, text string) error {
	p, err := query.ParsePath(text)
	if err != nil {
		return schema.Bad(schema.InvalidPath, "path: %v", err)
	}
	f, ok := q.typ.Resolve(p.Attr)
	if !ok {
		return schema.Bad(schema.InvalidPath, "path: a %s has no attribute %s", q.typ.Name, p.Attr)
	}
	if p.Sub != "" {
		if f.Attr == nil || f.Sub != nil {
			return schema.Bad(schema.InvalidPath, "path: %s has no sub-attribute %s", p.Attr, p.Sub)
		}
		if f.Sub = f.Attr.Sub(p.Sub); f.Sub == nil {
			return schema.Bad(schema.InvalidPath, "path: %s has no sub-attribute %s", p.Attr, p.Sub)
		}
	}
	if p.Filter != nil && (f.Attr == nil || !f.Attr.MultiValued || !f.Attr.Complex()) {
		return schema.Bad(schema.InvalidPath, "path: %s has no values to choose from", p.Attr)
	}
	o.path, o.field = &p, f
	return nil
}
