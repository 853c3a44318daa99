package schemas

import "embed"

// LDAP holds the descriptions of directory products, ldap/NAME.yaml, and the
// JSON Schema that each of them keeps to, ldap/directory.schema.json.
//
//go:embed ldap
var LDAP embed.FS
