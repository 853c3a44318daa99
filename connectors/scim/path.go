package scim

import (
	"errors"

	client "github.com/provhub/provhub/clients/scim"
)

// parsePath reads the path of an attribute of the config. Only paths that can be
// written as well as read are taken: a value filter is one equality.
func parsePath(text string) (client.Path, error) {
	p, err := client.ParsePath(text)
	if err != nil {
		return p, err
	}
	if _, _, ok := picked(p); p.Where != nil && !ok {
		return p, errors.New(`which row is meant must be said by one equality, such as [type eq "work"]`)
	}
	if p.Where != nil && p.Sub == "" {
		return p, errors.New(`says which row and not which part of it; end it with .value`)
	}
	return p, nil
}

// picked returns the sub-attribute and the value by which a path picks rows of a
// multi-valued attribute: type and "work". ok is false when it picks none.
func picked(p client.Path) (sub string, value any, ok bool) {
	c, ok := p.Where.(client.Compare)
	if !ok || c.Op != client.OpEqual || c.Path.Schema != "" || c.Path.Sub != "" {
		return "", nil, false
	}
	return c.Path.Attr, c.Value, true
}

// put writes values to where path leads in a resource that is being made. Rows
// of a multi-valued attribute that several paths lead to become one.
func put(r client.Resource, path client.Path, multi bool, values []any) {
	at := map[string]any(r)
	if path.Schema != "" {
		at = object(at, path.Schema)
	}
	sub, value, picks := picked(path)
	switch {
	case picks:
		row(at, path.Attr, sub, value)[path.Sub] = values[0]
	case multi && path.Sub != "":
		rows, _ := at[path.Attr].([]any)
		for _, v := range values {
			rows = append(rows, map[string]any{path.Sub: v})
		}
		at[path.Attr] = rows
	case multi:
		at[path.Attr] = values
	case path.Sub != "":
		object(at, path.Attr)[path.Sub] = values[0]
	default:
		at[path.Attr] = values[0]
	}
}

// object returns the object called name, which is made when it is not there.
func object(in map[string]any, name string) map[string]any {
	if o, ok := in[name].(map[string]any); ok {
		return o
	}
	o := map[string]any{}
	in[name] = o
	return o
}

// row returns the row of a multi-valued attribute that has value in sub.
func row(in map[string]any, name, sub string, value any) map[string]any {
	rows, _ := in[name].([]any)
	for _, r := range rows {
		if m, ok := r.(map[string]any); ok && m[sub] == value {
			return m
		}
	}
	m := map[string]any{sub: value}
	in[name] = append(rows, m)
	return m
}
