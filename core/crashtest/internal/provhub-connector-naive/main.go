// Command provhub-connector-naive is the plugin of the naive target.
package main

import (
	"github.com/provhub/provhub/core/crashtest/internal/naive"
	"github.com/provhub/provhub/plugins/sdk"
)

func main() { sdk.Serve(naive.Definition) }
