// Command provhub-connector-memory is the plugin of the memory target, with
// which hubs are tested and tried out.
package main

import (
	"github.com/provhub/provhub/connectors/memory"
	"github.com/provhub/provhub/plugins/sdk"
)

func main() { sdk.Serve(memory.Definition) }
