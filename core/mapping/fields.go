package mapping

import (
	"sort"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping/library"
	"github.com/provhub/provhub/core/source"
)

// managerName is the variable with the identity that the reference names.
const managerName = "manager"

// record is what a rule sees of one identity. CEL reads its fields through
// fields below, without a copy of the attributes.
type record struct {
	attributes identity.Attributes
}

// provider declares the identities to CEL: an object type for each variable,
// with exactly the source's fields, so that a misspelt field does not compile.
type provider struct {
	types.Provider
	objects map[string]map[string]*types.FieldType // by variable, which is also the type's name
}

func newProvider(base types.Provider, variables []string, fields []source.Field) *provider {
	p := &provider{Provider: base, objects: map[string]map[string]*types.FieldType{}}
	for _, variable := range variables {
		object := make(map[string]*types.FieldType, len(fields))
		for _, f := range fields {
			object[f.Name] = fieldOf(variable, f)
		}
		p.objects[variable] = object
	}
	return p
}

// FindStructType implements [types.Provider].
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := p.objects[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Provider.FindStructType(name)
}

// FindStructFieldNames implements [types.Provider].
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	object, ok := p.objects[name]
	if !ok {
		return p.Provider.FindStructFieldNames(name)
	}
	names := make([]string, 0, len(object))
	for n := range object {
		names = append(names, n)
	}
	sort.Strings(names)
	return names, true
}

// FindStructFieldType implements [types.Provider].
func (p *provider) FindStructFieldType(object, field string) (*types.FieldType, bool) {
	fields, ok := p.objects[object]
	if !ok {
		return p.Provider.FindStructFieldType(object, field)
	}
	t, ok := fields[field]
	return t, ok
}

// NewValue implements [types.Provider]. Rules do not make identities.
func (p *provider) NewValue(name string, fields map[string]ref.Val) ref.Val {
	if _, ok := p.objects[name]; ok {
		return types.WrapErr(&library.Fault{Text: "a rule cannot make a " + name})
	}
	return p.Provider.NewValue(name, fields)
}

// fieldOf declares one field. Reading one that the identity does not have gives
// the missing value; has() tells.
func fieldOf(variable string, f source.Field) *types.FieldType {
	read, typ := readerOf(f.Type)
	missing := library.Missing(fieldExpr(variable, f.Name)).(*types.Err)
	wrong := &library.Fault{Text: fieldExpr(variable, f.Name) + " is not of the type " + string(f.Type) + " that the source declares"}
	return &types.FieldType{
		Type: typ,
		IsSet: func(target any) bool {
			r, ok := target.(*record)
			return ok && r.attributes[f.Name] != nil
		},
		GetFrom: func(target any) (any, error) {
			r, ok := target.(*record)
			if !ok {
				return nil, wrong
			}
			v := r.attributes[f.Name]
			if v == nil {
				return nil, missing
			}
			if out := read(v); out != nil {
				return out, nil
			}
			return nil, wrong
		},
	}
}

// readerOf gives how values of a source type become CEL values (nil: the value
// is of another type), and their CEL type.
func readerOf(t source.Type) (read func(any) ref.Val, typ *cel.Type) {
	switch t {
	case source.Integer:
		return func(v any) ref.Val {
			if n, ok := v.(int64); ok {
				return types.Int(n)
			}
			return nil
		}, cel.IntType
	case source.Number:
		return readNumber, cel.DoubleType
	case source.Bool:
		return func(v any) ref.Val {
			if b, ok := v.(bool); ok {
				return types.Bool(b)
			}
			return nil
		}, cel.BoolType
	case source.Date:
		return readDate, library.DateType
	case source.List:
		return func(v any) ref.Val {
			if l, ok := v.([]string); ok {
				return types.NewStringList(types.DefaultTypeAdapter, l)
			}
			return nil
		}, cel.ListType(cel.StringType)
	}
	return func(v any) ref.Val {
		if s, ok := v.(string); ok {
			return types.String(s)
		}
		return nil
	}, cel.StringType
}

func readNumber(v any) ref.Val {
	switch n := v.(type) {
	case float64:
		return types.Double(n)
	case int64:
		return types.Double(n)
	}
	return nil
}

func readDate(v any) ref.Val {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	d, err := library.ParseDate(s)
	if err != nil {
		return nil
	}
	return d
}

// fieldExpr is how a rule writes a field: person.mail, or with backticks where
// the name is not an identifier.
func fieldExpr(variable, field string) string {
	plain := field != "" && field != "in" && field != "true" && field != "false" && field != "null" &&
		strings.Trim(field[:1], "0123456789") != ""
	for _, r := range field {
		plain = plain && (r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
	}
	if plain {
		return variable + "." + field
	}
	return variable + ".`" + field + "`"
}
