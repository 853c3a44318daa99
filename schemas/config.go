package schemas

import _ "embed"

// Config is the JSON Schema of the config file.
//
//go:embed config/config.schema.json
var Config []byte
