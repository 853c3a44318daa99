// Package query reads SCIM filters and attribute paths (RFC 7644 §3.4.2.2,
// §3.5.2). It knows the grammar only; what an attribute is, and whether it may
// be compared so, is the business of whoever evaluates the tree.
package query

import "fmt"

// Error says where a filter or a path stops being one.
type Error struct {
	At  int // bytes from the start of the text
	Why string
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("at character %d: %s", e.At+1, e.Why) }
