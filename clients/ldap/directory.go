package ldap

import (
	"fmt"
	"strings"
)

// Directory is what is known of a directory product, whatever its published
// schema says. It is data: schemas/ldap/NAME.yaml, whose JSON Schema says what
// each value means.
type Directory struct {
	Name         string `json:"name"`
	Version      int    `json:"version"`
	Extends      string `json:"extends"`
	Description  string `json:"description"`
	Verified     string `json:"verified"`
	VerifiedOn   string `json:"verified_on"`
	Anchor       Anchor `json:"anchor"`
	EntryVersion string `json:"entry_version"`
	Users        Kind   `json:"users"`
	Groups       Kind   `json:"groups"`
	MemberBatch  int    `json:"member_batch"`

	Disable        []Strategy `json:"disable"`
	CreateDisabled bool       `json:"create_disabled"`
	Password       Password   `json:"password"`

	PermissiveModify     string          `json:"permissive_modify"` // never, auto, always
	Assertion            string          `json:"assertion"`         // never, auto
	ReferentialIntegrity string          `json:"referential_integrity"`
	DomainScope          bool            `json:"domain_scope"`
	Protected            []Value         `json:"protected"`
	Attributes           []AttributeRule `json:"attributes"`
}

// Anchor is the attribute with the id that the directory gives an entry.
type Anchor struct {
	Attribute string `json:"attribute"`
	Form      string `json:"form"` // text, guid
}

// Kind is what accounts, or groups, are.
type Kind struct {
	ObjectClasses []string `json:"object_classes"`
	Naming        string   `json:"naming"`
	Filter        string   `json:"filter"`
	Memberships   string   `json:"memberships"`  // of accounts
	Member        string   `json:"member"`       // of groups
	MemberHolds   string   `json:"member_holds"` // dn, naming
	NeedsMember   bool     `json:"needs_member"`
	Fixed         []Value  `json:"fixed"`
	Copy          []Copy   `json:"copy"`
}

// Value is one value of one attribute.
type Value struct {
	Attribute string `json:"attribute"`
	Value     string `json:"value"`
}

// Copy says which attribute a new entry takes over when it is not given.
type Copy struct {
	Attribute string `json:"attribute"`
	From      string `json:"from"`
}

// Strategy is one way to disable an account and to tell that it is disabled.
type Strategy struct {
	Kind       string `json:"kind"` // value, bits, move, group
	Attribute  string `json:"attribute"`
	Disabled   string `json:"disabled"`
	Enabled    string `json:"enabled"`
	Others     string `json:"others"` // clear, keep
	Relax      bool   `json:"relax"`
	Bits       int64  `json:"bits"`
	Container  string `json:"container"`
	Origin     string `json:"origin"`
	Group      string `json:"group"`
	MembersAre string `json:"members_are"` // enabled, disabled
}

// Password says how a password is set.
type Password struct {
	Method        string  `json:"method"` // extended, attribute, unicode_pwd, none
	PolicyControl bool    `json:"policy_control"`
	MustChange    []Value `json:"must_change"`
	Generate      bool    `json:"generate"`
}

// AttributeRule is what is known of one attribute.
type AttributeRule struct {
	Attribute    string `json:"attribute"`
	Type         string `json:"type"` // "": what the published schema says
	MaxLength    int    `json:"max_length"`
	Forbidden    string `json:"forbidden"`
	ForbiddenEnd string `json:"forbidden_end"`
	ReadOnly     bool   `json:"read_only"`
	Unique       bool   `json:"unique"`
	CaseExact    *bool  `json:"case_exact"`
	Required     *bool  `json:"required"`
}

// Rule returns what is known of an attribute, the zero rule when that is nothing.
func (d *Directory) Rule(attribute string) AttributeRule {
	for _, r := range d.Attributes {
		if strings.EqualFold(r.Attribute, attribute) {
			return r
		}
	}
	return AttributeRule{Attribute: attribute}
}

// AnchorOf returns the id of an entry as text, "" when the entry was read
// without it.
func (d *Directory) AnchorOf(e Entry) (string, error) {
	raw := e.First(d.Anchor.Attribute)
	if d.Anchor.Form == "guid" && raw != "" {
		return GUIDText([]byte(raw))
	}
	return raw, nil
}

// ByAnchor matches the entry with this id.
func (d *Directory) ByAnchor(id string) (Filter, error) {
	if d.Anchor.Form != "guid" {
		return Equal(d.Anchor.Attribute, id), nil
	}
	b, err := GUIDBytes(id)
	if err != nil {
		return Filter{}, err
	}
	return EqualBytes(d.Anchor.Attribute, b), nil
}

// Matches is the filter that tells entries of a kind from others.
func (k Kind) Matches() (Filter, error) {
	if k.Filter != "" {
		return ParseFilter(k.Filter)
	}
	if len(k.ObjectClasses) == 0 {
		return Filter{}, fmt.Errorf("no object class is given")
	}
	return Equal("objectClass", k.ObjectClasses[len(k.ObjectClasses)-1]), nil
}
