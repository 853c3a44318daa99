package store

import (
	"fmt"
	"strings"
)

// Error implements error.
func (e *DriftError) Error() string {
	return fmt.Sprintf("plan %.12s is out of date, %d thing(s) changed since it was made: %s; run `provhub plan` again",
		e.Hash, e.Count, strings.Join(e.What, "; "))
}

// Error implements error.
func (e *TamperedError) Error() string {
	return fmt.Sprintf("the audit trail was tampered with at entry %d: %s", e.Seq, e.What)
}
