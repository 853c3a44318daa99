package query

import (
	"encoding/json"
	"fmt"
	"strings"
)

// maxDepth bounds how deep parentheses may nest.
const maxDepth = 100

// Parse reads a filter. The error is an [*Error].
//
//	or     = and *("or" and)
//	and    = term *("and" term)
//	term   = ["not"] "(" or ")"  |  attr "[" or "]"  |  attr "pr"  |  attr op value
//
// "[" may not stand within "[".
func Parse(text string) (Expr, error) {
	p, err := newParser(text)
	if err != nil {
		return nil, err
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	return e, p.end()
}

type parser struct {
	tokens []token
	next   int
	depth  int
	inside bool // within a value filter
}

func newParser(text string) (*parser, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	return &parser{tokens: tokens}, nil
}

func (p *parser) peek() token { return p.tokens[p.next] }

// take returns the next token and goes on; the end stays where it is.
func (p *parser) take() token {
	t := p.tokens[p.next]
	if t.kind != tokenEnd {
		p.next++
	}
	return t
}

func (p *parser) end() error {
	if t := p.peek(); t.kind != tokenEnd {
		return &Error{t.at, fmt.Sprintf("%s is left over", t)}
	}
	return nil
}

// expect takes the mark or says what stands in its place.
func (p *parser) expect(mark string) error {
	if t := p.take(); !t.is(mark) {
		return &Error{t.at, fmt.Sprintf("want %q, got %s", mark, t)}
	}
	return nil
}

func (p *parser) or() (Expr, error) {
	left, err := p.and()
	for err == nil && p.logical("or") {
		var right Expr
		right, err = p.and()
		left = Or{left, right}
	}
	return left, err
}

func (p *parser) and() (Expr, error) {
	left, err := p.term()
	for err == nil && p.logical("and") {
		var right Expr
		right, err = p.term()
		left = And{left, right}
	}
	return left, err
}

// logical takes the operator w, which stands between spaces or parentheses.
func (p *parser) logical(w string) bool {
	if !p.peek().word(w) {
		return false
	}
	p.next++
	return true
}

func (p *parser) term() (Expr, error) {
	t := p.take()
	switch {
	case t.is("("):
		return p.group()
	case t.word("not") && p.peek().is("("):
		p.next++
		e, err := p.group()
		return Not{e}, err
	case t.kind != tokenWord:
		return nil, &Error{t.at, fmt.Sprintf("want an attribute, got %s", t)}
	}
	a, err := parseAttr(t)
	if err != nil {
		return nil, err
	}
	if p.peek().is("[") {
		return p.valuePath(a)
	}
	return p.compare(a)
}

// group reads what follows "(" up to ")".
func (p *parser) group() (Expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, &Error{p.peek().at, fmt.Sprintf("more than %d parentheses are nested", maxDepth)}
	}
	e, err := p.or()
	p.depth--
	if err != nil {
		return nil, err
	}
	return e, p.expect(")")
}

// valuePath reads what follows the attribute before "[".
func (p *parser) valuePath(a Attr) (Expr, error) {
	open := p.take()
	if p.inside {
		return nil, &Error{open.at, `"[" stands within "["`}
	}
	p.inside = true
	e, err := p.or()
	p.inside = false
	if err != nil {
		return nil, err
	}
	return ValuePath{a, e}, p.expect("]")
}

// compare reads the operator and the value that follow an attribute.
func (p *parser) compare(a Attr) (Expr, error) {
	t := p.take()
	op := Op(strings.ToLower(t.text))
	if t.kind != tokenWord || !ops[op] {
		return nil, &Error{t.at, fmt.Sprintf("want an operator after %s, got %s", a, t)}
	}
	if op == Present {
		return Compare{Attr: a, Op: op}, nil
	}
	v := p.take()
	if !v.spaced {
		return nil, &Error{v.at, fmt.Sprintf("want a space after %q", t.text)}
	}
	value, err := parseValue(v)
	return Compare{a, op, value}, err
}

// parseValue reads a JSON string, number, true, false or null.
func parseValue(t token) (any, error) {
	switch {
	case t.kind == tokenString:
		return t.text, nil
	case t.kind == tokenWord:
		var v any
		dec := json.NewDecoder(strings.NewReader(t.text))
		dec.UseNumber()
		if err := dec.Decode(&v); err == nil && dec.InputOffset() == int64(len(t.text)) {
			return v, nil
		}
	}
	return nil, &Error{t.at, fmt.Sprintf("want a text in double quotes, a number, true, false or null; got %s", t)}
}
