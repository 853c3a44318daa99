package library

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// Lookup gives the functions that read the lookup tables of one config.
func Lookup(tables map[string]map[string]string) cel.EnvOption {
	text, value := cel.StringType, cel.TypeParamType("V")
	key := cel.TypeParamType("K")
	inline := cel.MapType(key, value)
	find := func(name, key ref.Val) (string, bool, error) {
		n, ok := name.(types.String)
		k, ok2 := key.(types.String)
		if !ok || !ok2 {
			return "", false, faultf("a table and its keys are named by text")
		}
		found, ok := tables[string(n)][string(k)]
		return found, ok, nil
	}
	return cel.Function("lookup",
		cel.Overload("lookup_string_string", []*cel.Type{text, text}, text, cel.BinaryBinding(func(name, key ref.Val) ref.Val {
			found, ok, err := find(name, key)
			if err == nil && !ok {
				err = faultf("the table %q has no row for the value, and the rule no default", name.Value())
			}
			return give(kindOf[string](), found, err)
		})),
		cel.Overload("lookup_string_string_string", []*cel.Type{text, text, text}, text, cel.FunctionBinding(func(args ...ref.Val) ref.Val {
			found, ok, err := find(args[0], args[1])
			if err == nil && !ok {
				return args[2]
			}
			return give(kindOf[string](), found, err)
		})),
		cel.Overload("lookup_map_value_value", []*cel.Type{inline, key, value}, value, cel.FunctionBinding(func(args ...ref.Val) ref.Val {
			m, ok := args[0].(traits.Mapper)
			if !ok {
				return types.NoSuchOverloadErr()
			}
			if found, ok := m.Find(args[1]); ok {
				return found
			}
			return args[2]
		})),
	)
}
