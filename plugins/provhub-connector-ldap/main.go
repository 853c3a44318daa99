// Command provhub-connector-ldap serves the ldap connector as a plugin process.
package main

import (
	"github.com/provhub/provhub/connectors/ldap"
	"github.com/provhub/provhub/plugins/sdk"
)

func main() { sdk.Serve(ldap.Definition) }
