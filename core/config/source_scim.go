package config

import (
	"strings"
	"time"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/core/source/scimapi"
)

// scim reads the part of a source that is about a SCIM service, and checks it whole.
func (b *builder) scim(r *rawSource, zone *time.Location, path string) *scimapi.Config {
	s := r.SCIM
	if s == nil {
		return nil // the schema says so
	}
	c := &scimapi.Config{
		Access: scim.Access{
			BaseURL: s.BaseURL, Dialect: s.Dialect, Overrides: s.Overrides, SignIn: scim.SignIn(s.Auth),
			CertificateFile: b.path(s.CertificateFile), CAFile: b.path(s.CAFile), AllowInsecure: s.AllowInsecure,
		},
		PageSize: s.PageSize, People: s.Users.resources(), Incremental: s.Incremental,
		Overlap: b.duration(s.Overlap, path+".scim.overlap"), Zone: zone,
	}
	if strings.HasSuffix(s.Dialect, ".yaml") {
		c.Access.Dialect = b.path(s.Dialect)
	}
	if s.Groups != nil {
		g := s.Groups.resources()
		c.Groups = &g
	}
	b.each(r.Name.line, path+".scim", c.Check())
	return c
}

func (k *rawKind) resources() scimapi.Kind {
	return scimapi.Kind{Filter: k.Filter, Anchor: k.Anchor, Attributes: k.attributes()}
}
