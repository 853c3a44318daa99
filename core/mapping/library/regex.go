package library

import (
	"regexp"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

var patterns = memo[*regexp.Regexp]{make: compilePattern}

// compilePattern compiles RE2. Patterns are literals and checked at load.
func compilePattern(text string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, faultf("%s", err)
	}
	return re, nil
}

var noMatch = Missing("what the pattern looks for")

func regexFunctions() []cel.EnvOption {
	text := cel.StringType
	return []cel.EnvOption{
		cel.Function("regex_replace", f3("regex_replace", regexReplace)),
		cel.Function("regex_find", cel.Overload("regex_find_string_string", []*cel.Type{text, text}, text,
			cel.BinaryBinding(regexFind))),
	}
}

// regexReplace replaces every match; $1 or ${name} in with are the groups.
func regexReplace(s, pattern, with string) (string, error) {
	re, err := patterns.get(pattern)
	if err != nil {
		return "", err
	}
	var out []byte
	last := 0
	for _, m := range re.FindAllStringSubmatchIndex(s, -1) {
		out = append(out, s[last:m[0]]...)
		out = re.ExpandString(out, with, s, m)
		if last = m[1]; len(out) > MaxText {
			return "", errTooLong
		}
	}
	return string(append(out, s[last:]...)), nil
}

// regexFind gives the first match, or the first group when the pattern has one;
// it is missing when nothing matches.
func regexFind(s, pattern ref.Val) ref.Val {
	text, ok := s.(types.String)
	source, ok2 := pattern.(types.String)
	if !ok || !ok2 {
		return types.NoSuchOverloadErr()
	}
	re, err := patterns.get(string(source))
	if err != nil {
		return types.WrapErr(err)
	}
	found := re.FindStringSubmatchIndex(string(text))
	switch {
	case found == nil:
		return noMatch
	case len(found) > 2 && found[2] >= 0:
		return text[found[2]:found[3]]
	}
	return text[found[0]:found[1]]
}
