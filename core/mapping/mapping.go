// Package mapping works out what an account in one connector should hold: scope
// (does this identity get an account here?), attribute rules and grants, written
// in CEL. It is pure: no I/O, no clock, no randomness.
package mapping

import (
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

// Apply says when an attribute rule takes effect.
type Apply string

// The moments a rule applies.
const (
	Always   Apply = "always"
	OnCreate Apply = "create" // the value is set once and never changed by us
	IfEmpty  Apply = "empty"  // only while the account has no value there
)

// Rule is one expression with its place in the config.
type Rule struct {
	Expr  string
	Place string // "provhub.yaml:31"
}

// AttributeRule maps one target attribute.
type AttributeRule struct {
	To    string
	From  Rule
	Apply Apply // "": Always
	// Reserve: values that unique() must never give, besides those in use.
	Reserve []string
}

// GrantRule gives an entitlement while When is true. EntitlementFrom, when set,
// is an expression that gives a list of entitlements instead of the one name.
type GrantRule struct {
	Entitlement     string
	EntitlementFrom Rule
	When            Rule // empty Expr: always
	Place           string
}

// Rules are all rules of one connector for one kind of identity.
type Rules struct {
	Connector  string
	Kind       identity.Kind
	Scope      Rule // empty Expr: everyone
	Attributes []AttributeRule
	Grants     []GrantRule
	// Tables are what lookup() reads, by name.
	Tables map[string]map[string]string
}

// Subject is whom the rules are applied to.
type Subject struct {
	identity.Key
	Attributes identity.Attributes
	// Manager are the attributes of the identity that the reference column names;
	// nil when there is none or it is not known.
	Manager identity.Attributes
	State   identity.State
	// HasAccount: rules that apply on create are not evaluated.
	HasAccount bool
	// Now is the time of the cycle, the same for everyone in it.
	Now time.Time
}

// Names tells unique() which values are in use in the connector.
type Names interface {
	// Taken reports whether another identity than anchor holds or has reserved
	// value for attribute; value is folded to lower case.
	Taken(attribute, value, anchor string) bool
}

// Result is what the account should hold.
type Result struct {
	InScope bool
	// Attributes are sorted by name. One that is not listed is not our business.
	Attributes []Desired
	// Grants are sorted by entitlement, each once.
	Grants []identity.Grant
	// Names are the values that unique() chose, to be reserved with the plan.
	Names []Reservation
}

// Desired is the wanted content of one attribute: Values, or nothing when Clear.
type Desired struct {
	Name   string
	Values connector.Values
	Clear  bool
	Apply  Apply
	Rule   string // place
}

// Reservation is a value that must not be given to anybody else.
type Reservation struct {
	Attribute string
	Value     string // folded to lower case
}
