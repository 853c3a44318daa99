package library

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// Unique is what unique() gives: not a value yet, but which values to try.
type Unique struct {
	Base string
	UniqueOptions
}

// UniqueOptions say how unique() makes the next value to try.
type UniqueOptions struct {
	Max       int    // characters of the whole; 0: no limit
	Separator string // between base and number
	Padding   int    // digits of the number at least
	Start     int    // first number; the base alone goes before it
	Suffix    string // after the number: "@example.com"
}

// DefaultUnique are the options that are not given: jdoe, jdoe2, jdoe3 …
var DefaultUnique = UniqueOptions{Start: 2}

// Candidate returns value number i, from 0: the base alone, then with a number.
// The base is cut before the number is added, so that the number is never lost.
// ok is false when Max leaves no room for the base.
func (u Unique) Candidate(i int) (value string, ok bool) {
	number := ""
	if i > 0 {
		number = fmt.Sprintf("%s%0*d", u.Separator, u.Padding, u.Start+i-1)
	}
	base := []rune(u.Base)
	if u.Max > 0 {
		room := u.Max - len([]rune(number)) - len([]rune(u.Suffix))
		if room < 1 {
			return "", false
		}
		base = base[:min(len(base), room)]
	}
	return string(base) + number + u.Suffix, true
}

// UniqueKeys are the names of the options.
var UniqueKeys = []string{"max", "padding", "separator", "start", "suffix"}

// uniqueNumber bounds the options that are numbers.
const uniqueNumberMax = 1_000_000

// Option sets the option called key. value is int64 or string.
func (o *UniqueOptions) Option(key string, value any) error {
	into := map[string]*int{"max": &o.Max, "padding": &o.Padding, "start": &o.Start}[key]
	switch {
	case into != nil:
		n, ok := value.(int64)
		if !ok || n < 0 || n > uniqueNumberMax {
			return faultf("the option %q of unique() is not a number from 0 to %d", key, uniqueNumberMax)
		}
		if key == "padding" && n > 9 {
			return faultf("the option \"padding\" of unique() is above 9 digits")
		}
		*into = int(n)
	case key == "separator" || key == "suffix":
		s, ok := value.(string)
		if !ok {
			return faultf("the option %q of unique() is not text", key)
		}
		if key == "separator" {
			o.Separator = s
		} else {
			o.Suffix = s
		}
	default:
		return faultf("unique() has no option %q; it has %s", key, strings.Join(UniqueKeys, ", "))
	}
	return nil
}

func uniqueFunctions() []cel.EnvOption {
	text := cel.StringType
	return []cel.EnvOption{
		cel.Function("unique",
			cel.Overload("unique_string", []*cel.Type{text}, UniqueType, cel.UnaryBinding(func(base ref.Val) ref.Val {
				return uniqueOf(base, DefaultUnique)
			})),
			cel.Overload("unique_string_map", []*cel.Type{text, cel.MapType(text, cel.DynType)}, UniqueType,
				cel.BinaryBinding(func(base, options ref.Val) ref.Val {
					o, err := uniqueOptions(options)
					if err != nil {
						return types.WrapErr(err)
					}
					return uniqueOf(base, o)
				}))),
	}
}

func uniqueOf(base ref.Val, o UniqueOptions) ref.Val {
	s, ok := base.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(base)
	}
	return &opaque{typ: UniqueType, value: Unique{Base: string(s), UniqueOptions: o}}
}

func uniqueOptions(v ref.Val) (UniqueOptions, error) {
	o := DefaultUnique
	m, ok := v.(traits.Mapper)
	if !ok {
		return o, faultf("the options of unique() are not a map")
	}
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		name, ok := key.Value().(string)
		if !ok || !slices.Contains(UniqueKeys, name) {
			return o, faultf("unique() has an unknown option; it has %s", strings.Join(UniqueKeys, ", "))
		}
		if err := o.Option(name, m.Get(key).Value()); err != nil {
			return o, err
		}
	}
	return o, nil
}
