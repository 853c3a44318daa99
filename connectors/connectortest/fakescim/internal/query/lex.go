package query

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

type tokenKind int

const (
	tokenEnd    tokenKind = iota
	tokenWord             // an attribute path, an operator, a number, true, false, null
	tokenString           // a JSON string; text is what it stands for
	tokenMark             // one of ( ) [ ]
)

// token is one word of a filter. spaced tells whether white space precedes it.
type token struct {
	kind   tokenKind
	text   string
	at     int
	spaced bool
}

func (t token) String() string {
	switch t.kind {
	case tokenEnd:
		return "the end"
	case tokenString:
		return "a text"
	}
	return fmt.Sprintf("%q", t.text)
}

func (t token) is(mark string) bool { return t.kind == tokenMark && t.text == mark }

// word reports whether t is the keyword w, in any case.
func (t token) word(w string) bool { return t.kind == tokenWord && strings.EqualFold(t.text, w) }

// lex cuts a filter into tokens; the last one is the end.
func lex(text string) ([]token, error) {
	if !utf8.ValidString(text) {
		return nil, &Error{0, "this is no UTF-8 text"}
	}
	var out []token
	spaced := false
	for i := 0; i < len(text); {
		c := text[i]
		t := token{at: i, spaced: spaced}
		switch {
		case c == ' ':
			spaced = true
			i++
			continue
		case strings.IndexByte("()[]", c) >= 0:
			t.kind, t.text = tokenMark, text[i:i+1]
			i++
		case c == '"':
			n, s, err := lexString(text[i:])
			if err != nil {
				return nil, &Error{i, err.Error()}
			}
			t.kind, t.text = tokenString, s
			i += n
		case wordChar(c):
			n := i
			for n < len(text) && wordChar(text[n]) {
				n++
			}
			t.kind, t.text = tokenWord, text[i:n]
			i = n
		default:
			r, _ := utf8.DecodeRuneInString(text[i:])
			return nil, &Error{i, fmt.Sprintf("%q has no place here", r)}
		}
		spaced = false
		out = append(out, t)
	}
	return append(out, token{kind: tokenEnd, at: len(text), spaced: spaced}), nil
}

// wordChar reports whether c may stand in a name, a URI or a number.
func wordChar(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("-_.:$+%/#~", c) >= 0
}

// lexString reads the JSON string that text begins with: its length in bytes and
// what it stands for.
func lexString(text string) (n int, s string, err error) {
	for n = 1; n < len(text) && text[n] != '"'; n++ {
		if text[n] == '\\' {
			n++
		}
	}
	if n >= len(text) {
		return 0, "", fmt.Errorf("the text has no closing quote")
	}
	n++
	if err := json.Unmarshal([]byte(text[:n]), &s); err != nil {
		return 0, "", fmt.Errorf("the text is no JSON string")
	}
	return n, s, nil
}
