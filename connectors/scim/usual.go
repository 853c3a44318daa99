package scim

import "github.com/provhub/provhub/connectors/connector"

// The schema URNs of RFC 7643 §4.
const (
	userSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupSchema      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// usualAttr is an attribute that connectors offer without being told.
type usualAttr struct {
	connector.Attr
	path string
}

// usualUser are the attributes of an account (RFC 7643 §4.1, §4.3). Text that
// people read is compared exactly, so that a corrected spelling arrives; what
// the standard takes as a name or an address is not.
var usualUser = []usualAttr{
	{connector.Attr{Name: "userName", Required: true, Unique: true, Naming: true, Description: "Name to sign in with"}, "userName"},
	{connector.Attr{Name: "externalId", CaseExact: true, Description: "The source's own key of the person: the anchor"}, "externalId"},
	{connector.Attr{Name: "displayName", CaseExact: true}, "displayName"},
	{connector.Attr{Name: "givenName", CaseExact: true}, "name.givenName"},
	{connector.Attr{Name: "familyName", CaseExact: true}, "name.familyName"},
	{connector.Attr{Name: "middleName", CaseExact: true}, "name.middleName"},
	{connector.Attr{Name: "formattedName", CaseExact: true}, "name.formatted"},
	{connector.Attr{Name: "nickName", CaseExact: true}, "nickName"},
	{connector.Attr{Name: "title", CaseExact: true}, "title"},
	{connector.Attr{Name: "userType", CaseExact: true}, "userType"},
	{connector.Attr{Name: "preferredLanguage"}, "preferredLanguage"},
	{connector.Attr{Name: "locale"}, "locale"},
	{connector.Attr{Name: "timezone"}, "timezone"},
	{connector.Attr{Name: "email", Description: "Address at work"}, `emails[type eq "work"].value`},
	{connector.Attr{Name: "phone", CaseExact: true, Description: "Telephone at work"}, `phoneNumbers[type eq "work"].value`},
	{connector.Attr{Name: "mobile", CaseExact: true}, `phoneNumbers[type eq "mobile"].value`},
	{connector.Attr{Name: "street", CaseExact: true}, `addresses[type eq "work"].streetAddress`},
	{connector.Attr{Name: "city", CaseExact: true}, `addresses[type eq "work"].locality`},
	{connector.Attr{Name: "region", CaseExact: true}, `addresses[type eq "work"].region`},
	{connector.Attr{Name: "postalCode", CaseExact: true}, `addresses[type eq "work"].postalCode`},
	{connector.Attr{Name: "country"}, `addresses[type eq "work"].country`},
	{connector.Attr{Name: "employeeNumber", CaseExact: true}, enterpriseSchema + ":employeeNumber"},
	{connector.Attr{Name: "costCenter", CaseExact: true}, enterpriseSchema + ":costCenter"},
	{connector.Attr{Name: "organization", CaseExact: true}, enterpriseSchema + ":organization"},
	{connector.Attr{Name: "division", CaseExact: true}, enterpriseSchema + ":division"},
	{connector.Attr{Name: "department", CaseExact: true}, enterpriseSchema + ":department"},
	{connector.Attr{Name: "manager", Type: connector.TypeReference, Description: "The manager's account"}, enterpriseSchema + ":manager.value"},
}

// usualGroup are the attributes of a group (RFC 7643 §4.2). Members are grants.
var usualGroup = []usualAttr{
	{connector.Attr{Name: "displayName", Required: true, Naming: true}, "displayName"},
	{connector.Attr{Name: "externalId", CaseExact: true, Description: "The source's own key of the group"}, "externalId"},
}
