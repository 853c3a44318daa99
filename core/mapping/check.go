package mapping

import (
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// want says which types a rule may give.
type want struct {
	ok   func(*cel.Type) bool
	text string
}

var (
	wantBool  = want{func(t *cel.Type) bool { return t.Kind() == types.BoolKind }, "true or false"}
	wantValue = want{isValue, "a value for an attribute"}
	wantNames = want{func(t *cel.Type) bool {
		return isText(t) || t.Kind() == types.ListKind && isText(t.Parameters()[0])
	}, "a text or a list of texts"}
)

// rule compiles one expression; nil when it has faults.
func (c *compiler) rule(what string, r Rule, w want) *rule {
	parsed, issues := c.env.Parse(r.Expr)
	if issues.Err() != nil {
		first := issues.Errors()[0] // the others follow from it
		c.located(what, r, first.Location, syntaxReason(first.Message), "")
		return nil
	}
	before := len(c.errs)
	c.checkLiterals(what, r, parsed)
	checked, issues := c.env.Check(parsed)
	if issues.Err() != nil {
		for _, e := range issues.Errors() {
			reason, hint := c.explainIssue(e, parsed)
			c.located(what, r, e.Location, reason, hint)
		}
		return nil
	}
	out := unwrapOptional(checked.OutputType())
	if !w.ok(out) {
		c.fault(what, r, fmt.Sprintf("the rule gives %s, wanted is %s", typeName(out), w.text), resultHint(out))
	}
	if len(c.errs) > before {
		return nil
	}
	compiled, err := c.program(what, r, checked)
	if err != nil {
		c.fault(what, r, err.Error(), "")
		return nil
	}
	compiled.out = out
	return compiled
}

// Limits of one evaluation of a rule with a loop; rules without one end by
// themselves. Cost is CEL's own measure: about one for each step. The time is a
// second net, far above what the cost allows.
const (
	costMax        = 1_000_000
	interruptEvery = 100
)

func (c *compiler) program(what string, r Rule, checked *cel.Ast) (*rule, error) {
	out := &rule{Rule: r, what: what, ast: checked, looped: hasLoop(checked), inputs: inputsOf(checked)}
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if out.looped {
		options = append(options, cel.CostLimit(costMax), cel.InterruptCheckFrequency(interruptEvery))
	}
	program, err := c.env.Program(checked, options...)
	if err != nil {
		return nil, err
	}
	out.program = program
	out.direct = c.direct(checked)
	return out, nil
}

// direct finds the field that the whole rule is: nothing needs evaluating then.
func (c *compiler) direct(checked *cel.Ast) *directField {
	e := checked.NativeRep().Expr()
	if e.Kind() != ast.SelectKind || e.AsSelect().IsTestOnly() || e.AsSelect().Operand().Kind() != ast.IdentKind {
		return nil
	}
	variable := e.AsSelect().Operand().AsIdent()
	if variable != c.subject && variable != managerName {
		return nil
	}
	t, ok := c.env.CELTypeProvider().FindStructFieldType(variable, e.AsSelect().FieldName())
	if !ok {
		return nil
	}
	return &directField{manager: variable == managerName, name: e.AsSelect().FieldName(), field: t}
}

func hasLoop(checked *cel.Ast) bool {
	found := false
	ast.PreOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		found = found || e.Kind() == ast.ComprehensionKind
	}))
	return found
}
