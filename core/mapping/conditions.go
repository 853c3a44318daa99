package mapping

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// parts evaluates each condition of a rule that joins several with && or ||.
func (e *evaluation) parts(r *rule) []Part {
	var leaves []ast.Expr
	collectConditions(r.ast.NativeRep().Expr(), &leaves)
	if len(leaves) < 2 {
		return nil
	}
	var out []Part
	for _, leaf := range leaves {
		out = append(out, Part{Expr: r.written(leaf), Result: e.part(r, leaf)})
	}
	return out
}

// written is a part of the rule as people write it.
func (r *rule) written(part ast.Expr) string {
	text, err := cel.ExprToString(part, r.ast.NativeRep().SourceInfo())
	if err != nil {
		return "a part of the rule"
	}
	for _, in := range r.inputs {
		// CEL prints a name that is no identifier without its backticks.
		if in.field != "" {
			text = strings.ReplaceAll(text, in.variable+"."+in.field, fieldExpr(in.variable, in.field))
		}
	}
	return text
}

// part evaluates one condition of a rule by itself.
func (e *evaluation) part(whole *rule, condition ast.Expr) string {
	checked := whole.ast.NativeRep()
	program, err := e.program.env.PlanProgram(
		ast.NewCheckedAST(ast.NewAST(condition, checked.SourceInfo()), checked.TypeMap(), checked.ReferenceMap()),
		cel.CostLimit(costMax), cel.InterruptCheckFrequency(interruptEvery))
	if err != nil {
		return "cannot be shown alone"
	}
	r := rule{Rule: whole.Rule, program: program, looped: true}
	v, err := r.eval(&e.facts)
	if err != nil {
		if missing, ok := valueless(err); ok {
			return missing
		}
		return r.faultOf(err).Text
	}
	if b, ok := v.(types.Bool); ok {
		return fmt.Sprint(bool(b))
	}
	return "not a condition"
}

func collectConditions(e ast.Expr, out *[]ast.Expr) {
	if e.Kind() == ast.CallKind {
		switch call := e.AsCall(); call.FunctionName() {
		case operators.LogicalAnd, operators.LogicalOr:
			for _, arg := range call.Args() {
				collectConditions(arg, out)
			}
			return
		}
	}
	*out = append(*out, e)
}
