package mapping

import (
	"math"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/mapping/library"
)

func isText(t *cel.Type) bool { return t.Kind() == types.StringKind }

// isValue reports whether an attribute can hold what a rule of type t gives.
func isValue(t *cel.Type) bool {
	if t.Kind() == types.ListKind {
		e := t.Parameters()[0]
		return e.Kind() != types.ListKind && isValue(e) && e.TypeName() != library.UniqueType.TypeName()
	}
	switch t.Kind() {
	case types.StringKind, types.IntKind, types.UintKind, types.DoubleKind, types.BoolKind, types.BytesKind,
		types.TimestampKind, types.DynKind, types.AnyKind, types.TypeParamKind, types.OpaqueKind:
		return true
	case types.MapKind:
		return isText(t.Parameters()[0]) || t.Parameters()[0].Kind() == types.DynKind
	case types.StructKind:
		return t.TypeName() == library.DateType.TypeName()
	}
	return false
}

// optionalName is what CEL calls its optional type.
const optionalName = "optional_type"

// unwrapOptional gives the type inside an optional.
func unwrapOptional(t *cel.Type) *cel.Type {
	if t.Kind() == types.OpaqueKind && t.TypeName() == optionalName && len(t.Parameters()) == 1 {
		return t.Parameters()[0]
	}
	return t
}

func refuse(text string) error { return &library.Fault{Text: text} }

// valuesOf turns a rule's result into an attribute's values. An empty list has
// none: that is unset, never clear, as a missing source value may be behind it.
func valuesOf(v ref.Val) (connector.Values, error) {
	list, ok := v.(traits.Lister)
	if !ok {
		one, err := valueOf(v)
		if err != nil {
			return nil, err
		}
		return connector.Values{one}, nil
	}
	n, ok := list.Size().(types.Int)
	if !ok {
		return nil, refuse("the list has no size")
	}
	out := make(connector.Values, 0, n)
	for i := types.Int(0); i < n; i++ {
		one, err := valueOf(list.Get(i))
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func valueOf(v ref.Val) (connector.Value, error) {
	switch x := v.(type) {
	case types.String:
		return string(x), nil
	case types.Bool:
		return bool(x), nil
	case types.Int:
		return int64(x), nil
	case types.Uint:
		if x > math.MaxInt64 {
			return nil, refuse("the number is too large")
		}
		return int64(x), nil
	case types.Double:
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return nil, refuse("the number is not finite")
		}
		return float64(x), nil
	case types.Bytes:
		return []byte(x), nil
	case types.Timestamp:
		return x.Time.UTC(), nil
	case library.Date:
		return connector.Date(x), nil
	case traits.Mapper:
		return objectOf(x)
	}
	if r, ok := v.Value().(connector.Ref); ok {
		return r, nil
	}
	return nil, refuse("the rule gives a value that no attribute can hold: " + v.Type().TypeName())
}

// objectOf turns a map into a JSON object; in it, dates and times are text and
// all numbers are float64, as they come back from JSON.
func objectOf(m traits.Mapper) (map[string]any, error) {
	out := map[string]any{}
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		name, ok := key.(types.String)
		if !ok {
			return nil, refuse("the keys of an object are texts")
		}
		v, err := jsonOf(m.Get(key))
		if err != nil {
			return nil, err
		}
		out[string(name)] = v
	}
	return out, nil
}

func jsonOf(v ref.Val) (any, error) {
	if list, ok := v.(traits.Lister); ok {
		n, _ := list.Size().(types.Int)
		out := make([]any, 0, n)
		for i := types.Int(0); i < n; i++ {
			one, err := jsonOf(list.Get(i))
			if err != nil {
				return nil, err
			}
			out = append(out, one)
		}
		return out, nil
	}
	one, err := valueOf(v)
	if err != nil {
		return nil, err
	}
	switch x := one.(type) {
	case connector.Date:
		return string(x), nil
	case time.Time:
		return x.Format(time.RFC3339Nano), nil
	case int64:
		return float64(x), nil
	case connector.Ref, []byte:
		return nil, refuse("an object holds text, numbers, true and false only")
	}
	return one, nil
}
