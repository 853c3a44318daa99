package memory

import "github.com/provhub/provhub/connectors/connector"

// The object types.
const (
	typeUser  = "user"
	typeGroup = "group"
	typeRole  = "role"
)

// keys names, for each type, the attribute that people know its objects by.
var keys = map[string]string{typeUser: "userName", typeGroup: "displayName", typeRole: "name"}

// schema is what the target holds. It does not depend on the config.
var schema = connector.Schema{
	{
		Name: typeUser, Kind: connector.KindAccount, NativeName: "user",
		Attributes: []connector.Attr{
			{Name: "userName", Required: true, Unique: true, Naming: true, MaxLength: 128, Description: "Login name"},
			{Name: "externalId", Unique: true, CaseExact: true, Description: "The anchor: never reused"},
			{Name: "displayName", MaxLength: 256},
			{Name: "givenName", CaseExact: true},
			{Name: "familyName", CaseExact: true},
			{Name: "mail", MaxLength: 254},
			{Name: "title", MaxLength: 128, CaseExact: true},
			{Name: "department"},
			{Name: "employeeType", Canonical: []string{"employee", "contractor", "intern"}},
			{Name: "phone", Multi: true},
			{Name: "manager", Type: connector.TypeReference, RefersTo: typeUser},
			{Name: "hireDate", Type: connector.TypeDate},
			{Name: "seat", Type: connector.TypeInteger},
			{Name: "vip", Type: connector.TypeBool},
			{Name: "origin", CreateOnly: true, Description: "Where the account was made"},
			{Name: "created", Type: connector.TypeTimestamp, ReadOnly: true},
		},
		Correlation: []string{"userName", "externalId"}, Grants: []string{typeGroup, typeRole},
		DisableMeans: "sets the account to disabled; attributes and grants stay",
	},
	{
		Name: typeGroup, Kind: connector.KindGroup, NativeName: "group",
		Attributes: []connector.Attr{
			{Name: "displayName", Required: true, Unique: true, Naming: true, MaxLength: 128},
			{Name: "externalId", Unique: true, CaseExact: true},
			{Name: "description", CaseExact: true},
			{Name: "owner", Type: connector.TypeReference, RefersTo: typeUser},
		},
		Correlation: []string{"displayName", "externalId"}, Verbs: lasting,
	},
	{
		Name: typeRole, Kind: connector.KindEntitlement, NativeName: "role",
		Attributes: []connector.Attr{
			{Name: "name", Required: true, Unique: true, Naming: true, MaxLength: 128},
			{Name: "description", CaseExact: true},
		},
		Correlation: []string{"name"}, Verbs: lasting,
	},
}

// lasting is what can be done with objects that nobody signs in with.
var lasting = []connector.Verb{connector.VerbCreate, connector.VerbUpdate, connector.VerbRename, connector.VerbDelete}
