// Package source is the contract of a reader of people and groups.
package source

import (
	"context"
	"time"

	"github.com/provhub/provhub/core/identity"
)

// Record is one identity as it stands in the source. The reader yields the same
// Record again and again: a caller that keeps anything copies it first.
type Record struct {
	Kind identity.Kind
	// Anchor may share memory with the whole row: strings.Clone what is kept.
	Anchor string
	// Hash covers every configured attribute, in a form that does not depend on
	// the order of columns or rows.
	Hash identity.Hash
	// Position tells where it stands, as "hr.csv:17". It is a function, like
	// Attributes, because it costs memory and is wanted for few records only.
	Position func() string
	// Fault is set for a record that could not be read well. It has an anchor and
	// nothing else that can be relied on; its identity counts as present.
	Fault *Fault
	// Attributes decodes the record. It is called only for records that changed,
	// and only until yield returns; then the record's memory is used again.
	Attributes func() identity.Attributes
}

// Fault is one thing wrong with a record.
type Fault struct {
	Position string `json:"position"`         // "hr.csv:17"
	Anchor   string `json:"anchor,omitempty"` // "" when it could not be read
	Field    string `json:"field,omitempty"`  // the column at fault
	Reason   string `json:"reason"`           // one sentence: what is wrong and what was expected; no personal values
}

// String says where, and what.
func (f Fault) String() string { return f.Position + ": " + f.Reason }

// Report says how a reading went.
type Report struct {
	// Snapshot names the content: the hex SHA-256 of what was read.
	Snapshot string `json:"snapshot"`
	// Dated is the date the source itself gives (a manifest, else the time the
	// file was last written).
	Dated time.Time `json:"dated,omitzero"`
	// Complete: whoever was not read is not in the source. Only then may anyone
	// be taken to have left. Incomplete says why not, one plain sentence each.
	Complete   bool     `json:"complete"`
	Incomplete []string `json:"incomplete,omitempty"`
	Rows       int      `json:"rows"`
	// Faults are the bad rows, the first hundred; FaultCount counts them all.
	Faults     []Fault  `json:"faults,omitempty"`
	FaultCount int      `json:"fault_count"`
	Warnings   []string `json:"warnings,omitempty"`
}

// Type is the type of an attribute.
type Type string

// The types of attributes.
const (
	Text    Type = "text"
	Integer Type = "integer"
	Number  Type = "number"
	Bool    Type = "bool"
	Date    Type = "date" // text in the form 2026-03-31
	List    Type = "list" // list of text
)

// Field is one attribute that a source supplies.
type Field struct {
	Name string
	Type Type
}

// Reader reads one source from beginning to end, as a stream.
type Reader interface {
	// Fields lists what every record may have, sorted by name.
	Fields() []Field
	// Read calls yield once for each record, in the source's order, and stops at
	// yield's first error, which it returns. A source that cannot be used at all
	// (no such file, a missing column, too many bad rows) is an error that says
	// what to do; one that was read only in part is a Report with Complete false.
	Read(ctx context.Context, yield func(*Record) error) (Report, error)
}

// Fingerprinter is implemented by a reader that can name the content of its
// source much faster than it can read it.
type Fingerprinter interface {
	// Fingerprint returns the Snapshot and the date that a Read would report now,
	// and the error it would fail with when that can be told without decoding.
	Fingerprint(ctx context.Context) (snapshot string, dated time.Time, err error)
}
