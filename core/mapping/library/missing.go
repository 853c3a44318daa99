package library

import (
	"errors"
	"fmt"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// presentFunction gives a list of those of its texts that are not missing. The
// macros join and compact make it; nobody writes it.
const (
	presentFunction = "@present"
	presentMax      = 8 // texts in one call; a longer list takes several
)

func missingFunctions() []cel.EnvOption {
	of := cel.TypeParamType("T")
	return []cel.EnvOption{
		cel.Macros(cel.GlobalVarArgMacro("coalesce", coalesceMacro)),
		cel.Function("coalesce", cel.Overload("coalesce_value_value", []*cel.Type{of, of}, of,
			cel.OverloadIsNonStrict(), cel.BinaryBinding(coalesce))),
		cel.Function("is_empty", cel.Overload("is_empty_value", []*cel.Type{of}, cel.BoolType,
			cel.OverloadIsNonStrict(), cel.UnaryBinding(isEmpty))),
		cel.Function("try", cel.Overload("try_value_value", []*cel.Type{of, of}, of,
			cel.OverloadIsNonStrict(), cel.BinaryBinding(try))),
		cel.Function("unset", cel.Overload("unset_", nil, of,
			cel.FunctionBinding(func(...ref.Val) ref.Val { return unset }))),
		cel.Function("clear", cel.Overload("clear_", nil, of,
			cel.FunctionBinding(func(...ref.Val) ref.Val { return clear }))),
		cel.Function("fail", cel.Overload("fail_string", []*cel.Type{cel.StringType}, of,
			cel.UnaryBinding(fail))),
	}
}

// fail refuses this person with the rule's own words.
func fail(text ref.Val) ref.Val {
	s, ok := text.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(text)
	}
	return types.WrapErr(faultf("%s", string(s)))
}

// coalesce gives the first value unless it is missing or empty, else the second.
func coalesce(first, second ref.Val) ref.Val {
	if empty(first) {
		return second
	}
	return first
}

// try gives the first value unless a function refused to work it out, or it is
// missing; then the second.
func try(first, second ref.Val) ref.Val {
	err, ok := first.(*types.Err)
	if !ok || errors.Is(err, ErrUnset) || errors.Is(err, ErrClear) {
		return first
	}
	return second
}

func isEmpty(v ref.Val) ref.Val {
	if types.IsUnknownOrError(v) && !IsMissing(v) {
		return v
	}
	return types.Bool(empty(v))
}

// empty reports whether v is missing, blank text or a list without items.
func empty(v ref.Val) bool {
	switch x := v.(type) {
	case *types.Err:
		return IsMissing(v)
	case types.String:
		return blank(string(x))
	case traits.Lister:
		return x.Size() == types.IntZero
	case *types.Optional:
		return !x.HasValue()
	}
	return false
}

func present(values ...ref.Val) ref.Val {
	texts := make([]string, 0, len(values))
	for _, v := range values {
		if empty(v) {
			continue
		}
		s, ok := v.(types.String)
		if !ok {
			return types.MaybeNoSuchOverloadErr(v)
		}
		texts = append(texts, string(s))
	}
	return types.NewStringList(types.DefaultTypeAdapter, texts)
}

// presentOverloads are @present for one up to presentMax texts.
func presentOverloads() (out []cel.FunctionOpt) {
	text := cel.StringType
	for n := 1; n <= presentMax; n++ {
		id, args := fmt.Sprintf("present_%d", n), slices.Repeat([]*cel.Type{text}, n)
		binding := cel.FunctionBinding(present)
		switch n {
		case 1:
			binding = cel.UnaryBinding(func(v ref.Val) ref.Val { return present(v) })
		case 2:
			binding = cel.BinaryBinding(func(v, w ref.Val) ref.Val { return present(v, w) })
		}
		out = append(out, cel.Overload(id, args, cel.ListType(text), cel.OverloadIsNonStrict(), binding))
	}
	return out
}

// coalesceMacro lets coalesce take any number of values: the calls nest.
func coalesceMacro(f cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	if len(args) < 2 {
		at := int64(0)
		if len(args) > 0 {
			at = args[0].ID()
		}
		return nil, f.NewError(at, "coalesce() needs two values or more")
	}
	out := args[len(args)-1]
	for i := len(args) - 2; i >= 0; i-- {
		out = f.NewCall("coalesce", args[i], out)
	}
	return out, nil
}

func joinMacro(f cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	return f.NewCall("join", presentOnly(f, args[0]), args[1]), nil
}

func compactMacro(f cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	return f.NewCall("compact", presentOnly(f, args[0])), nil
}

// presentOnly makes a list that is written out leave out what is missing, where
// CEL would give up on the whole list: [a, b] becomes @present(a, b).
func presentOnly(f cel.MacroExprFactory, list ast.Expr) ast.Expr {
	if list.Kind() != ast.ListKind || list.AsList().Size() == 0 || len(list.AsList().OptionalIndices()) > 0 {
		return list
	}
	var out ast.Expr
	for some := range slices.Chunk(list.AsList().Elements(), presentMax) {
		part := f.NewCall(presentFunction, some...)
		if out == nil {
			out = part
			continue
		}
		out = f.NewCall(operators.Add, out, part)
	}
	return out
}
