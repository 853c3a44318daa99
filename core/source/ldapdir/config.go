// Package ldapdir reads people and groups from an LDAP directory: OpenLDAP, 389
// Directory Server, Active Directory.
//
// The whole is read in pages, or as one synchronization, and says whether it is
// complete. Between two whole readings the directory tells what changed, by one of
//
//	syncrepl    RFC 4533: changes and deletions; OpenLDAP with syncprov, 389
//	timestamp   modifyTimestamp: no deletions, which the next whole reading finds
//	usn         Active Directory, uSNChanged of one domain controller: changes, and
//	            deletions where the account may read the container Deleted Objects
//	dirsync     Active Directory, the control DirSync: changes and deletions
//
// The last two are proved on a simulated domain controller. usn belongs to one
// controller: name one in urls, or failing over means a whole reading. dirsync goes
// over every object of the domain once at each whole reading. Members of deleted
// groups and what backlinks such as memberOf say change without their entry.
//
// A token that goes with what was read says where to go on.
package ldapdir

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/core/source"
)

// Config says what is read, and how.
type Config struct {
	Client ldap.Options
	// Directory is the product: a description that is built in (openldap, 389ds, ad,
	// …) or a file; "": rfc. Overrides replace keys of it.
	Directory string
	Overrides map[string]any
	People    Kind
	Groups    *Kind // nil: none are read
	// Incremental is how changes are told: [Auto] and so on; "": Auto.
	Incremental string
	// Overlap is how far back timestamps are looked at again; 0: 5 s.
	Overlap time.Duration
	// Zone is the time zone in which a point in time becomes a date; nil: UTC.
	Zone *time.Location
}

// The ways to tell what changed.
const (
	Auto      = "auto"      // syncrepl where the server announces it, else none
	Syncrepl  = "syncrepl"  // RFC 4533
	Timestamp = "timestamp" // modifyTimestamp
	USN       = "usn"       // uSNChanged of Active Directory
	DirSync   = "dirsync"   // DirSync of Active Directory
	Never     = "none"      // every reading is a whole one
)

// Ways lists them.
var Ways = []string{Auto, Syncrepl, Timestamp, USN, DirSync, Never}

// Kind says where people, or groups, are.
type Kind struct {
	Base   string // DN
	Filter string // RFC 4515; "": by the directory's object class
	// Anchor is the LDAP attribute with the value that never changes; "": the id that
	// the directory itself gives (entryUUID, nsUniqueId, objectGUID).
	Anchor string
	// Attributes are text, list, integer, bool, date (a generalizedTime, a FILETIME, or
	// text such as 2026-03-31), or reference: the DN of one of the people. From is an
	// LDAP attribute.
	Attributes source.Attributes
	// Member is the attribute with a group's members; "": the directory's.
	Member string
}

const defaultOverlap = 5 * time.Second

// kind is a Kind that was checked.
type kind struct {
	Kind
	base   ldap.DN
	filter ldap.Filter
	rules  []ldap.AttributeRule // of the attributes
	names  []string             // of the attributes
	member string
}

// Check finds what is wrong with c besides the connection, whose secrets it does
// not have. The error lists every fault.
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

// New checks c and returns its reader. Nothing is dialled. The error lists every
// fault of c.
func New(c Config) (*Reader, error) {
	r, err := c.reader()
	if err != nil {
		return nil, err
	}
	r.client, err = ldap.New(c.Client)
	return r, err
}

// reader makes the reader without its connection.
func (c Config) reader() (*Reader, error) {
	r := &Reader{c: c, zone: c.Zone, way: cmp.Or(c.Incremental, Auto), overlap: cmp.Or(c.Overlap, defaultOverlap)}
	if r.zone == nil {
		r.zone = time.UTC
	}
	var errs []error
	if !slices.Contains(Ways, r.way) {
		errs = append(errs, fmt.Errorf("incremental is %q; expected one of %s", r.way, strings.Join(Ways, ", ")))
	}
	var err error
	if r.dir, err = ldap.LoadDirectory(cmp.Or(c.Directory, "rfc"), c.Overrides); err != nil {
		return nil, errors.Join(append(errs, fmt.Errorf("directory: %w", err))...)
	}
	if (r.way == USN || r.way == DirSync) && r.dir.Anchor.Form != "guid" {
		errs = append(errs, fmt.Errorf("incremental: %s is for Active Directory: say directory: ad", r.way))
	}
	if r.people, err = r.check("people", c.People, r.dir.Users); err != nil {
		errs = append(errs, err)
	}
	if c.Groups != nil {
		if r.groups, err = r.check("groups", *c.Groups, r.dir.Groups); err != nil {
			errs = append(errs, err)
		}
		r.groups.member = cmp.Or(c.Groups.Member, r.dir.Groups.Member)
	}
	r.named = source.Named(c.Fields(), c.GroupFields())
	return r, errors.Join(errs...)
}

func (r *Reader) check(what string, k Kind, d ldap.Kind) (*kind, error) {
	out := &kind{Kind: k}
	var errs []error
	var err error
	if out.base, err = ldap.ParseDN(k.Base); err != nil || out.base.IsRoot() {
		errs = append(errs, fmt.Errorf("%s: base %q is not the DN of an entry", what, k.Base))
	}
	if k.Filter != "" {
		out.filter, err = ldap.ParseFilter(k.Filter)
	} else {
		out.filter, err = d.Matches()
	}
	if err != nil {
		errs = append(errs, fmt.Errorf("%s: filter: %w", what, err))
	}
	if out.Attributes, err = k.Attributes.Checked(what, source.Text, source.List, source.Integer, source.Bool, source.Date, source.Reference); err != nil {
		errs = append(errs, err)
	}
	out.names = out.Attributes.Names()
	for _, a := range out.Attributes {
		out.rules = append(out.rules, r.dir.Rule(a.From))
	}
	return out, errors.Join(errs...)
}
