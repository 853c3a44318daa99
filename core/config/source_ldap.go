package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/source/ldapdir"
)

// ldap reads the part of a source that is about a directory, and checks it whole.
func (b *builder) ldap(r *rawSource, zone *time.Location, path string) *ldapdir.Config {
	l := r.LDAP
	if l == nil {
		return nil // the schema says so
	}
	c := &ldapdir.Config{
		Client: ldap.Options{
			URLs: l.URLs, CAFile: b.path(l.CAFile), CertFile: b.path(l.CertFile), AllowPlaintext: l.AllowPlaintext, AllowInsecure: l.AllowInsecure,
			BindDN: l.BindDN, External: l.External, Timeout: b.duration(l.Timeout, path+".ldap.timeout"),
		},
		Directory: l.Directory, Overrides: l.Overrides, People: l.People.kind(), Incremental: l.Incremental,
		Overlap: b.duration(l.Overlap, path+".ldap.overlap"), Zone: zone,
	}
	if strings.HasSuffix(c.Directory, ".yaml") {
		c.Directory = b.path(c.Directory)
	}
	if l.Groups != nil {
		g := l.Groups.kind()
		c.Groups = &g
	}
	b.each(r.Name.line, path+".ldap", c.Check())
	return c
}

// each reports the faults that err lists, a line each.
func (b *builder) each(line int, path string, err error) {
	if err == nil {
		return
	}
	for i, text := range strings.Split(err.Error(), "\n") {
		at := fmt.Sprintf("%s#%d", path, i+1) // one path has one fault
		if key, rest, ok := strings.Cut(text, ": "); ok && !strings.Contains(key, " ") {
			at, text = fmt.Sprintf("%s.%s#%d", path, key, i+1), rest
		}
		b.add(line, at, "%s", text)
	}
}

func (k *rawKind) names() []string {
	var names []string
	for _, a := range k.Attributes {
		names = append(names, a.Name.value)
	}
	return names
}

func (k *rawKind) kind() ldapdir.Kind {
	return ldapdir.Kind{Base: k.Base, Filter: k.Filter, Anchor: k.Anchor, Member: k.Member, Attributes: k.attributes()}
}

func (k *rawKind) attributes() source.Attributes {
	out := make(source.Attributes, len(k.Attributes))
	for i, a := range k.Attributes {
		out[i] = source.Attribute{Name: a.Name.value, From: a.From, Type: source.Type(a.Type), Required: a.Required}
	}
	return out
}
