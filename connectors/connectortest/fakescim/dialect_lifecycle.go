package fakescim

import (
	"net/http"
	"strings"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// switches says whether the account may be disabled or enabled this way.
func (q *request) switches(old *directory.Resource, d *directory.Draft) error {
	if d.Type.Name != "User" || q.method == http.MethodDelete || old.Active() == (d.Attrs["active"] != false) {
		return nil
	}
	r := q.rules
	switch {
	case old.Active() && r.declared("disable") && r.Disable == scim.DisableDelete:
		return schema.Bad(schema.Mutability, "an account is disabled by DELETE")
	case r.declared("disable") && r.Disable == scim.DisablePut && q.method != http.MethodPut:
		return schema.Bad(schema.Mutability, "active is changed by PUT")
	}
	return nil
}

// obfuscate hides attributes of an account that is disabled, and brings them back
// when it is enabled.
func (r *rules) obfuscate(d *directory.Draft) {
	if len(r.ObfuscatedWhenDisabled) == 0 || d.Type.Name != "User" {
		return
	}
	active := d.Attrs["active"] != false
	switch {
	case active && d.Aside != nil:
		for name, v := range d.Aside {
			if s, _ := d.Attrs[name].(string); d.Attrs[name] == nil || strings.HasPrefix(s, obfuscated) {
				d.Attrs[name] = directory.Clone(v)
			}
		}
		d.Aside = nil
	case !active && d.Aside == nil:
		aside := map[string]any{}
		for _, path := range r.ObfuscatedWhenDisabled {
			f, ok := resolvePath(d.Type, path)
			if !ok || f.URN != "" || d.Attrs[f.Attr.Name] == nil {
				continue
			}
			aside[f.Attr.Name] = d.Attrs[f.Attr.Name]
			d.Attrs[f.Attr.Name] = nil
			if f.Attr.Text() && !f.Attr.MultiValued {
				d.Attrs[f.Attr.Name] = obfuscated + randomToken()
			}
		}
		d.Aside = aside
	}
}

// obfuscated is what the hidden name of a disabled account begins with.
const obfuscated = "obfuscated-"
