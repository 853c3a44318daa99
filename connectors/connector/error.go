package connector

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// Code says why something failed. Its range decides what the hub does, so that
// a code from a newer connector still lands in the right class:
//
//	 1–19  transient  retry with backoff
//	20–39  conflict   read the account, diff again
//	40–59  instance   stop this connector, keep its queue, tell the operator
//	60–79  permanent  park this operation, go on with others
//	80–99  defect     park, count against the plugin's version
//
// 0 and everything else count as [CodeInternal].
type Code int

// The error codes.
const (
	CodeUnavailable       Code = 1
	CodeTimeout           Code = 2
	CodeRateLimited       Code = 3
	CodeBusy              Code = 4 // locked, or being changed by another
	CodeDependencyMissing Code = 5 // what it refers to is not there yet
	CodeAlreadyExists     Code = 20
	CodeNotFound          Code = 21
	CodeVersionConflict   Code = 22
	CodeAmbiguous         Code = 23 // several objects match
	CodeAuthentication    Code = 40
	CodePermission        Code = 41
	CodeConfiguration     Code = 42
	CodeQuota             Code = 43 // seats or licences are used up
	CodeInvalidValue      Code = 60
	CodePolicy            Code = 61 // password policy, protected object
	CodeUnsupported       Code = 62
	CodeTooLarge          Code = 63
	CodeInternal          Code = 80
)

var codeNames = map[Code]string{
	CodeUnavailable: "UNAVAILABLE", CodeTimeout: "TIMEOUT", CodeRateLimited: "RATE_LIMITED", CodeBusy: "BUSY",
	CodeDependencyMissing: "DEPENDENCY_MISSING", CodeAlreadyExists: "ALREADY_EXISTS", CodeNotFound: "NOT_FOUND",
	CodeVersionConflict: "VERSION_CONFLICT", CodeAmbiguous: "AMBIGUOUS", CodeAuthentication: "AUTHENTICATION",
	CodePermission: "PERMISSION", CodeConfiguration: "CONFIGURATION", CodeQuota: "QUOTA",
	CodeInvalidValue: "INVALID_VALUE", CodePolicy: "POLICY", CodeUnsupported: "UNSUPPORTED",
	CodeTooLarge: "TOO_LARGE", CodeInternal: "INTERNAL",
}

// String returns the name of the code, "CODE_17" for one not known here.
func (c Code) String() string {
	if n, ok := codeNames[c]; ok {
		return n
	}
	return fmt.Sprintf("CODE_%d", int(c))
}

// ParseCode returns the code that [Code.String] calls name.
func ParseCode(name string) (code Code, ok bool) {
	for c, n := range codeNames {
		if n == name {
			return c, true
		}
	}
	return 0, false
}

// Class says what the hub does about an error.
type Class string

// The classes.
const (
	ClassTransient Class = "transient" // later may work: 429, 503, a dependency not there yet
	ClassConflict  Class = "conflict"  // the account is not as we thought: read, plan again
	ClassInstance  Class = "instance"  // credentials, permission, config: stop this connector, keep its queue
	ClassPermanent Class = "permanent" // this value is refused: park this operation, go on with others
	ClassDefect    Class = "defect"    // the plugin broke its contract: park, count against its version
)

// Class returns the class of the code's range.
func (c Code) Class() Class {
	switch {
	case c >= 1 && c <= 19:
		return ClassTransient
	case c >= 20 && c <= 39:
		return ClassConflict
	case c >= 40 && c <= 59:
		return ClassInstance
	case c >= 60 && c <= 79:
		return ClassPermanent
	}
	return ClassDefect
}

// Scope says how far an error reaches. The zero value is the usual one for the
// code: the instance for instance errors, else the operation.
type Scope string

// The scopes.
const (
	ScopeOperation Scope = "operation"
	ScopeObject    Scope = "object"
	ScopeInstance  Scope = "instance"
)

// Error is a classed failure. Message is for the operator and must not hold
// secrets nor the values of personal attributes; Detail is the target's own
// text, for the debug log only.
type Error struct {
	Code       Code          `json:"code"`
	Message    string        `json:"message"`
	Detail     string        `json:"detail,omitempty"`
	NativeCode string        `json:"native_code,omitempty"` // "LDAP 68", "HTTP 409", "SQLSTATE 23505"
	Scope      Scope         `json:"scope,omitempty"`
	RetryAfter time.Duration `json:"retry_after,omitempty"` // 0: not told
	Attributes []string      `json:"attributes,omitempty"`  // those at fault
	// Conflicting is what is in the way of a create (ALREADY_EXISTS).
	Conflicting *Ref  `json:"conflicting,omitempty"`
	Cause       error `json:"-"`
}

// Errorf makes an error with a code; %w wraps a cause as in [fmt.Errorf].
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Cause: errors.Unwrap(err)}
}

// Error implements error.
func (e *Error) Error() string {
	if e.NativeCode != "" {
		return fmt.Sprintf("%s (%s): %s", e.Code, e.NativeCode, e.Message)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Class returns what the hub does: the class of the code, except that an
// instance error which concerns one object is permanent for that object alone.
func (e *Error) Class() Class {
	c := e.Code.Class()
	if c == ClassInstance && (e.Scope == ScopeObject || e.Scope == ScopeOperation) {
		return ClassPermanent
	}
	return c
}

// AsError returns err as an [*Error]: itself when it is one, TIMEOUT for a
// deadline, UNAVAILABLE for a call that was cancelled, INTERNAL for anything
// unmapped. nil stays nil.
func AsError(err error) *Error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return &Error{Code: CodeTimeout, Message: "no answer within the time limit", Cause: err}
	case errors.Is(err, context.Canceled):
		return &Error{Code: CodeUnavailable, Message: "the call was cancelled before the answer came", Cause: err}
	}
	return &Error{Code: CodeInternal, Message: err.Error(), Cause: err}
}

// IsCode reports whether err is an [*Error] with the given code.
func IsCode(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
