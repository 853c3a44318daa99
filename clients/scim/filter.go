package scim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/provhub/provhub/connectors/connector"
)

// Filter is a filter of RFC 7644 §3.4.2.2 as a tree: a [Compare], [And], [Or],
// [Not] or [Where]. Values go in as values and never as text, so that no value can
// change what is asked.
type Filter interface {
	// String returns the canonical text: one space, lower-case operators, double
	// quotes, every and/or inside another in parentheses.
	String() string
	write(w *filterWriter)
}

// Op is a comparison.
type Op string

// The comparisons.
const (
	OpEqual        Op = "eq"
	OpNotEqual     Op = "ne"
	OpContains     Op = "co"
	OpStartsWith   Op = "sw"
	OpEndsWith     Op = "ew"
	OpPresent      Op = "pr" // takes no value
	OpGreater      Op = "gt"
	OpGreaterEqual Op = "ge"
	OpLess         Op = "lt"
	OpLessEqual    Op = "le"
)

// Compare compares one attribute. Value is a string, bool, number or nil, as JSON
// has them.
type Compare struct {
	Path  Path // without Where
	Op    Op
	Value any
}

// And holds when all of its filters do. It has at least one.
type And []Filter

// Or holds when one of its filters does. It has at least one.
type Or []Filter

// Not holds when its filter does not.
type Not struct{ Filter Filter }

// Where holds when one value of a multi-valued attribute passes the whole filter:
// emails[type eq "work" and value ew "@example.org"].
type Where struct {
	Path   Path // without Where and Sub
	Filter Filter
}

// Eq compares the attribute at path for equality. It panics when path is not one:
// paths are names of attributes, not data.
func Eq(path string, value any) Filter {
	return Compare{Path: MustPath(path), Op: OpEqual, Value: value}
}

// Present holds when the attribute at path has a value. It panics as [Eq] does.
func Present(path string) Filter { return Compare{Path: MustPath(path), Op: OpPresent} }

// String implements [Filter].
func (f Compare) String() string { return filterText(f) }

// String implements [Filter].
func (f And) String() string { return filterText(f) }

// String implements [Filter].
func (f Or) String() string { return filterText(f) }

// String implements [Filter].
func (f Not) String() string { return filterText(f) }

// String implements [Filter].
func (f Where) String() string { return filterText(f) }

func filterText(f Filter) string {
	w := &filterWriter{sep: ":"}
	f.write(w)
	return w.b.String()
}

// FilterText returns f as the target wants to read it. INVALID_VALUE when a value
// is not UTF-8.
func (p *Profile) FilterText(f Filter) (string, error) {
	w := &filterWriter{upper: p.FilterOpCase == FilterUpper, sep: p.separator()}
	if p.FilterParen == ParenAlways {
		w.depth = 1 // as if inside another
	}
	f.write(w)
	if w.notUTF8 {
		return "", connector.Errorf(connector.CodeInvalidValue, "a value to look for is not valid UTF-8")
	}
	return w.b.String(), nil
}

// filterWriter writes filters.
type filterWriter struct {
	b       strings.Builder
	upper   bool
	sep     string // between schema and attribute
	depth   int    // of and/or
	notUTF8 bool
}

func (w *filterWriter) word(s string) {
	if w.upper {
		s = strings.ToUpper(s)
	}
	w.b.WriteString(s)
}

func (f Compare) write(w *filterWriter) {
	w.b.WriteString(f.Path.text(w.sep))
	w.b.WriteByte(' ')
	w.word(string(f.Op))
	if f.Op == OpPresent {
		return
	}
	w.b.WriteByte(' ')
	if s, ok := f.Value.(string); ok && !utf8.ValidString(s) {
		w.notUTF8 = true
	}
	w.b.WriteString(literal(f.Value))
}

func (f And) write(w *filterWriter) { w.join("and", f) }
func (f Or) write(w *filterWriter)  { w.join("or", f) }

func (w *filterWriter) join(word string, fs []Filter) {
	if len(fs) == 1 {
		fs[0].write(w)
		return
	}
	inside := w.depth > 0
	if inside {
		w.b.WriteByte('(')
	}
	w.depth++
	for i, f := range fs {
		if i > 0 {
			w.b.WriteByte(' ')
			w.word(word)
			w.b.WriteByte(' ')
		}
		f.write(w)
	}
	w.depth--
	if inside {
		w.b.WriteByte(')')
	}
}

func (f Not) write(w *filterWriter) {
	w.word("not")
	w.b.WriteString(" (")
	depth := w.depth
	w.depth = 0 // the parentheses are there
	f.Filter.write(w)
	w.depth = depth
	w.b.WriteByte(')')
}

func (f Where) write(w *filterWriter) {
	w.b.WriteString(f.Path.text(w.sep))
	w.b.WriteByte('[')
	depth := w.depth
	w.depth = 0
	f.Filter.write(w)
	w.depth = depth
	w.b.WriteByte(']')
}

// literal writes a value as JSON does, without the escapes that only HTML needs:
// some targets compare text before they decode it.
func literal(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("scim: a filter cannot hold a %T", v))
	}
	return strings.TrimSuffix(b.String(), "\n")
}
