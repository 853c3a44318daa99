package mapping

import (
	"context"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/provhub/provhub/core/identity"
)

// The variables that every rule knows beside the identity itself.
const (
	stateName  = "state"
	anchorName = "anchor"
	nowName    = "now"
)

// timeMax ends a rule with a loop whose functions take unreasonably long.
const timeMax = time.Second

// Program are the compiled rules of one connector for one kind of identity. It
// is safe for concurrent use.
type Program struct {
	kind       identity.Kind
	env        *cel.Env
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
	field   *types.FieldType
}

type attributeRule struct {
	*rule
	to      string
	apply   Apply
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
	anchor           string
	now              time.Time
}

var factsPool = sync.Pool{New: func() any { return new(facts) }}

func newFacts(s *Subject) *facts {
	f := factsPool.Get().(*facts)
	f.subject.attributes, f.manager.attributes = s.Attributes, s.Manager
	f.state, f.anchor, f.now = s.State, s.Anchor, s.Now
	return f
}

func (f *facts) release() {
	*f = facts{}
	factsPool.Put(f)
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
		from := &f.subject
		if r.direct.manager {
			from = &f.manager
		}
		v, err := r.direct.field.GetFrom(from)
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
