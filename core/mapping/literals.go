package mapping

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping/library"
)

// states are what the variable state can be while rules are evaluated.
var states = []string{
	string(identity.PreHire), string(identity.Active), string(identity.Suspended),
	string(identity.Leaver), string(identity.Gone),
}

// checkLiterals finds literal arguments that could only fail later: patterns,
// time zones, layouts, tables, states.
func (c *compiler) checkLiterals(what string, r Rule, parsed *cel.Ast) {
	report := func(e ast.Expr, reason, hint string) {
		c.located(what, r, location(parsed, e.ID()), reason, hint)
	}
	ast.PreOrderVisit(parsed.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind {
			return
		}
		call := e.AsCall()
		switch name := call.FunctionName(); name {
		case operators.Equals, operators.NotEquals, operators.In:
			c.checkStates(call.Args(), report)
		case "lookup":
			c.checkTable(call.Args(), report)
		case "unique":
			checkUnique(call.Args(), report)
		default:
			checkArguments(name, call, report)
		}
	}))
}

type reporter func(e ast.Expr, reason, hint string)

func checkArguments(function string, call ast.CallExpr, report reporter) {
	args := call.Args()
	if function == "matches" && !call.IsMemberFunction() && len(args) > 0 {
		args = args[1:]
	}
	for _, l := range library.Literals[function] {
		if l.Arg >= len(args) {
			continue
		}
		text, literal := textOf(args[l.Arg])
		switch {
		case literal:
			if err := l.Check(text); err != nil {
				report(args[l.Arg], fmt.Sprintf("%s(): %v", function, err), "")
			}
		case l.Required && args[l.Arg].Kind() != ast.LiteralKind:
			report(args[l.Arg], fmt.Sprintf("%s() wants this argument written out in quotes, so that it can be checked now", function), "")
		}
	}
}

// checkTable makes sure that the table of a lookup exists.
func (c *compiler) checkTable(args []ast.Expr, report reporter) {
	if len(args) == 0 || args[0].Kind() == ast.MapKind {
		return
	}
	name, literal := textOf(args[0])
	switch {
	case !literal:
		report(args[0], "lookup() wants the name of the table in quotes, or the table itself: {\"a\": \"b\"}", "")
	case c.rules.Tables[name] == nil:
		report(args[0], fmt.Sprintf("there is no table %q", name), c.knownTables(name))
	}
}

// checkStates refuses to compare state with what it never is.
func (c *compiler) checkStates(args []ast.Expr, report reporter) {
	if !slices.ContainsFunc(args, func(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == stateName }) {
		return
	}
	for _, arg := range args {
		compared := []ast.Expr{arg}
		if arg.Kind() == ast.ListKind {
			compared = arg.AsList().Elements()
		}
		for _, e := range compared {
			if text, ok := textOf(e); ok && !slices.Contains(states, text) {
				report(e, fmt.Sprintf("state is never %q", text), didYouMean(text, states, quoted, "the states are "+strings.Join(states, ", ")))
			}
		}
	}
}

// checkUnique checks the options of unique(), which must be written out.
func checkUnique(args []ast.Expr, report reporter) {
	if len(args) < 2 {
		return
	}
	if args[1].Kind() != ast.MapKind {
		report(args[1], "unique() wants its options written out, as in {\"max\": 20}", "")
		return
	}
	options := library.DefaultUnique
	for _, entry := range args[1].AsMap().Entries() {
		key, value := entry.AsMapEntry().Key(), entry.AsMapEntry().Value()
		name, ok := textOf(key)
		if !ok || value.Kind() != ast.LiteralKind {
			report(value, "unique() wants its options written out, as in {\"max\": 20}", "")
			continue
		}
		if !slices.Contains(library.UniqueKeys, name) {
			report(key, fmt.Sprintf("unique() has no option %q", name), didYouMean(name, library.UniqueKeys, quoted, "it has "+strings.Join(library.UniqueKeys, ", ")))
			continue
		}
		if err := options.Option(name, value.AsLiteral().Value()); err != nil {
			report(value, err.Error(), "")
		}
	}
}

func textOf(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().(types.String)
	return string(s), ok
}

// inputsOf lists what a rule reads: its fields and variables, in the order of
// the text, each once.
func inputsOf(checked *cel.Ast) []input {
	var out []input
	add := func(in input) {
		if !slices.Contains(out, in) {
			out = append(out, in)
		}
	}
	ast.PreOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.SelectKind:
			if of := e.AsSelect().Operand(); of.Kind() == ast.IdentKind {
				add(input{of.AsIdent(), e.AsSelect().FieldName()})
			}
		case ast.CallKind:
			// person.?nick is a call with the field's name as a literal.
			if args := e.AsCall().Args(); e.AsCall().FunctionName() == operators.OptSelect && len(args) == 2 && args[0].Kind() == ast.IdentKind {
				if field, ok := textOf(args[1]); ok {
					add(input{args[0].AsIdent(), field})
				}
			}
		case ast.IdentKind:
			if name := e.AsIdent(); name == stateName || name == anchorName || name == sourceName || name == nowName {
				add(input{variable: name})
			}
		}
	}))
	return slices.DeleteFunc(out, func(in input) bool {
		return in.field != "" && in.variable != string(identity.Person) && in.variable != string(identity.Group) && in.variable != managerName
	})
}
