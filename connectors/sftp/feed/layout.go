package feed

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// File is how the lines of a file are written.
type File struct {
	Name      string `json:"name" doc:"Name of the file with the accounts: people_{seq}.csv. Known: {seq}, {seq:6} (digits), {date}, {date:YYYYMMDD}, {time:hhmmss}, {run}, {mode}"`
	Format    string `json:"format,omitempty" enum:"csv,jsonl" default:"csv" doc:"csv, or jsonl: one JSON object a line"`
	Encoding  string `json:"encoding,omitempty" enum:"utf-8,utf-8-bom,utf-16le,utf-16be,windows-1252,iso-8859-1,iso-8859-15" default:"utf-8" doc:"Characters of the file; utf-16 begins with a byte order mark"`
	Delimiter string `json:"delimiter,omitempty" default:"," doc:"Character between two cells; \\t for a tab"`
	Quote     string `json:"quote,omitempty" enum:"minimal,all,none" default:"minimal" doc:"Which cells are quoted; none refuses values that would need it"`
	LineEnd   string `json:"line_end,omitempty" enum:"lf,crlf" default:"lf" doc:"End of each line"`
	NoHeader  bool   `json:"no_header,omitempty" doc:"The first row does not hold the headers"`
	Leader    string `json:"leader,omitempty" doc:"A line before everything else; {rows}, {seq}, {date}, {time} and {mode} are filled in"`
	Trailer   string `json:"trailer,omitempty" doc:"A line after everything else, such as TRAILER,{rows}"`
	TimeZone  string `json:"time_zone,omitempty" default:"UTC" doc:"Time zone of dates in names and of timestamps: Europe/Berlin"`
	Compress  string `json:"compress,omitempty" enum:"gzip" doc:"Compress the file; the name should end in .gz"`
}

// The kinds of columns.
const (
	KindAttribute = "attribute"
	KindState     = "state"
	KindAction    = "action"
	KindGroups    = "groups"
	KindConstant  = "constant"
)

// Column is one column of the file.
type Column struct {
	Name   string `json:"name,omitempty" doc:"Attribute of the account; for kind attribute"`
	Header string `json:"header,omitempty" doc:"Header of the column, or key in the JSON object; the attribute's name when left out"`
	Kind   string `json:"kind,omitempty" enum:"attribute,state,action,groups,constant" default:"attribute" doc:"state: whether the account can be used; action: what a row of a delta file asks for; groups: the groups held; constant: the same in each row"`
	Type   string `json:"type,omitempty" enum:"string,integer,double,bool,date,timestamp,reference" default:"string" doc:"Type of the attribute; reference holds the key of another account, such as the manager"`
	Format string `json:"format,omitempty" doc:"Of a date or timestamp: YYYY-MM-DD, DD.MM.YYYY hh:mm:ss"`
	True   string `json:"true,omitempty" default:"true" doc:"How a bool that holds is written"`
	False  string `json:"false,omitempty" default:"false" doc:"How a bool that does not hold is written"`

	Enabled  string `json:"enabled,omitempty" default:"active" doc:"kind state: an account that can be used"`
	Disabled string `json:"disabled,omitempty" default:"disabled" doc:"kind state: a disabled account"`
	Deleted  string `json:"deleted,omitempty" default:"deleted" doc:"kind state: a deleted account, with on_delete: mark and in delta files"`
	Value    string `json:"value,omitempty" doc:"kind constant: what each row holds"`

	Multi     bool     `json:"multi,omitempty" doc:"The attribute has several values"`
	Separator string   `json:"separator,omitempty" default:"|" doc:"Between several values or groups in one cell"`
	Required  bool     `json:"required,omitempty" doc:"An account without it is refused"`
	MaxLength int      `json:"max_length,omitempty" doc:"Most characters of a value; a longer one is refused, never cut"`
	Only      []string `json:"only,omitempty" doc:"The only values that the receiver knows"`
	// FormulaGuard is for files that people open (QUIRKS FILE-13).
	FormulaGuard bool `json:"formula_guard,omitempty" doc:"Put ' before cells that a spreadsheet would run as a formula; wrong for files that only machines read"`
}

// Actions are the words of the action column.
type Actions struct {
	Create  string `json:"create,omitempty" default:"A" doc:"A new account"`
	Update  string `json:"update,omitempty" default:"U" doc:"A changed account"`
	Disable string `json:"disable,omitempty" doc:"A disabled account; update when left out"`
	Enable  string `json:"enable,omitempty" doc:"An account that is enabled again; update when left out"`
	Delete  string `json:"delete,omitempty" default:"D" doc:"An account that is gone"`
}

// Memberships is a second file with one row for each group of each account.
type Memberships struct {
	Name    string `json:"name" doc:"Name of the file: members_{seq}.csv; {file} is the name of the accounts' file"`
	Account string `json:"account,omitempty" default:"account" doc:"Header of the column with the account's key"`
	Group   string `json:"group,omitempty" default:"group" doc:"Header of the column with the group"`
	Action  string `json:"action,omitempty" default:"action" doc:"Header of the column that says whether a membership is added or removed; delta files only"`
	Add     string `json:"add,omitempty" default:"A" doc:"Action: from now on a member"`
	Remove  string `json:"remove,omitempty" default:"D" doc:"Action: no longer a member"`
}

// Layout is all that decides what the bytes of a file are.
type Layout struct {
	File        File         `json:"file"`
	Columns     []Column     `json:"columns"`
	Actions     Actions      `json:"actions"`
	Memberships *Memberships `json:"memberships,omitempty"`
	Key         string       `json:"key"` // attribute that names an account
	// DropDisabled and MarkDeleted say what becomes of the row of an account that is
	// disabled or deleted; without them the state column tells, or the row goes.
	DropDisabled bool `json:"drop_disabled"`
	MarkDeleted  bool `json:"mark_deleted"`
}

// Title returns what a column is called in the file.
func (c *Column) Title() string {
	if c.Header != "" {
		return c.Header
	}
	return c.Name
}

// IsAttribute reports whether the column holds an attribute.
func (c *Column) IsAttribute() bool { return c.Kind == "" || c.Kind == KindAttribute }

// Column returns the column of an attribute, nil when there is none.
func (l *Layout) Column(attribute string) *Column {
	i := slices.IndexFunc(l.Columns, func(c Column) bool { return c.IsAttribute() && c.Name == attribute })
	if i < 0 {
		return nil
	}
	return &l.Columns[i]
}

// Of returns the column of a kind, nil when there is none.
func (l *Layout) Of(kind string) *Column {
	i := slices.IndexFunc(l.Columns, func(c Column) bool { return c.Kind == kind })
	if i < 0 {
		return nil
	}
	return &l.Columns[i]
}

// Fingerprint names the layout: lines written under another one are not used.
func (l *Layout) Fingerprint() string {
	b, err := json.Marshal(l)
	if err != nil {
		panic(err) // plain text and numbers always encode
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// delimiter returns the character between cells.
func (f *File) delimiter() string {
	switch f.Delimiter {
	case "":
		return ","
	case `\t`:
		return "\t"
	}
	return f.Delimiter
}

func (f *File) lineEnd() string {
	if f.LineEnd == "crlf" {
		return "\r\n"
	}
	return "\n"
}

func (f *File) isJSON() bool { return f.Format == "jsonl" }

// State is whether an account can be used.
type State string

// The states.
const (
	Enabled  State = "e"
	Disabled State = "d"
	Deleted  State = "x" // kept for the files' sake; to the hub it is gone
)

// Row is one account.
type Row struct {
	State      State                `json:"s"`
	Attributes connector.Attributes `json:"a,omitempty"`
	Groups     []string             `json:"g,omitempty"` // sorted
}

// Action is what a row of a delta file asks for.
type Action string

// The actions.
const (
	NoAction Action = "" // a row of a full file
	Create   Action = "create"
	Update   Action = "update"
	Disable  Action = "disable"
	Enable   Action = "enable"
	Delete   Action = "delete"
)

func (a *Actions) word(x Action) string {
	switch x {
	case Create:
		return a.Create
	case Delete:
		return a.Delete
	case Disable:
		return firstOf(a.Disable, a.Update)
	case Enable:
		return firstOf(a.Enable, a.Update)
	}
	return a.Update
}

func firstOf(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}

// Shows reports whether an account has a row in a full file.
func (l *Layout) Shows(r *Row) bool {
	switch {
	case r == nil:
		return false
	case r.State == Deleted:
		return l.MarkDeleted
	case r.State == Disabled:
		return !l.DropDisabled
	}
	return true
}

// ActionOf returns what a delta file says of an account that was was and is is; nil
// is one that has no row. ok is false when there is nothing to say.
func (l *Layout) ActionOf(was, is *Row) (a Action, ok bool) {
	before, after := l.Shows(was), l.Shows(is)
	switch {
	case !before && !after:
		return NoAction, false
	case !before:
		return Create, true
	case !after, is.State == Deleted && was.State != Deleted:
		return Delete, true
	case was.State == Enabled && is.State == Disabled:
		return Disable, true
	case was.State == Disabled && is.State == Enabled:
		return Enable, true
	}
	return Update, true
}

// headers returns the header row, in the layout's order.
func (l *Layout) headers() []string {
	out := make([]string, len(l.Columns))
	for i := range l.Columns {
		out[i] = l.Columns[i].Title()
	}
	return out
}

func (m *Memberships) headers(delta bool) []string {
	if delta {
		return []string{m.Action, m.Account, m.Group}
	}
	return []string{m.Account, m.Group}
}

// fold returns a header as headers are compared.
func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
