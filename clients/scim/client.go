package scim

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"

	"github.com/provhub/provhub/connectors/connector"
)

// Options say how a target is reached.
type Options struct {
	// BaseURL is the address that /Users is below, with a path and a query if the
	// target wants them: "https://api.acme.example/scim/v2".
	BaseURL string
	Profile *Profile // nil: rfc7644
	Auth    Auth     // nil: none, as for mutual TLS
	// CAs are the authorities that the target's certificate is held against; nil:
	// those of the system.
	CAs *x509.CertPool
	// Certificates are those that the client shows (mutual TLS).
	Certificates []tls.Certificate
	// AllowInsecure lists hosts, by name, that may be reached without TLS or whose
	// certificate is not checked.
	AllowInsecure []string
	// Transport replaces the one made from the above. Tests use it.
	Transport http.RoundTripper
	Log       *slog.Logger // nil: none
}

// Auth signs requests. Make one with [Bearer], [Basic], [HeaderAuth] or
// [ClientCredentials].
type Auth interface {
	sign(r *http.Request) error
}

// Selection says which attributes to read. Where the target does not know the
// parameters, it returns all.
type Selection struct {
	Attributes []string // paths; nil: the target's default
	Excluded   []string // paths
}

// Query says what to list.
type Query struct {
	Type     ResourceType
	Filter   Filter // nil: all
	PageSize int    // 0: the profile's
	Selection
}

// ListEnd says how a listing ended.
type ListEnd struct {
	// Complete: whatever was not listed is not in the target.
	Complete bool
	// Reason says in plain words why a listing is not complete.
	Reason   string
	Distinct int // resources yielded
	Total    int // what the target said last; -1: nothing
	Pages    int
}

// Change is the new content of one attribute: either Replace is the whole content
// (empty: clear it), or Add and Remove hold a delta. Values are as JSON has them:
// string, bool, number, map[string]any.
type Change struct {
	Path    Path
	Multi   bool // it holds a list, also with one value; known for the attributes of the RFCs
	Delta   bool
	Replace []any
	Add     []any
	Remove  []any
}

// Update is a change of one resource.
type Update struct {
	Type    ResourceType
	ID      string
	Changes []Change
	// Current is the resource as it was read just now; nil: the client reads it
	// when the way of changing it needs that.
	Current Resource
	IfMatch string // version that it must still have; "": any
}

// MemberChange adds a member to a group or removes it.
type MemberChange struct {
	ID      string // of the member
	Display string // its name, where the target wants one
	Remove  bool
}

// BulkOp is one operation of a bulk request (RFC 7644 §3.7).
type BulkOp struct {
	Method  string
	Path    string // "/Users", "/Users/ID"
	BulkID  string
	Version string // version that the resource must still have; "": any
	Data    any
}

// BulkAnswer answers one operation of a bulk request.
type BulkAnswer struct {
	ID       string // of the resource; "" when not told
	Version  string
	Resource Resource // nil when not told
	Err      error    // nil: done
}

var _ = connector.CodeUnsupported
