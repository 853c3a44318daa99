package schema

import (
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/query"
)

// Extension is a schema beside the main one of a resource type.
type Extension struct {
	*Document
	Required bool
}

// Type is a resource type (RFC 7643 §6).
type Type struct {
	Name       string // User, Group
	Endpoint   string // such as /Users
	Core       *Document
	Extensions []Extension
}

// Users returns the resource type User with the enterprise extension.
func Users() *Type {
	return &Type{Name: "User", Endpoint: "/Users", Core: mustStandard("user"), Extensions: []Extension{{Document: mustStandard("enterprise")}}}
}

// Groups returns the resource type Group.
func Groups() *Type {
	return &Type{Name: "Group", Endpoint: "/Groups", Core: mustStandard("group")}
}

// common are the attributes that every resource has (RFC 7643 §3.1).
var common = []*Attr{
	{Name: "schemas", Type: "reference", MultiValued: true, CaseExact: true, Required: true, Mutability: "readWrite", Returned: "always"},
	{Name: "id", Type: "string", CaseExact: true, Mutability: "readOnly", Returned: "always", Uniqueness: "server"},
	{Name: "externalId", Type: "string", CaseExact: true, Mutability: "readWrite", Returned: "default"},
	{Name: "meta", Type: "complex", Mutability: "readOnly", Returned: "default", SubAttributes: []*Attr{
		{Name: "resourceType", Type: "string", CaseExact: true, Mutability: "readOnly", Returned: "default"},
		{Name: "created", Type: "dateTime", Mutability: "readOnly", Returned: "default"},
		{Name: "lastModified", Type: "dateTime", Mutability: "readOnly", Returned: "default"},
		{Name: "location", Type: "reference", Mutability: "readOnly", Returned: "default"},
		{Name: "version", Type: "string", CaseExact: true, Mutability: "readOnly", Returned: "default"},
	}},
}

// Field is an attribute of a resource type. With Attr nil it is a whole extension.
type Field struct {
	URN  string // of the extension; "": core and common attributes
	Attr *Attr
	Sub  *Attr // nil: the attribute itself
}

// String returns the name in the schema's spelling.
func (f Field) String() string {
	if f.Attr == nil {
		return f.URN
	}
	a := query.Attr{URI: f.URN, Name: f.Attr.Name}
	if f.Sub != nil {
		a.Sub = f.Sub.Name
	}
	return a.String()
}

// Leaf returns the sub-attribute, else the attribute.
func (f Field) Leaf() *Attr {
	if f.Sub != nil {
		return f.Sub
	}
	return f.Attr
}

// Extension returns the extension with the URN, in any case.
func (t *Type) Extension(urn string) (Extension, bool) {
	i := slices.IndexFunc(t.Extensions, func(e Extension) bool { return strings.EqualFold(e.ID, urn) })
	if i < 0 {
		return Extension{}, false
	}
	return t.Extensions[i], true
}

// Top returns the core or common attribute called name; nil when there is none.
func (t *Type) Top(name string) *Attr {
	if a := find(common, name); a != nil {
		return a
	}
	return t.Core.Attr(name)
}

// Resolve finds the attribute that a names. ok is false when the type has none.
func (t *Type) Resolve(a query.Attr) (f Field, ok bool) {
	if a.Sub == "" && a.URI != "" {
		if e, ok := t.Extension(a.URI + ":" + a.Name); ok {
			return Field{URN: e.ID}, true
		}
	}
	switch e, isExt := t.Extension(a.URI); {
	case isExt:
		f = Field{URN: e.ID, Attr: e.Attr(a.Name)}
	case a.URI == "" || strings.EqualFold(a.URI, t.Core.ID):
		f.Attr = t.Top(a.Name)
	}
	if f.Attr == nil {
		return Field{}, false
	}
	if a.Sub != "" {
		f.Sub = f.Attr.Sub(a.Sub)
		return f, f.Sub != nil
	}
	return f, true
}

// Fields returns all attributes that the document of the type and its extensions have.
func (t *Type) Fields() []Field {
	var out []Field
	for _, a := range t.Core.Attributes {
		out = append(out, Field{Attr: a})
	}
	for _, e := range t.Extensions {
		for _, a := range e.Attributes {
			out = append(out, Field{URN: e.ID, Attr: a})
		}
	}
	return out
}
