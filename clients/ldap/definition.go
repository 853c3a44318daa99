package ldap

import "strings"

// definition is one schema description in parentheses (RFC 4512 §4.1), read
// without knowing its keywords: a keyword has a list of words or stands alone.
type definition struct {
	oid   string
	names []string
	lists map[string][]string
	flags map[string]bool
}

func (d definition) first(keyword string) string {
	if l := d.lists[keyword]; len(l) > 0 {
		return l[0]
	}
	return ""
}

// flagWords stand alone.
var flagWords = map[string]bool{"OBSOLETE": true, "SINGLE-VALUE": true, "COLLECTIVE": true, "NO-USER-MODIFICATION": true,
	"ABSTRACT": true, "STRUCTURAL": true, "AUXILIARY": true}

// parseDefinition reads what it can; text that is no definition gives no names.
func parseDefinition(text string) definition {
	d := definition{lists: map[string][]string{}, flags: map[string]bool{}}
	words := tokens(text)
	if len(words) < 2 || words[0] != "(" {
		return d
	}
	d.oid = words[1]
	for i := 2; i < len(words); {
		keyword := words[i]
		i++
		if flagWords[keyword] {
			d.flags[keyword] = true
			continue
		}
		var list []string
		list, i = values(words, i)
		d.lists[keyword] = list
	}
	d.names = d.lists["NAME"]
	return d
}

// values reads one word, or words in parentheses, with or without $ between.
func values(words []string, i int) ([]string, int) {
	if i >= len(words) || words[i] == ")" {
		return nil, i + 1
	}
	if words[i] != "(" {
		return []string{words[i]}, i + 1
	}
	var out []string
	for i++; i < len(words) && words[i] != ")"; i++ {
		if words[i] != "$" {
			out = append(out, words[i])
		}
	}
	return out, i + 1
}

// tokens splits a definition into parentheses, $, words and quoted strings
// (without their quotes).
func tokens(s string) []string {
	var out []string
	for s = strings.TrimLeft(s, " \t\n"); s != ""; s = strings.TrimLeft(s, " \t\n") {
		switch s[0] {
		case '(', ')', '$':
			out, s = append(out, s[:1]), s[1:]
		case '\'':
			word, rest, _ := strings.Cut(s[1:], "'")
			out, s = append(out, word), rest
		default:
			n := strings.IndexAny(s, " \t\n()$'")
			if n < 0 {
				n = len(s)
			}
			out, s = append(out, s[:n]), s[n:]
		}
	}
	return out
}
