//go:build !unix

package outbox

import "os"

// An outbox belongs to one process; where files cannot be locked that is the
// operator's to see to.
func lockFile(*os.File) error { return nil }
