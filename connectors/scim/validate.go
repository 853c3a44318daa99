package scim

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// validate finds, offline, what the JSON Schema cannot say.
func validate(c Config) []connector.Finding {
	v := &findings{}
	v.address("/base_url", c.BaseURL, c.AllowInsecure)
	p := v.profile(&c)
	v.auth(&c, p)
	for path, file := range map[string]string{"/certificate_file": c.CertificateFile, "/tls_ca_file": c.TLSCAFile} {
		if file != "" && !filepath.IsAbs(file) {
			v.add(path, "is not a full path", "a plugin has no working folder: begin with /")
		}
	}
	v.objects("/users", &c.Users.Objects, usualUser)
	v.objects("/groups", &c.Groups.Objects, usualGroup)
	v.anchor("/users/anchor", &c.Users.Objects, usualUser)
	v.anchor("/groups/anchor", &c.Groups.Objects, usualGroup)
	if c.Users.typeName() == c.Groups.typeName() {
		v.add("/groups/type", fmt.Sprintf("accounts are called %q, too", c.Groups.typeName()), "give each object type a name of its own")
	}
	for path, n := range map[string]int{"/concurrency": c.Concurrency, "/page_size": c.PageSize} {
		if n < 0 {
			v.add(path, "must not be negative", "leave it out for what the profile says")
		}
	}
	if p != nil {
		v.deletes(&c, p)
	}
	slices.SortFunc(v.list, func(a, b connector.Finding) int { return strings.Compare(a.Path, b.Path) })
	return v.list
}

type findings struct{ list []connector.Finding }

func (v *findings) add(path, summary, detail string) {
	v.list = append(v.list, connector.Finding{Path: path, Summary: summary, Detail: detail})
}

func (v *findings) warn(path, summary, detail string) {
	v.list = append(v.list, connector.Finding{Path: path, Summary: summary, Detail: detail, Warning: true})
}

// address checks the address of a service that gets secrets.
func (v *findings) address(path, text string, insecure []string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		v.add(path, "is not an address such as https://app.example.org/scim/v2", "take it from the product's page about SCIM, without /Users")
	case u.User != nil:
		v.add(path, "holds a name or password", "use auth and its secret")
	case u.Fragment != "":
		v.add(path, "holds a #fragment", "take it out")
	case u.Scheme == "http" && !slices.Contains(insecure, u.Hostname()):
		v.add(path, "would send secrets and names in the clear", fmt.Sprintf("write https, or list %q in allow_insecure", u.Hostname()))
	}
}

// profile returns the profile of the config, nil when it is faulty.
func (v *findings) profile(c *Config) *client.Profile {
	if isFile(c.Dialect) && !filepath.IsAbs(c.Dialect) {
		v.add("/dialect", "is not a full path", "a plugin has no working folder: begin with /")
		return nil
	}
	p, err := client.LoadProfile(c.Dialect)
	if err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			v.add("/dialect", line, "provhub plugin schema scim lists what a config takes; profiles are described in schemas/scim")
		}
		return nil
	}
	with, err := p.With(c.Overrides)
	if err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			key, _, _ := strings.Cut(line, ":")
			v.add("/overrides/"+key, line, "an override is a key of a profile, as in schemas/scim/rfc7644.yaml")
		}
		return nil
	}
	return with
}

func isFile(dialect string) bool {
	return strings.ContainsAny(dialect, `/\`) || strings.HasSuffix(dialect, ".yaml")
}

func (v *findings) auth(c *Config, p *client.Profile) {
	a := c.Auth
	kind := orElse(a.Kind, "bearer")
	for _, need := range []struct{ kind, path, value, what string }{
		{"oauth2", "/auth/token_url", a.TokenURL, "the address that gives tokens"},
		{"oauth2", "/auth/client_id", a.ClientID, "the client's id"},
		{"basic", "/auth/user", a.User, "the name to sign in with"},
		{"header", "/auth/header", a.Header, "the name of the header that carries the secret"},
	} {
		switch {
		case need.kind == kind && need.value == "":
			v.add(need.path, "is missing", "with kind "+kind+" it is "+need.what)
		case need.kind != kind && need.value != "":
			v.add(need.path, "has no meaning with kind "+kind, "take it out, or set kind to "+need.kind)
		}
	}
	if kind == "mtls" && c.CertificateFile == "" {
		v.add("/certificate_file", "is missing", "kind mtls signs in with it")
	}
	if a.TokenURL != "" {
		v.address("/auth/token_url", a.TokenURL, c.AllowInsecure)
	}
	if p != nil && !slices.Contains(p.Auth, authKinds[kind]) {
		v.warn("/auth/kind", "the profile "+p.Name+" does not know kind "+kind, fmt.Sprintf("it knows %v", p.Auth))
	}
}

var authKinds = map[string]client.AuthKind{
	"bearer": client.AuthBearer, "oauth2": client.AuthOAuth2, "basic": client.AuthBasic, "header": client.AuthHeader, "mtls": client.AuthMTLS,
}

func (v *findings) objects(path string, o *Objects, usual []usualAttr) {
	names := map[string]bool{"id": true}
	for _, u := range usual {
		names[u.Name] = true
	}
	for i, name := range o.LeaveOut {
		if !names[name] {
			v.add(fmt.Sprintf("%s/leave_out/%d", path, i), fmt.Sprintf("there is no usual attribute %q", name), "only attributes that are there by themselves can be left out")
		}
	}
	seen := map[string]bool{}
	for i, a := range o.Attributes {
		at := fmt.Sprintf("%s/attributes/%d", path, i)
		switch {
		case a.Name == "" || a.Name == "id":
			v.add(at+"/name", fmt.Sprintf("%q is no name for an attribute", a.Name), "choose another")
		case seen[a.Name]:
			v.add(at+"/name", fmt.Sprintf("there are two attributes %q", a.Name), "give each a name of its own")
		}
		seen[a.Name], names[a.Name] = true, true
		if _, err := parsePath(orElse(a.Path, a.Name)); err != nil {
			v.add(at+"/path", err.Error(), "RFC 7644 §3.10 has the form")
		}
		if a.RefersTo != "" && a.Type != "reference" {
			v.add(at+"/refers_to", "needs type reference", "set type to reference, or take refers_to out")
		}
	}
	for i, p := range o.Protected {
		if !names[p.Attribute] {
			v.add(fmt.Sprintf("%s/protected/%d/attribute", path, i), fmt.Sprintf("there is no attribute %q", p.Attribute), "name one of the attributes, or id")
		}
		if len(p.Values) == 0 {
			v.add(fmt.Sprintf("%s/protected/%d/values", path, i), "holds nothing, so nothing is protected", `list values, such as "admin@example.org" or "svc-*"`)
		}
	}
}

func (v *findings) anchor(path string, o *Objects, usual []usualAttr) {
	known := func(name string) bool {
		return slices.ContainsFunc(o.Attributes, func(a Attribute) bool { return a.Name == name }) ||
			slices.ContainsFunc(usual, func(u usualAttr) bool { return u.Name == name }) && !slices.Contains(o.LeaveOut, name)
	}
	if o.Anchor != "" && !known(o.Anchor) {
		v.add(path, fmt.Sprintf("there is no attribute %q", o.Anchor), "name an attribute of the object, or add it to attributes")
	}
}

// deletes tells where a switch has no effect, or the product's delete is final.
func (v *findings) deletes(c *Config, p *client.Profile) {
	for _, d := range []struct {
		path    string
		effect  client.DeleteEffect
		allowed bool
	}{
		{"/users/allow_irreversible_delete", p.Delete, c.Users.AllowIrreversibleDelete},
		{"/groups/allow_irreversible_delete", p.GroupDelete, c.Groups.AllowIrreversibleDelete},
	} {
		if d.allowed && d.effect != client.DeleteIrreversible {
			v.warn(d.path, fmt.Sprintf("has no effect: the profile says that deleting is %s", d.effect), "take it out")
		}
	}
}
