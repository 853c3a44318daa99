package scim

import "strings"

// AttributeIndex finds the definition of an attribute in what the target told of
// its schemas. nil knows nothing.
type AttributeIndex struct {
	core map[string]SchemaAttribute            // by lower-case name, sub-attributes as "name.sub"
	ext  map[string]map[string]SchemaAttribute // by lower-case URI
}

// NewAttributeIndex indexes schemas. Those of users and groups share the core:
// a name that both have keeps the definition of the first.
func NewAttributeIndex(schemas []Schema) *AttributeIndex {
	a := &AttributeIndex{core: map[string]SchemaAttribute{}, ext: map[string]map[string]SchemaAttribute{}}
	for _, s := range schemas {
		at := a.core
		if !strings.EqualFold(s.ID, coreUser) && !strings.EqualFold(s.ID, coreGroup) {
			at = map[string]SchemaAttribute{}
			a.ext[strings.ToLower(s.ID)] = at
		}
		for _, d := range s.Attributes {
			put(at, d.Name, d)
			for _, sub := range d.SubAttributes {
				put(at, d.Name+"."+sub.Name, sub)
			}
		}
	}
	return a
}

func put(at map[string]SchemaAttribute, name string, d SchemaAttribute) {
	name = strings.ToLower(name)
	if _, there := at[name]; !there {
		at[name] = d
	}
}

// Attribute returns the definition of the attribute at path, filter aside.
func (a *AttributeIndex) Attribute(path Path) (d SchemaAttribute, ok bool) {
	if a == nil {
		return d, false
	}
	at := a.core
	if path.Schema != "" {
		at = a.ext[strings.ToLower(path.Schema)]
	}
	name := path.Attr
	if path.Sub != "" {
		name += "." + path.Sub
	}
	d, ok = at[strings.ToLower(name)]
	return d, ok
}
