package fakeldap

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// fields are the parts of a schema definition (RFC 4512 §4.1): an OID, and what
// stands after each keyword.
type fields struct {
	oid   string
	lists map[string][]string
	flags map[string]bool
}

func (f fields) first(keyword string) string {
	if l := f.lists[keyword]; len(l) > 0 {
		return l[0]
	}
	return ""
}

var (
	definitionToken = regexp.MustCompile(`'[^']*'|[()$]|[^\s()$']+`)
	keywordsAlone   = []string{"SINGLE-VALUE", "NO-USER-MODIFICATION", "COLLECTIVE", "OBSOLETE", "ABSTRACT", "STRUCTURAL", "AUXILIARY"}
)

// parseDefinition reads "( OID KEYWORD value KEYWORD ( a $ b ) … )".
func parseDefinition(s string) (fields, error) {
	tokens := definitionToken.FindAllString(s, -1)
	f := fields{lists: map[string][]string{}, flags: map[string]bool{}}
	if len(tokens) < 3 || tokens[0] != "(" || tokens[len(tokens)-1] != ")" {
		return f, fmt.Errorf("%q is not in parentheses", s)
	}
	f.oid = tokens[1]
	tokens = tokens[2 : len(tokens)-1]
	for len(tokens) > 0 {
		keyword := tokens[0]
		tokens = tokens[1:]
		if slices.Contains(keywordsAlone, keyword) {
			f.flags[keyword] = true
			continue
		}
		if len(tokens) == 0 {
			return f, fmt.Errorf("%s: %s has no value", f.oid, keyword)
		}
		end := 1
		if tokens[0] == "(" {
			if end = slices.Index(tokens, ")") + 1; end == 0 {
				return f, fmt.Errorf("%s: the list of %s is not closed", f.oid, keyword)
			}
		}
		for _, t := range tokens[:end] {
			if t != "(" && t != ")" && t != "$" {
				f.lists[keyword] = append(f.lists[keyword], strings.Trim(t, "'"))
			}
		}
		tokens = tokens[end:]
	}
	return f, nil
}

// published is how a flavor shows a definition in its subschema. Active
// Directory leaves out matching rules and puts the syntax into quotes.
func (s *schema) published(definition string) string {
	if s.flavor != ActiveDirectory {
		return definition
	}
	for _, rule := range []string{"EQUALITY", "ORDERING", "SUBSTR"} {
		if before, after, ok := strings.Cut(definition, rule+" "); ok {
			_, after, _ = strings.Cut(after, " ")
			definition = before + after
		}
	}
	before, after, ok := strings.Cut(definition, "SYNTAX ")
	if !ok {
		return definition
	}
	oid, rest, _ := strings.Cut(after, " ")
	oid, _ = bound(oid)
	return before + "SYNTAX '" + oid + "' " + rest
}
