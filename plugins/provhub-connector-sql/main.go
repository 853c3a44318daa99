// Command provhub-connector-sql serves the sql connector as a plugin process.
package main

import (
	"github.com/provhub/provhub/connectors/sql"
	"github.com/provhub/provhub/plugins/sdk"
)

func main() { sdk.Serve(sql.Definition) }
