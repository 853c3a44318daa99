//go:build !unix

package sdk

import "os"

// closeOnExec has nothing to do where descriptors are not inherited by default.
func closeOnExec() {}

// leave ends the process at once.
func leave() { os.Exit(0) }
