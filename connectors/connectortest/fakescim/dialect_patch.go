package fakescim

import (
	"strings"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/query"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// patch holds the operations of a PATCH against the dialect.
func (r *rules) patch(t *schema.Type, ops []patchOp) error {
	if r.PatchMaxOps > 0 && len(ops) > r.PatchMaxOps {
		return schema.Bad(schema.TooMany, "a PATCH has at most %d operations", r.PatchMaxOps)
	}
	for i := range ops {
		o := &ops[i]
		for _, check := range []func(*patchOp) error{r.opWritten, r.patchShape, r.pathFilter, r.clearing, r.patchBooleans, r.managerShape} {
			if err := check(o); err != nil {
				return err
			}
		}
	}
	if t.Name == "Group" {
		return r.memberChanges(ops)
	}
	return nil
}

func (r *rules) opWritten(o *patchOp) error {
	if !r.declared("op_case") {
		return nil
	}
	want := o.op
	if r.OpCase == scim.OpCapital {
		want = strings.ToUpper(want[:1]) + want[1:]
	}
	if o.written != want {
		return schema.Bad(schema.InvalidSyntax, "op: %q is needed, not %q", want, o.written)
	}
	return nil
}

// patchShape says whether an operation that adds or replaces has the form that
// the dialect reads. A list may name its path in each.
func (r *rules) patchShape(o *patchOp) error {
	_, isList := o.value.([]any)
	if !r.declared("patch_style") || o.op == opRemove || isList || o.about("members") {
		return nil
	}
	m, _ := o.value.(map[string]any)
	switch {
	case r.PatchStyle == scim.PatchPerPath && o.path == nil && len(m) > 1:
		return schema.Bad(schema.InvalidSyntax, "an operation without path changes one attribute, not %d", len(m))
	case r.PatchStyle == scim.PatchPathlessSingle && (o.path != nil || len(m) != 1):
		return schema.Bad(schema.InvalidSyntax, "an operation has no path and changes one attribute")
	case (r.PatchStyle == scim.PatchPathlessObject || r.PatchStyle == scim.PatchDotted) && o.path != nil:
		return schema.Bad(schema.InvalidPath, "an operation has no path and changes the attributes of an object")
	}
	return nil
}

// dotted reports whether the names in a path-less value may be paths.
func (r *rules) dotted() bool { return r.PatchStyle == scim.PatchDotted }

// pathFilter says whether the dialect reads the filter of a path.
func (r *rules) pathFilter(o *patchOp) error {
	if o.path == nil || o.path.Filter == nil || o.about("members") {
		return nil
	}
	switch r.PathFilters {
	case scim.PathFiltersNone:
		return schema.Bad(schema.InvalidPath, "filters in a path are not supported")
	case scim.PathFiltersTypeOnly:
		c, ok := o.path.Filter.(query.Compare)
		if !ok || c.Op != query.Equal || !equalFold(c.Attr.String(), "type") {
			return schema.Bad(schema.InvalidPath, `the only filter in a path is [type eq "…"]`)
		}
	}
	return nil
}

// clearing says whether an attribute may be emptied this way.
func (r *rules) clearing(o *patchOp) error {
	if !r.declared("clear_style") || o.about("members") {
		return nil
	}
	removes := o.op == opRemove && (o.path == nil || o.path.Filter == nil)
	empties := o.op != opRemove && o.path != nil && (o.value == nil || o.value == "")
	switch {
	case r.ClearStyle == scim.ClearUnsupported && (removes || empties):
		return schema.Bad(schema.InvalidValue, "an attribute cannot be emptied")
	case removes && r.ClearStyle != scim.ClearRemove:
		return schema.Bad(schema.InvalidSyntax, "remove is not supported")
	case empties && r.ClearStyle == scim.ClearRemove, empties && r.ClearStyle == scim.ClearNull && o.value == "", empties && r.ClearStyle == scim.ClearEmptyString && o.value == nil:
		return schema.Bad(schema.InvalidValue, "the value is empty")
	}
	return nil
}

// patchBooleans says whether active is written as the dialect wants it.
func (r *rules) patchBooleans(o *patchOp) error {
	if o.op == opRemove || !o.about("active") {
		return nil
	}
	v := o.value
	if o.path == nil {
		v, _ = fieldOf(v.(map[string]any), "active")
	}
	return r.boolean("active", v)
}

// managerShape says whether a manager is set the way that the dialect reads.
func (r *rules) managerShape(o *patchOp) error {
	if !r.declared("manager_style") || o.op == opRemove || o.path == nil || o.field.Attr == nil || o.field.Attr.Name != "manager" {
		return nil
	}
	_, isText := o.value.(string)
	good := map[scim.ManagerStyle]bool{
		scim.ManagerSubPath: o.field.Sub != nil && isText,
		scim.ManagerString:  o.field.Sub == nil && isText,
		scim.ManagerObject:  o.field.Sub == nil && !isText,
	}
	if !good[r.ManagerStyle] {
		return schema.Bad(schema.InvalidValue, "manager is not set this way")
	}
	return nil
}

// managed turns the text that some set a manager by into the object that it is.
func (r *rules) managed(a *schema.Attr, v any) any {
	if id, ok := v.(string); ok && a.Name == "manager" && r.ManagerStyle == scim.ManagerString {
		return map[string]any{"value": id}
	}
	return v
}

// managers does so in the body of a POST or PUT.
func (r *rules) managers(body map[string]any) {
	ext, _ := field(body, schema.EnterpriseURN).(map[string]any)
	for k, v := range ext {
		if equalFold(k, "manager") && r.ManagerStyle == scim.ManagerString {
			ext[k] = r.managed(&schema.Attr{Name: "manager"}, v)
		}
	}
}

// take empties an attribute.
func (r *rules) take(home map[string]any, a *schema.Attr) error {
	if a.Required {
		return schema.Bad(schema.InvalidValue, "%s is required", a.Name)
	}
	delete(home, a.Name)
	return nil
}

// unseparated returns a path with the colon between schema and attribute, where
// the dialect has a dot.
func (r *rules) unseparated(t *schema.Type, path string) (string, error) {
	if r.ExtSep != scim.SepDot {
		return path, nil
	}
	for _, e := range t.Extensions {
		if len(path) <= len(e.ID) || !equalFold(path[:len(e.ID)], e.ID) {
			continue
		}
		if path[len(e.ID)] != '.' {
			return "", schema.Bad(schema.InvalidPath, "path: a dot is needed after %s", e.ID)
		}
		return e.ID + ":" + path[len(e.ID)+1:], nil
	}
	return path, nil
}
