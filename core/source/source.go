// Package source is the contract of a reader of people and groups.
package source

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/provhub/provhub/core/identity"
)

// Record is one identity as it stands in the source. The reader yields the same
// Record again and again: a caller that keeps anything copies it first.
type Record struct {
	Kind identity.Kind
	// Anchor may share memory with the whole row: strings.Clone what is kept. "" for
	// a Deleted record of which the source tells no more than its ID.
	Anchor string
	// ID is the source's own name for the record, where that is not the anchor: an
	// entryUUID. "": the anchor.
	ID string
	// Name is what groups call it by as a member, and attributes of type [Reference]:
	// a DN, in a form that is compared byte by byte. "": nobody can name it.
	Name string
	// Members returns the names of a group's members; nil for people. It is called
	// for records that changed only, like Attributes.
	Members func() []string
	// Deleted: the source says that the identity is gone. Only in a delta.
	Deleted bool
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
	// Delta: only what changed since an earlier reading was read. Whoever is not in
	// it is as before.
	Delta bool `json:"delta,omitempty"`
	// Token is where [Incremental.Changes] goes on; nil: the whole is to be read.
	Token []byte `json:"token,omitempty"`
	Rows  int    `json:"rows"`
	// Faults are the bad rows, the first hundred; FaultCount counts them all.
	Faults     []Fault  `json:"faults,omitempty"`
	FaultCount int      `json:"fault_count"`
	Warnings   []string `json:"warnings,omitempty"`
	// Conflicts are values of which two sources say different things, the first
	// hundred; ConflictCount counts them all.
	Conflicts     []Conflict `json:"conflicts,omitempty"`
	ConflictCount int        `json:"conflict_count,omitempty"`
}

// Conflict is an attribute of which two sources say different things. It holds
// personal values: it is shown to who asks for it, and never logged.
type Conflict struct {
	Position  string `json:"position"`
	Anchor    string `json:"anchor"`
	Attribute string `json:"attribute"`
	Ours      string `json:"ours"`
	Owner     string `json:"owner"` // the source whose value counts
	Theirs    string `json:"theirs"`
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
	// Reference is a text that names a person of the same source as [Record.Name]
	// does, such as a DN. Rules see that person's anchor.
	Reference Type = "reference"
)

// Field is one attribute that a source supplies.
type Field struct {
	Name string
	Type Type
}

// Named reports whether people are named by groups, or by attributes of type
// [Reference], so that they need a [Record.Name]. groups nil: there are none.
func Named(people, groups []Field) bool {
	return groups != nil || slices.ContainsFunc(people, func(f Field) bool { return f.Type == Reference })
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
	// [errors.ErrUnsupported] when it cannot be told after all.
	Fingerprint(ctx context.Context) (snapshot string, dated time.Time, err error)
}

// ErrTokenExpired is what Changes fails with when the source cannot tell any more
// what happened since the token: it was restored, another server answers, or too
// much time has passed. The whole is read then.
var ErrTokenExpired = errors.New("the source cannot tell any more what changed since the last reading")

// Incremental is implemented by a reader whose source can tell what changed.
type Incremental interface {
	// Changes calls yield for each record that was added, changed or deleted since
	// token, which came with the Report of an earlier Read or Changes. The same
	// record may come more than once; the last one counts. The Report is a delta.
	// [ErrTokenExpired] when the token is of no use any more.
	Changes(ctx context.Context, token []byte, yield func(*Record) error) (Report, error)
}

// Watcher is implemented by a reader whose source tells at once that something
// changed.
type Watcher interface {
	// Watch calls changed whenever something may have changed since token, until ctx
	// ends or the connection breaks; the error says which. It reads nothing for the
	// caller: Changes does.
	Watch(ctx context.Context, token []byte, changed func()) error
}

// Single is implemented by a reader that can read one identity faster than all.
type Single interface {
	// ReadOne calls yield for the record with this anchor as it is now. A source
	// that can be sure that there is none yields it as Deleted; otherwise
	// [ErrNotThere].
	ReadOne(ctx context.Context, kind identity.Kind, anchor string, yield func(*Record) error) error
}

// ErrNotThere says that an identity was not found, which does not mean that it is gone.
var ErrNotThere = errors.New("not in the source")

// Decoder is implemented by a reader that can read one record which did not come
// from the source itself.
type Decoder interface {
	// Decode calls yield for a raw record, in the form in which the source tells it:
	// the header's names and the cells of a row. What is wrong with it is an error
	// that names the field.
	Decode(ctx context.Context, raw map[string]any, yield func(*Record) error) error
}

// Grouped is implemented by a reader of a source that has groups.
type Grouped interface {
	// GroupFields lists what every group may have, sorted by name; nil: there are
	// no groups. A group's field "name" is what people's groups are told by; without
	// it, that is the anchor.
	GroupFields() []Field
}

// Committer is implemented by a reader that has something to do once what it read is
// kept, such as putting a file away.
type Committer interface {
	// Committed is called after the reading that this reader gave or named last was
	// taken over without reserve. What it cannot do is worth a warning, no more.
	Committed(ctx context.Context) error
}

// Noter is implemented by a reader that notices things without reading.
type Noter interface {
	// Notes returns what the last [Fingerprinter] call came upon, a sentence each, and
	// the token that takes the place of the one before; nil: that stays.
	Notes() (warnings []string, token []byte)
}
