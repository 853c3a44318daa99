package library

import (
	"errors"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// MaxText bounds the text that one function gives, in bytes: a rule cannot
// blow up what it was given.
const MaxText = 1 << 16

// kind ties a Go type to the CEL type that stands for it.
type kind[T any] struct {
	name string // part of overload ids
	typ  *cel.Type
	in   func(ref.Val) (T, bool)
	out  func(T) ref.Val
}

// kinds lists the Go types that functions may take and give. A list that a
// function is given is not its own: it may be the source's.
var kinds = []any{
	kind[string]{"string", cel.StringType,
		func(v ref.Val) (string, bool) { s, ok := v.(types.String); return string(s), ok },
		textOut},
	kind[int64]{"int", cel.IntType,
		func(v ref.Val) (int64, bool) { n, ok := v.(types.Int); return int64(n), ok },
		func(n int64) ref.Val { return types.Int(n) }},
	kind[bool]{"bool", cel.BoolType,
		func(v ref.Val) (bool, bool) { b, ok := v.(types.Bool); return bool(b), ok },
		func(b bool) ref.Val { return types.Bool(b) }},
	kind[time.Time]{"timestamp", cel.TimestampType,
		func(v ref.Val) (time.Time, bool) { t, ok := v.(types.Timestamp); return t.Time, ok },
		func(t time.Time) ref.Val { return types.Timestamp{Time: t} }},
	kind[Date]{"date", DateType,
		func(v ref.Val) (Date, bool) { d, ok := v.(Date); return d, ok },
		func(d Date) ref.Val { return d }},
	kind[[]string]{"list", cel.ListType(cel.StringType), listIn,
		func(l []string) ref.Val { return types.NewStringList(types.DefaultTypeAdapter, l) }},
}

func kindOf[T any]() kind[T] {
	for _, k := range kinds {
		if k, ok := k.(kind[T]); ok {
			return k
		}
	}
	panic("library: a Go type without a CEL type")
}

func textOut(s string) ref.Val {
	if len(s) > MaxText {
		return types.WrapErr(errTooLong)
	}
	return types.String(s)
}

var errTooLong = faultf("the text grows beyond %d bytes", MaxText)

func listIn(v ref.Val) ([]string, bool) {
	if texts, ok := v.Value().([]string); ok {
		return texts, true
	}
	list, ok := v.(traits.Lister)
	if !ok {
		return nil, false
	}
	n, ok := list.Size().(types.Int)
	if !ok {
		return nil, false
	}
	out := make([]string, n)
	for i := range out {
		s, ok := list.Get(types.Int(i)).(types.String)
		if !ok {
			return nil, false
		}
		out[i] = string(s)
	}
	return out, true
}

// give turns what a function returned into a CEL value.
func give[R any](k kind[R], result R, err error) ref.Val {
	switch {
	case err == nil:
		return k.out(result)
	case errors.Is(err, ErrUnset):
		return unset
	}
	return types.WrapErr(err)
}

func f1[A, R any](name string, f func(A) (R, error)) cel.FunctionOpt {
	a, r := kindOf[A](), kindOf[R]()
	return cel.Overload(name+"_"+a.name, []*cel.Type{a.typ}, r.typ, cel.UnaryBinding(func(v ref.Val) ref.Val {
		x, ok := a.in(v)
		if !ok {
			return types.MaybeNoSuchOverloadErr(v)
		}
		result, err := f(x)
		return give(r, result, err)
	}))
}

func f2[A, B, R any](name string, f func(A, B) (R, error)) cel.FunctionOpt {
	a, b, r := kindOf[A](), kindOf[B](), kindOf[R]()
	id := name + "_" + a.name + "_" + b.name
	return cel.Overload(id, []*cel.Type{a.typ, b.typ}, r.typ, cel.BinaryBinding(func(v, w ref.Val) ref.Val {
		x, ok := a.in(v)
		y, ok2 := b.in(w)
		if !ok || !ok2 {
			return types.NoSuchOverloadErr()
		}
		result, err := f(x, y)
		return give(r, result, err)
	}))
}

func f3[A, B, C, R any](name string, f func(A, B, C) (R, error)) cel.FunctionOpt {
	a, b, c, r := kindOf[A](), kindOf[B](), kindOf[C](), kindOf[R]()
	id := name + "_" + a.name + "_" + b.name + "_" + c.name
	return cel.Overload(id, []*cel.Type{a.typ, b.typ, c.typ}, r.typ, cel.FunctionBinding(func(args ...ref.Val) ref.Val {
		x, ok := a.in(args[0])
		y, ok2 := b.in(args[1])
		z, ok3 := c.in(args[2])
		if !ok || !ok2 || !ok3 {
			return types.NoSuchOverloadErr()
		}
		result, err := f(x, y, z)
		return give(r, result, err)
	}))
}

// sure makes a function that cannot fail one that could.
func sure1[A, R any](f func(A) R) func(A) (R, error) {
	return func(a A) (R, error) { return f(a), nil }
}

func sure2[A, B, R any](f func(A, B) R) func(A, B) (R, error) {
	return func(a A, b B) (R, error) { return f(a, b), nil }
}
