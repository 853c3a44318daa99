package query

import "strings"

// Layout is how a filter is written, apart from what it means.
type Layout struct {
	// Spaces: there are more or fewer than one between words.
	Spaces bool
	// Operators are the comparisons and logical operators, as written.
	Operators []string
	// Mixed: "and" stands beside "or" without parentheses.
	Mixed bool
}

// LayoutOf looks at a text that [Parse] understands.
func LayoutOf(text string) Layout {
	var l Layout
	tokens, err := lex(text)
	if err != nil {
		return l
	}
	l.Spaces = strings.TrimSpace(text) != text || spacedTwice(text, tokens)
	levels := []map[string]bool{{}}
	for i, t := range tokens {
		switch {
		case t.is("("), t.is("["):
			levels = append(levels, map[string]bool{})
		case t.is(")"), t.is("]"):
			levels = levels[:max(1, len(levels)-1)]
		case t.kind == tokenWord && operator(tokens, i):
			l.Operators = append(l.Operators, t.text)
			here := levels[len(levels)-1]
			here[strings.ToLower(t.text)] = true
			l.Mixed = l.Mixed || here["and"] && here["or"]
		}
	}
	return l
}

// operator reports whether token i is an operator: it follows an attribute, or
// what a comparison or a group ends with.
func operator(tokens []token, i int) bool {
	t := tokens[i]
	if t.word("not") && tokens[i+1].is("(") {
		return true
	}
	if i == 0 {
		return false
	}
	prev := tokens[i-1]
	if t.word("and") || t.word("or") {
		return prev.kind == tokenString || prev.is(")") || prev.is("]") || prev.word("pr") || i >= 2 && tokens[i-2].kind == tokenWord && ops[Op(strings.ToLower(tokens[i-2].text))]
	}
	return ops[Op(strings.ToLower(t.text))] && prev.kind == tokenWord
}

// spacedTwice reports whether two spaces follow each other outside of texts, or a
// parenthesis has one on its inner side.
func spacedTwice(text string, tokens []token) bool {
	for i, t := range tokens[:len(tokens)-1] {
		next := tokens[i+1]
		gap := text[t.at:next.at]
		if t.kind != tokenString && strings.HasSuffix(gap, "  ") || t.kind == tokenString && strings.HasSuffix(gap, `"  `) {
			return true
		}
		if next.spaced && (t.is("(") || t.is("[") || next.is(")") || next.is("]")) {
			return true
		}
	}
	return false
}
