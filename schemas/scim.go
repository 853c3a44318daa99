package schemas

import "embed"

// SCIM holds the SCIM dialect profiles, scim/NAME.yaml, and the JSON Schema that
// each of them keeps to, scim/profile.schema.json.
//
//go:embed scim/*.yaml scim/profile.schema.json
var SCIM embed.FS
