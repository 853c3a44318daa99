package schemas

import "embed"

// SCIM holds the SCIM dialect profiles, scim/NAME.yaml, and the JSON Schema that
// each of them keeps to, scim/profile.schema.json.
//
//go:embed scim
var SCIM embed.FS
