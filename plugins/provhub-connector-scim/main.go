// Command provhub-connector-scim serves the scim connector as a plugin process.
package main

import (
	"github.com/provhub/provhub/connectors/scim"
	"github.com/provhub/provhub/plugins/sdk"
)

func main() { sdk.Serve(scim.Definition) }
