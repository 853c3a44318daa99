package fakeldap

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Flavor is the product whose behaviour the server shows.
type Flavor string

// The flavors.
const (
	OpenLDAP        Flavor = "openldap" // with the overlays ppolicy, memberof, refint, syncprov
	DS389           Flavor = "389ds"    // with the plug-ins memberOf, referential integrity, attribute uniqueness
	ActiveDirectory Flavor = "ad"       // a domain controller, Windows Server 2016 or later
)

// Options say how a server is set up. The zero value is an OpenLDAP with an
// almost empty tree.
type Options struct {
	// Flavor "": OpenLDAP.
	Flavor Flavor
	// BaseDN "": dc=example,dc=org. It is made, with the folders people, groups,
	// disabled and services below it and the administrator's entry.
	BaseDN string
	// Addr and TLSAddr are where to listen for plain LDAP with StartTLS, and for
	// LDAPS. "": 127.0.0.1, a free port.
	Addr, TLSAddr string
	// AdminDN may do everything that the product's rules allow. "":
	// cn=provhub,ou=services,BASE, in Active Directory CN=provhub,CN=Users,BASE.
	AdminDN string
	// AdminPassword "": "provhub-Test1".
	AdminPassword string
	// LDIF is loaded at the start, past all rules but the schema (see [Server.Load]).
	LDIF string
	// Schema are more definitions, a line each: "attributeTypes: ( … )" or
	// "objectClasses: ( … )".
	Schema string
	// Index are more attributes that are found without looking at every entry.
	Index []string
	// SizeLimit is how many entries a search returns at most when the client asks
	// for no limit and no pages; Active Directory's MaxPageSize. 0: 500 in
	// OpenLDAP, 2000 in 389-ds, 1000 in Active Directory. Negative: none.
	SizeLimit int
	// MaxValRange is how many values of one attribute Active Directory returns at
	// once. 0: 1500.
	MaxValRange int
	// Passwords is the policy for them.
	Passwords PasswordPolicy
	// Unique are the attributes that 389-ds's uniqueness plug-in watches. nil: uid.
	Unique []string
	// Protected are entries that, with all below them, nobody may change.
	Protected []string
	// RequireTLS refuses simple binds on plain connections.
	RequireTLS bool
	// Clock tells the time. nil: time.Now.
	Clock func() time.Time
}

// PasswordPolicy is what passwords must be like.
type PasswordPolicy struct {
	// MinLength in characters. 0: 8, in Active Directory 7. Negative: any.
	MinLength int
	// History is how many old passwords must not come back (OpenLDAP, 389-ds).
	History int
	// MaxFailures wrong passwords in a row lock the account. 0: never.
	MaxFailures int
	// Simple switches Active Directory's complexity rule off.
	Simple bool
}

func badOption(name, value, why string) error {
	return fmt.Errorf("fakeldap: option %s %q: %s", name, value, why)
}

func (o *Options) fill() error {
	if o.Flavor == "" {
		o.Flavor = OpenLDAP
	}
	if !slices.Contains([]Flavor{OpenLDAP, DS389, ActiveDirectory}, o.Flavor) {
		return badOption("Flavor", string(o.Flavor), "known are openldap, 389ds and ad")
	}
	ad := o.Flavor == ActiveDirectory
	fallback(&o.BaseDN, "dc=example,dc=org")
	fallback(&o.Addr, "127.0.0.1:0")
	fallback(&o.TLSAddr, "127.0.0.1:0")
	fallback(&o.AdminPassword, "provhub-Test1")
	if ad {
		fallback(&o.AdminDN, "CN=provhub,CN=Users,"+o.BaseDN)
	} else {
		fallback(&o.AdminDN, "cn=provhub,ou=services,"+o.BaseDN)
	}
	fallback(&o.SizeLimit, map[Flavor]int{OpenLDAP: 500, DS389: 2000, ActiveDirectory: 1000}[o.Flavor])
	fallback(&o.MaxValRange, 1500)
	fallback(&o.Passwords.MinLength, map[bool]int{false: 8, true: 7}[ad])
	if o.Unique == nil {
		o.Unique = []string{"uid"}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return nil
}

func fallback[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// domainOf is the DNS name that the dc parts of a DN spell: example.org.
func domainOf(name dn) string {
	var labels []string
	for _, r := range name.rdns {
		if r.avas[0].typ.key == "dc" {
			labels = append(labels, strings.ToLower(r.avas[0].value))
		}
	}
	return strings.Join(labels, ".")
}
