// Command provhub-connector-sftp serves the sftp connector as a plugin process.
package main

import (
	"github.com/provhub/provhub/connectors/sftp"
	"github.com/provhub/provhub/plugins/sdk"
)

func main() { sdk.Serve(sftp.Definition) }
