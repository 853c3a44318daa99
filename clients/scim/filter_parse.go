package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxDepth bounds how deep a filter nests.
const maxDepth = 32

var comparisons = []Op{OpEqual, OpNotEqual, OpContains, OpStartsWith, OpEndsWith, OpGreater, OpGreaterEqual, OpLess, OpLessEqual}

// ParseFilter reads a filter by the grammar of RFC 7644 §3.4.2.2: "and" binds
// tighter than "or", names and operators go in any case.
func ParseFilter(text string) (Filter, error) {
	p := &filterParser{text: text}
	f, err := p.or()
	if err == nil && p.at < len(p.text) {
		err = p.fault("unexpected %q", p.text[p.at:])
	}
	if err != nil {
		return nil, fmt.Errorf("not a filter such as userName eq \"jane\": %w", err)
	}
	return f, nil
}

// filterParser reads filters and paths from the left to the right.
type filterParser struct {
	text  string
	at    int
	depth int
}

func (p *filterParser) fault(format string, args ...any) error {
	return fmt.Errorf("at character %d: %s", p.at+1, fmt.Sprintf(format, args...))
}

func (p *filterParser) spaces() (any bool) {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
		any = true
	}
	return any
}

// takes goes past s when it is next.
func (p *filterParser) takes(s string) bool {
	if !strings.HasPrefix(p.text[p.at:], s) {
		return false
	}
	p.at += len(s)
	return true
}

// peek returns the next word in lower case, without going past it.
func (p *filterParser) peek() string {
	end := p.at
	for end < len(p.text) && isLetter(p.text[end]) {
		end++
	}
	return strings.ToLower(p.text[p.at:end])
}

func (p *filterParser) or() (Filter, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return nil, p.fault("more than %d levels", maxDepth)
	}
	fs, err := p.list("or", p.and)
	if err != nil || len(fs) == 1 {
		return first(fs), err
	}
	return Or(fs), nil
}

func (p *filterParser) and() (Filter, error) {
	fs, err := p.list("and", p.unary)
	if err != nil || len(fs) == 1 {
		return first(fs), err
	}
	return And(fs), nil
}

func first(fs []Filter) Filter {
	if len(fs) == 0 {
		return nil
	}
	return fs[0]
}

// list reads operands with word between them.
func (p *filterParser) list(word string, operand func() (Filter, error)) ([]Filter, error) {
	var fs []Filter
	for {
		f, err := operand()
		if err != nil {
			return nil, err
		}
		fs = append(fs, f)
		before := p.at
		if !p.spaces() || p.peek() != word {
			p.at = before
			return fs, nil
		}
		p.at += len(word)
		if !p.spaces() {
			return nil, p.fault("a space is missing after %q", word)
		}
	}
}

func (p *filterParser) unary() (Filter, error) {
	p.spaces()
	if p.peek() == "not" {
		before := p.at
		p.at += len("not")
		p.spaces()
		if p.at < len(p.text) && p.text[p.at] == '(' {
			f, err := p.group()
			return Not{f}, err
		}
		p.at = before // an attribute called not
	}
	if p.at < len(p.text) && p.text[p.at] == '(' {
		return p.group()
	}
	return p.comparison()
}

func (p *filterParser) group() (Filter, error) {
	p.at++ // the parenthesis
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	p.spaces()
	if !p.takes(")") {
		return nil, p.fault("a ) is missing")
	}
	return f, nil
}

func (p *filterParser) comparison() (Filter, error) {
	path, err := p.path(false)
	if err != nil {
		return nil, err
	}
	if p.takes("[") {
		inner, err := p.or()
		if err != nil {
			return nil, err
		}
		p.spaces()
		if !p.takes("]") {
			return nil, p.fault("a ] is missing")
		}
		return Where{path, inner}, nil
	}
	if !p.spaces() {
		return nil, p.fault("an operator such as eq is missing")
	}
	op := Op(p.peek())
	p.at += len(op)
	switch {
	case op == OpPresent:
		return Compare{Path: path, Op: op}, nil
	case !slices.Contains(comparisons, op):
		return nil, p.fault("%q is no operator", string(op))
	case !p.spaces():
		return nil, p.fault("a value is missing")
	}
	v, err := p.value()
	return Compare{Path: path, Op: op, Value: v}, err
}

// value reads a JSON value that is no array and no object.
func (p *filterParser) value() (any, error) {
	rest := p.text[p.at:]
	if rest == "" || strings.ContainsAny(rest[:1], "[{") {
		return nil, p.fault("a value is missing")
	}
	d := json.NewDecoder(strings.NewReader(rest))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, p.fault("the value has no end")
		}
		return nil, p.fault("the value is not JSON")
	}
	p.at += int(d.InputOffset())
	return v, nil
}

// path reads an attribute path, with a filter in it when that is allowed.
func (p *filterParser) path(filtered bool) (Path, error) {
	var out Path
	if end := p.schemaEnd(); end > 0 {
		out.Schema = p.text[p.at:end]
		p.at = end + 1
		if strings.EqualFold(out.Schema, coreUser) || strings.EqualFold(out.Schema, coreGroup) {
			out.Schema = ""
		}
	}
	var err error
	if out.Attr, err = p.name(); err != nil {
		return out, err
	}
	if filtered && p.takes("[") {
		if out.Where, err = p.or(); err != nil {
			return out, err
		}
		p.spaces()
		if !p.takes("]") {
			return out, p.fault("a ] is missing")
		}
	}
	if p.takes(".") {
		out.Sub, err = p.name()
	}
	return out, err
}

// schemaEnd returns where the schema URI that is next ends: at the last colon
// before a space, bracket or quote. 0 when none is next.
func (p *filterParser) schemaEnd() int {
	rest := p.text[p.at:]
	if len(rest) < 4 || !strings.EqualFold(rest[:4], "urn:") {
		return 0
	}
	if stop := strings.IndexAny(rest, ` []()"`); stop >= 0 {
		rest = rest[:stop]
	}
	return p.at + strings.LastIndexByte(rest, ':')
}

func (p *filterParser) name() (string, error) {
	begin := p.at
	for p.at < len(p.text) {
		c := p.text[p.at]
		if !isLetter(c) && c != '$' && (p.at == begin || !bytes.ContainsAny([]byte{c}, "0123456789-_")) {
			break
		}
		p.at++
	}
	if p.at == begin {
		return "", p.fault("the name of an attribute is missing")
	}
	return p.text[begin:p.at], nil
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
