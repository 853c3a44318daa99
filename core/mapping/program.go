package mapping

import (
	"context"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

// The variables that every rule knows beside the identity itself.
const (
	stateName  = "state"
	anchorName = "anchor"
	sourceName = "source"
	nowName    = "now"
)

// Version is raised when a function begins to give something else, so that
// everyone is worked out again after an upgrade: it belongs into the hash of the
// rules.
const Version = 1

// timeMax ends a rule with a loop whose functions take unreasonably long.
const timeMax = time.Second

// Program are the compiled rules of one connector for one kind of identity. It
// is safe for concurrent use.
type Program struct {
	kind       identity.Kind
	env        *cel.Env
	fields     []source.Field
	scope      *rule // nil: everyone
	attributes []*attributeRule
	grants     []*grantRule
}

// rule is one compiled expression.
type rule struct {
	Rule
	what    string // "attribute mail", "scope"
	ast     *cel.Ast
	program cel.Program
	out     *cel.Type
	inputs  []input
	// looped: it iterates, so its work is not bounded by its length.
	looped bool
	// direct is set when the whole rule is one field.
	direct *directField
}

// directField is a field that is read without evaluating anything.
type directField struct {
	manager bool
	name    string
	field   *types.FieldType
}

// values gives the field's value without taking it through CEL, when the source
// holds it in the form that targets take; else ok is false.
func (d *directField) values(f *facts) (vs connector.Values, ok bool) {
	v := d.record(f).attributes[d.name]
	switch v.(type) {
	case string:
		ok = d.field.Type.Kind() == types.StringKind
	case int64:
		ok = d.field.Type.Kind() == types.IntKind
	case bool:
		ok = d.field.Type.Kind() == types.BoolKind
	}
	if !ok {
		return nil, false
	}
	return connector.Values{v}, true
}

func (d *directField) record(f *facts) *record {
	if d.manager {
		return &f.manager
	}
	return &f.subject
}

type attributeRule struct {
	*rule
	to      string
	apply   Apply
	unique  bool            // it gives what to try, not a value
	reserve map[string]bool // folded
}

type grantRule struct {
	what, place string
	entitlement string
	from, when  *rule // nil: none, always
	reason      string
}

// input is a field or a variable that a rule reads.
type input struct{ variable, field string }

// facts are what rules see of one subject. They resolve CEL's variables.
type facts struct {
	subject, manager record
	state            identity.State
	anchor, source   string
	now              time.Time
}

// ResolveName implements [cel.Activation].
func (f *facts) ResolveName(name string) (any, bool) {
	switch name {
	case string(identity.Person), string(identity.Group):
		return &f.subject, true
	case managerName:
		return &f.manager, true
	case stateName:
		return types.String(f.state), true
	case anchorName:
		return types.String(f.anchor), true
	case sourceName:
		return types.String(f.source), true
	case nowName:
		return types.Timestamp{Time: f.now}, true
	}
	return nil, false
}

// Parent implements [cel.Activation].
func (f *facts) Parent() cel.Activation { return nil }

// eval gives what the rule's expression gives, the value in an optional
// unwrapped. The error is one of package library, one of CEL, or [errNothing].
func (r *rule) eval(f *facts) (ref.Val, error) {
	v, err := r.value(f)
	if err != nil {
		return nil, err
	}
	if o, ok := v.(*types.Optional); ok {
		if !o.HasValue() {
			return nil, errNothing
		}
		v = o.GetValue()
	}
	return v, nil
}

func (r *rule) value(f *facts) (ref.Val, error) {
	switch {
	case r.direct != nil:
		v, err := r.direct.field.GetFrom(r.direct.record(f))
		if err != nil {
			return nil, err
		}
		return v.(ref.Val), nil
	case r.looped:
		ctx, stop := context.WithTimeout(context.Background(), timeMax)
		defer stop()
		v, _, err := r.program.ContextEval(ctx, f)
		return v, err
	}
	v, _, err := r.program.Eval(f)
	return v, err
}
