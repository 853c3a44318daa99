// Package scimapi reads people and groups from a SCIM 2.0 service provider, as a
// client of it: Keycloak, Zitadel, and whatever else exposes /Users.
//
// The whole is read page by page, and is complete only when the last page was
// reached and the count is what the service said. Between two whole readings it is
// asked for what was modified, where its filter on meta.lastModified was seen to
// work; deletions show in the next whole reading.
package scimapi

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/source"
)

// Config says what is read, and how.
type Config struct {
	Access   scim.Access
	PageSize int // 0: the profile's
	People   Kind
	Groups   *Kind // nil: none are read
	// Incremental is [Auto], [LastModified] or [Never]; "": Auto.
	Incremental string
	// Overlap is how far back modifications are asked for again; 0: 1 min.
	Overlap time.Duration
	// Zone is the time zone in which a point in time becomes a date; nil: UTC.
	Zone *time.Location
}

// The ways to tell what changed.
const (
	Auto         = "auto"          // last_modified where its filter was seen to work
	LastModified = "last_modified" // a filter on meta.lastModified
	Never        = "none"          // every reading is a whole one
)

// Ways lists them.
var Ways = []string{Auto, LastModified, Never}

// Kind says what is taken from users, or groups.
type Kind struct {
	Filter string // RFC 7644 §3.4.2.2; "": all
	Anchor string // path of the value that never changes; "": id
	// Attributes are text, list, integer, number, bool, date (a dateTime, or text such
	// as 2026-03-31), or reference: the id of one of the people. From is a path:
	// name.givenName, emails[type eq "work"].value.
	Attributes source.Attributes
}

const defaultOverlap = time.Minute

// kind is a Kind that was checked.
type kind struct {
	Kind
	typ     scim.ResourceType
	filter  scim.Filter // nil: all
	anchor  scim.Path   // zero: id
	paths   []scim.Path // of the attributes
	names   []string    // of the attributes
	members bool
}

// Check finds what is wrong with c besides secrets and files. The error lists
// every fault.
func (c Config) Check() error {
	_, err := c.reader()
	return err
}

// Fields returns the attributes that people have, sorted by name.
func (c Config) Fields() []source.Field { return c.People.Attributes.Fields() }

// GroupFields returns the attributes that groups have, sorted by name; nil when none
// are read.
func (c Config) GroupFields() []source.Field {
	if c.Groups == nil {
		return nil
	}
	return c.Groups.Attributes.Fields()
}

// New checks c and returns its reader. Nothing is sent. The error lists every
// fault of c.
func New(c Config, secrets map[string]connector.Secret) (*Reader, error) {
	r, err := c.reader()
	if err != nil {
		return nil, err
	}
	o, err := c.Access.Options(secrets)
	if err != nil {
		return nil, err
	}
	r.client, err = scim.New(o)
	return r, err
}

// reader makes the reader without its client.
func (c Config) reader() (*Reader, error) {
	r := &Reader{c: c, zone: c.Zone, way: cmp.Or(c.Incremental, Auto), overlap: cmp.Or(c.Overlap, defaultOverlap)}
	if r.zone == nil {
		r.zone = time.UTC
	}
	var errs []error
	if !slices.Contains(Ways, r.way) {
		errs = append(errs, fmt.Errorf("incremental is %q; expected one of %s", r.way, strings.Join(Ways, ", ")))
	}
	if _, ok := c.Access.SignIn.SecretName(); !ok {
		errs = append(errs, fmt.Errorf("there is no way to sign in called %q", c.Access.SignIn.Kind))
	}
	p, err := c.Access.Effective()
	if err != nil {
		return nil, errors.Join(append(errs, fmt.Errorf("dialect: %w", err))...)
	}
	r.profile = p
	if r.people, err = r.check("people", scim.Users, c.People); err != nil {
		errs = append(errs, err)
	}
	if c.Groups != nil {
		if r.groups, err = r.check("groups", scim.Groups, *c.Groups); err != nil {
			errs = append(errs, err)
		}
		if p.MembersRead != scim.MembersFull {
			errs = append(errs, fmt.Errorf("groups: a service of dialect %s does not show the members of groups", p.Name))
		}
		r.groups.members = true
	}
	r.named = source.Named(c.Fields(), c.GroupFields())
	return r, errors.Join(errs...)
}

func (r *Reader) check(what string, t scim.ResourceType, k Kind) (*kind, error) {
	out := &kind{Kind: k, typ: t}
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(what+": "+format, args...)) }
	var err error
	if k.Filter != "" {
		if out.filter, err = scim.ParseFilter(k.Filter); err != nil {
			fault("filter: %w", err)
		} else if err := r.profile.CheckFilter(t, out.filter); err != nil {
			fault("filter: %w", err)
		}
	}
	if k.Anchor != "" && !strings.EqualFold(k.Anchor, "id") {
		if out.anchor, err = scim.ParsePath(k.Anchor); err != nil {
			fault("anchor: %w", err)
		}
	}
	if out.Attributes, err = k.Attributes.Checked(what, source.Text, source.List, source.Integer, source.Number, source.Bool, source.Date, source.Reference); err != nil {
		errs = append(errs, err)
	}
	out.names = out.Attributes.Names()
	for _, a := range out.Attributes {
		path, err := scim.ParsePath(a.From)
		if err != nil {
			fault("attribute %s: %w", a.Name, err)
		}
		out.paths = append(out.paths, path)
	}
	return out, errors.Join(errs...)
}
