package library

import (
	"fmt"
	"reflect"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/provhub/provhub/connectors/connector"
)

// The types that rules know beside CEL's own.
var (
	DateType      = types.NewObjectType("date", traits.ComparerType)
	ReferenceType = types.NewOpaqueType("reference")
	UniqueType    = types.NewOpaqueType("unique")
)

// Date is a calendar date in the form 2026-03-31.
type Date string

// ParseDate reads the form 2026-03-31.
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return "", faultf("not a date in the form YYYY-MM-DD")
	}
	return dateOf(t), nil
}

// dateOf is the date of t in t's own zone.
func dateOf(t time.Time) Date { return Date(t.Format(time.DateOnly)) }

// midnight is the date's first moment in UTC.
func (d Date) midnight() (time.Time, error) {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return t, faultf("not a date in the form YYYY-MM-DD")
	}
	return t, nil
}

// ConvertToNative implements [ref.Val].
func (d Date) ConvertToNative(t reflect.Type) (any, error) {
	if t.Kind() == reflect.String {
		return reflect.ValueOf(string(d)).Convert(t).Interface(), nil
	}
	return nil, fmt.Errorf("a date cannot be made a %v", t)
}

// ConvertToType implements [ref.Val].
func (d Date) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.StringType:
		return types.String(d)
	case DateType:
		return d
	case types.TypeType:
		return DateType
	}
	return types.NewErr("a date cannot be made a %s", t.TypeName())
}

// Equal implements [ref.Val].
func (d Date) Equal(other ref.Val) ref.Val {
	o, ok := other.(Date)
	return types.Bool(ok && o == d)
}

// Compare implements [traits.Comparer].
func (d Date) Compare(other ref.Val) ref.Val {
	o, ok := other.(Date)
	switch {
	case !ok:
		return types.MaybeNoSuchOverloadErr(other)
	case d < o:
		return types.IntNegOne
	case d > o:
		return types.IntOne
	}
	return types.IntZero
}

// Type implements [ref.Val].
func (d Date) Type() ref.Type { return DateType }

// Value implements [ref.Val].
func (d Date) Value() any { return connector.Date(d) }

// opaque is a value that rules can hand on but not look into.
type opaque struct {
	typ   *cel.Type
	value any
}

// ConvertToNative implements [ref.Val].
func (o *opaque) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("a %s cannot be made a %v", o.typ.TypeName(), t)
}

// ConvertToType implements [ref.Val].
func (o *opaque) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return o.typ
	}
	return types.NewErr("a %s cannot be made a %s", o.typ.TypeName(), t.TypeName())
}

// Equal implements [ref.Val].
func (o *opaque) Equal(other ref.Val) ref.Val {
	x, ok := other.(*opaque)
	return types.Bool(ok && x.typ == o.typ && x.value == o.value)
}

// Type implements [ref.Val].
func (o *opaque) Type() ref.Type { return o.typ }

// Value implements [ref.Val].
func (o *opaque) Value() any { return o.value }
