// Package schema knows what resources look like (RFC 7643): schema documents,
// resource types, and which values an attribute takes.
package schema

import "fmt"

// The scimTypes of RFC 7644 Table 9 and RFC 9865 §2.1.
const (
	InvalidFilter = "invalidFilter"
	TooMany       = "tooMany"
	Uniqueness    = "uniqueness"
	Mutability    = "mutability"
	InvalidSyntax = "invalidSyntax"
	InvalidPath   = "invalidPath"
	NoTarget      = "noTarget"
	InvalidValue  = "invalidValue"
	InvalidVers   = "invalidVers"
	InvalidCursor = "invalidCursor"
	ExpiredCursor = "expiredCursor"
	InvalidCount  = "invalidCount"
)

// Error is what a service provider refuses a request with (RFC 7644 §3.12).
type Error struct {
	Status int
	Type   string // scimType; "": none
	Detail string
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Type, e.Detail) }

// Bad refuses a request with 400.
func Bad(scimType, format string, args ...any) *Error {
	return &Error{400, scimType, fmt.Sprintf(format, args...)}
}

// Refused refuses a request with another status, without a scimType.
func Refused(status int, format string, args ...any) *Error {
	return &Error{status, "", fmt.Sprintf(format, args...)}
}
