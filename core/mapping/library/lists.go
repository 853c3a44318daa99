package library

import (
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

var noItem = Missing("the item of the list")

func listFunctions() []cel.EnvOption {
	of := cel.TypeParamType("T")
	list := cel.ListType(of)
	return []cel.EnvOption{
		cel.Macros(
			cel.GlobalMacro("join", 2, joinMacro),
			cel.GlobalMacro("compact", 1, compactMacro),
		),
		cel.Function("join", f2("join", join)),
		cel.Function("compact", f1("compact", sure1(compact))),
		cel.Function(presentFunction, presentOverloads()...),
		cel.Function("split", f2("split", sure2(split))),
		cel.Function("at", cel.Overload("at_list_int", []*cel.Type{list, cel.IntType}, of, cel.BinaryBinding(at))),
		cel.Function("dedupe", f1("dedupe", sure1(dedupe))),
		cel.Function("sort", f1("sort", sure1(sorted))),
	}
}

// join puts the texts that are not empty together.
func join(texts []string, separator string) (string, error) {
	kept := compact(texts)
	size := len(separator) * len(kept)
	for _, t := range kept {
		size += len(t)
	}
	if size > MaxText {
		return "", errTooLong
	}
	return strings.Join(kept, separator), nil
}

// compact leaves out empty texts.
func compact(texts []string) []string {
	if !slices.ContainsFunc(texts, blank) {
		return texts
	}
	return slices.DeleteFunc(slices.Clone(texts), blank)
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// split cuts at each separator; the text "" has no parts. An empty separator
// cuts at white space.
func split(s, separator string) []string {
	switch {
	case separator == "":
		return strings.Fields(s)
	case s == "":
		return nil
	}
	return strings.Split(s, separator)
}

// at gives item number i; -1 is the last. It is missing outside of the list.
func at(list, i ref.Val) ref.Val {
	l, ok := list.(traits.Lister)
	n, ok2 := i.(types.Int)
	if !ok || !ok2 {
		return types.NoSuchOverloadErr()
	}
	size, ok := l.Size().(types.Int)
	if !ok {
		return types.NoSuchOverloadErr()
	}
	if n < 0 {
		n += size
	}
	if n < 0 || n >= size {
		return noItem
	}
	return l.Get(n)
}

func dedupe(texts []string) []string {
	seen := make(map[string]bool, len(texts))
	return slices.DeleteFunc(slices.Clone(texts), func(s string) bool {
		was := seen[s]
		seen[s] = true
		return was
	})
}

func sorted(texts []string) []string {
	out := slices.Clone(texts)
	slices.Sort(out)
	return out
}

func listContains(texts []string, text string) bool { return slices.Contains(texts, text) }
