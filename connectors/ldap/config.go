package ldap

import (
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// Config is the config of one directory.
type Config struct {
	URLs      []string       `json:"urls" endpoint:"true" doc:"Servers, the best first: ldaps://host or ldap://host (raised to TLS by StartTLS); one is used at a time"`
	Directory string         `json:"directory" doc:"What kind of directory it is: openldap, openldap-overlays, openldap-posix, openldap-relax, 389ds, opendj, ad, rfc, or the path of a description of your own (.yaml)"`
	Overrides map[string]any `json:"overrides,omitempty" doc:"Keys of the description of the directory to replace, in its own form (schemas/ldap/directory.schema.json)"`

	Bind   string `json:"bind,omitempty" enum:"simple,external" default:"simple" doc:"simple: bind_dn and the secret bind_password; external: the client certificate (SASL EXTERNAL)"`
	BindDN string `json:"bind_dn,omitempty" doc:"Whom to bind as: a DN; Active Directory also takes user@domain"`

	Users  Users    `json:"users" doc:"The accounts"`
	Groups []Groups `json:"groups,omitempty" doc:"Kinds of groups that accounts can be members of"`

	Disable         []Disable        `json:"disable,omitempty" doc:"How an account is disabled, all of the list together; the directory's usual way when left out"`
	InitialPassword *InitialPassword `json:"initial_password,omitempty" doc:"The password of a new account that is given none; the directory's usual way when left out"`

	Writable  []string `json:"writable,omitempty" doc:"DNs: only entries at or below one of them are ever written to; all bases of this config when left out"`
	Protected []string `json:"protected,omitempty" doc:"DNs: entries at or below one of them are never written to"`

	Timeout        connector.Duration `json:"timeout,omitempty" default:"30s" doc:"Longest time for one request"`
	ConnectTimeout connector.Duration `json:"connect_timeout,omitempty" default:"10s" doc:"Longest time to connect, set up TLS and bind"`
	Connections    int                `json:"connections,omitempty" default:"4" doc:"Most connections that share the work"`
	Pipeline       int                `json:"pipeline,omitempty" default:"64" doc:"Most requests under way on each connection"`
	PageSize       int                `json:"page_size,omitempty" default:"500" doc:"Entries per page of a listing; Active Directory gives 1000 at most"`

	TLSCAFile      string   `json:"tls_ca_file,omitempty" doc:"PEM file with the authority of the servers' certificates; the system's authorities when left out"`
	TLSCertFile    string   `json:"tls_cert_file,omitempty" doc:"PEM file with the client's certificate; its key is the secret client_key"`
	AllowInsecure  []string `json:"allow_insecure,omitempty" doc:"Hosts, by name, whose certificate is not checked"`
	AllowPlaintext []string `json:"allow_plaintext,omitempty" doc:"Hosts, by name, that are spoken to without TLS behind ldap://"`
}

// Entries says where entries of one kind are and what they hold.
type Entries struct {
	Type          string      `json:"type,omitempty" doc:"Name of the object type; user for accounts, group for groups when left out"`
	Base          string      `json:"base" doc:"DN below which the entries are, and where new ones are made"`
	ObjectClasses []string    `json:"object_classes,omitempty" doc:"Object classes of a new entry; the directory's usual ones when left out"`
	Naming        string      `json:"naming,omitempty" doc:"LDAP attribute that names an entry in its container; the directory's usual one when left out"`
	Filter        string      `json:"filter,omitempty" doc:"Filter that tells these entries from others; the directory's usual one when left out"`
	Attributes    []Attribute `json:"attributes" doc:"Attributes to write and read; the naming attribute is one of them"`
	Fixed         []Fixed     `json:"fixed,omitempty" doc:"Further values that a new entry gets"`
}

// Attribute ties an attribute of the hub to one of the directory.
type Attribute struct {
	Name      string `json:"name" doc:"Name of the attribute"`
	Attribute string `json:"attribute,omitempty" doc:"Name of the LDAP attribute; the same when left out"`
	Type      string `json:"type,omitempty" enum:"string,integer,bool,timestamp,filetime,bytes,guid,reference" doc:"Type of the values; what the published schema says when left out. filetime: a timestamp as accountExpires keeps it"`
	RefersTo  string `json:"refers_to,omitempty" doc:"With type reference: the object type whose DN the attribute holds; accounts when left out"`
	Multi     bool   `json:"multi,omitempty" doc:"It takes several values"`
	CaseExact *bool  `json:"case_exact,omitempty" doc:"Whether Jane and jane differ; what the matching rule says when left out"`
	Required  *bool  `json:"required,omitempty" doc:"Whether a create must give it; what the object classes say when left out"`
	ReadOnly  bool   `json:"read_only,omitempty" doc:"It is read and never written"`
	Unique    bool   `json:"unique,omitempty" doc:"No two entries share a value; the directory sees to it"`
	MaxLength int    `json:"max_length,omitempty" doc:"Most characters; what is known of the directory when left out"`
}

// Fixed is a constant for one attribute.
type Fixed struct {
	Attribute string   `json:"attribute" doc:"Name of the LDAP attribute"`
	Values    []string `json:"values" doc:"What is written there"`
}

// Users are the accounts.
type Users struct {
	Entries
	Anchor    string     `json:"anchor,omitempty" doc:"Attribute with the immutable anchor of the person, such as employeeNumber: the proof that an entry is ours"`
	Container *Container `json:"container,omitempty" doc:"Containers below which accounts are sorted by an attribute"`
}

// Container sorts accounts into containers. Changing the attribute moves the account.
type Container struct {
	Attribute string           `json:"attribute" doc:"Name of the attribute that says where an account belongs; it is not written to the entry"`
	Values    []ContainerValue `json:"values" doc:"What it may hold, and where that is"`
}

// ContainerValue is one container.
type ContainerValue struct {
	Value string `json:"value" doc:"Value of the attribute"`
	Base  string `json:"base" doc:"DN of the container"`
}

// Groups are groups of one kind.
type Groups struct {
	Entries
	Kind        string `json:"kind,omitempty" enum:"group,entitlement" default:"entitlement" doc:"group: the hub also creates and deletes them; entitlement: they are only granted"`
	Member      string `json:"member,omitempty" doc:"LDAP attribute with the members; the directory's usual one when left out"`
	MemberHolds string `json:"member_holds,omitempty" enum:"dn,naming" doc:"What it holds: DNs of accounts, or values of their naming attribute; the directory's usual when left out"`
	Placeholder string `json:"placeholder,omitempty" doc:"DN that stands in where a group must have a member and has none; the group's own when left out"`
}

// Disable is one way to disable an account.
type Disable struct {
	Kind       string `json:"kind" enum:"value,bits,move,group" doc:"value: an attribute says it; bits: bits of a number say it; move: the place of the entry says it; group: a membership says it"`
	Attribute  string `json:"attribute,omitempty" doc:"LDAP attribute, for value and bits"`
	Disabled   string `json:"disabled,omitempty" doc:"Kind value: what it holds for a disabled account"`
	Enabled    string `json:"enabled,omitempty" doc:"Kind value: what it holds for an enabled one; nothing when left out"`
	Others     string `json:"others,omitempty" enum:"clear,keep" default:"clear" doc:"Kind value: what becomes of any other value when the account is enabled"`
	Relax      bool   `json:"relax,omitempty" doc:"Kind value: send the relax control, for operational attributes"`
	Bits       int64  `json:"bits,omitempty" doc:"Kind bits: the bits that are set for a disabled account; all others stay as they are"`
	Container  string `json:"container,omitempty" doc:"Kind move: DN of the container of disabled accounts"`
	Origin     string `json:"origin,omitempty" doc:"Kind move: LDAP attribute that remembers the DN an account came from; it goes back to where a new one would be when left out"`
	Group      string `json:"group,omitempty" doc:"Kind group: DN of the group"`
	MembersAre string `json:"members_are,omitempty" enum:"enabled,disabled" default:"enabled" doc:"Kind group: what it means to be a member"`
}

// InitialPassword is the password of a new account that is given none.
type InitialPassword struct {
	Mode   string `json:"mode,omitempty" enum:"none,generated" default:"generated" doc:"generated: a random one that nobody gets to know; none: the account has none"`
	Length int    `json:"length,omitempty" default:"24" doc:"Characters of a generated one"`
}

func (u *Users) typeName() string  { return orElse(u.Type, "user") }
func (g *Groups) typeName() string { return orElse(g.Type, "group") }
func (a *Attribute) ldap() string  { return orElse(a.Attribute, a.Name) }

func (c *Config) timeout() time.Duration { return time.Duration(c.Timeout) }

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
