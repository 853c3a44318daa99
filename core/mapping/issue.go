package mapping

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/provhub/provhub/core/mapping/library"
)

// CEL's messages that get words and hints of our own. One that is not known
// here is passed on as it is.
var (
	issueField    = regexp.MustCompile(`^undefined field '(.*)'$`)
	issueUnknown  = regexp.MustCompile(`^undeclared reference to '([^']*)'`)
	issueOverload = regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '(.*)'$`)
)

// celFunctions are CEL's own functions and macros that a slip may have meant.
var celFunctions = []string{
	"all", "bool", "double", "duration", "endsWith", "exists", "exists_one", "filter", "has", "int",
	"map", "matches", "orValue", "size", "startsWith", "string", "timestamp", "uint",
}

// explainIssue puts a fault that CEL's checker found into words for the person
// who wrote the rule.
func (c *compiler) explainIssue(e *cel.Error, parsed *cel.Ast) (reason, hint string) {
	if m := issueField.FindStringSubmatch(e.Message); m != nil {
		return c.noField(m[1], find(parsed, e.ExprID))
	}
	if m := issueUnknown.FindStringSubmatch(e.Message); m != nil {
		return c.unknown(m[1], find(parsed, e.ExprID))
	}
	if m := issueOverload.FindStringSubmatch(e.Message); m != nil {
		return c.noOverload(m[1], m[2])
	}
	return e.Message, ""
}

func find(parsed *cel.Ast, id int64) (found ast.Expr) {
	ast.PreOrderVisit(parsed.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.ID() == id {
			found = e
		}
	}))
	return found
}

func (c *compiler) noField(field string, at ast.Expr) (reason, hint string) {
	variable := c.subject
	if at != nil && at.Kind() == ast.SelectKind && at.AsSelect().Operand().Kind() == ast.IdentKind {
		variable = at.AsSelect().Operand().AsIdent()
	}
	reason = fmt.Sprintf("%s has no field %s", variable, field)
	// person.employee-id is read as person.employee minus id.
	for _, f := range c.fields {
		if strings.HasPrefix(f, field) && fieldExpr(variable, f) != variable+"."+f {
			return reason, "did you mean " + fieldExpr(variable, f) + "?"
		}
	}
	write := func(f string) string { return fieldExpr(variable, f) }
	return reason, didYouMean(field, c.fields, write, "the source has "+someOf(c.fields))
}

func (c *compiler) unknown(name string, at ast.Expr) (reason, hint string) {
	if at != nil && at.Kind() == ast.CallKind {
		return fmt.Sprintf("there is no function %s()", name), didYouMean(name,
			append(library.Functions(), celFunctions...), called, "the functions are "+strings.Join(library.Functions(), ", "))
	}
	reason = fmt.Sprintf("there is no %s here", name)
	variables := []string{c.subject, stateName, anchorName, sourceName, nowName}
	if c.reference {
		variables = append(variables, managerName)
	}
	switch {
	case name == managerName:
		return reason, "the source names no manager; say which attribute does with reference: in the source"
	case name == "person" || name == "group":
		return reason, fmt.Sprintf("these are rules for a %s: write %s.…", c.subject, c.subject)
	case slices.Contains(c.fields, name):
		return reason, "did you mean " + fieldExpr(c.subject, name) + "? Text stands in quotes"
	}
	return reason, didYouMean(name, variables, asIs, fmt.Sprintf("a rule knows %s.<field>, %s; text stands in quotes", c.subject, strings.Join(variables[1:], ", ")))
}

// noOverload explains a function or operator that does not take what it is
// given, which CEL writes "(string, list(int))", the receiver as "string.(int)".
func (c *compiler) noOverload(function, given string) (reason, hint string) {
	given = celWords.ReplaceAllStringFunc(given, func(w string) string { return words[w] })
	const uniqueHint = "unique() must be the whole rule; put what it is to work on inside"
	symbol, isOperator := operatorSymbol(function)
	if !isOperator {
		if function == "@present" {
			function = "join"
		}
		reason = fmt.Sprintf("%s() does not take %s", function, given)
		if strings.Contains(given, "unique") {
			return reason, uniqueHint
		}
		return reason, c.signatures(function)
	}
	given = strings.TrimSuffix(strings.TrimPrefix(given, "("), ")")
	reason = fmt.Sprintf("%s does not go with %s", symbol, strings.ReplaceAll(given, ", ", " and "))
	switch {
	case strings.Contains(given, "unique"):
		return reason, uniqueHint
	case function == operators.Conditional:
		return "the two sides of the : are of different types, or no condition stands before the ?: " + given, ""
	case symbol == "+" && strings.Contains(given, "text"):
		return reason, "turn a number or date into text with string() or format_date()"
	case strings.Contains(given, "date") && strings.Contains(given, "timestamp"):
		return reason, `compare dates with dates: date(now, "Europe/Berlin")`
	}
	return reason, ""
}

// words are the names that the source's types have; CEL's differ.
var words = map[string]string{"string": "text", "int": "integer", "double": "number"}

var celWords = regexp.MustCompile(`\b(string|int|double)\b`)

// operatorSymbol gives how a rule writes CEL's internal operator name.
func operatorSymbol(function string) (string, bool) {
	if s, ok := operators.FindReverse(function); ok && s != "" {
		return s, true
	}
	switch function {
	case operators.Conditional:
		return "? :", true
	case operators.Index:
		return "[ ]", true
	}
	return "", false
}

// signatures lists what a function takes.
func (c *compiler) signatures(function string) string {
	decl, ok := c.env.Functions()[function]
	if !ok {
		return ""
	}
	var forms []string
	for _, o := range decl.OverloadDecls() {
		args := make([]string, len(o.ArgTypes()))
		for i, t := range o.ArgTypes() {
			args[i] = typeName(t)
		}
		if o.IsMemberFunction() {
			forms = append(forms, fmt.Sprintf("%s.%s(%s)", args[0], function, strings.Join(args[1:], ", ")))
			continue
		}
		forms = append(forms, fmt.Sprintf("%s(%s)", function, strings.Join(args, ", ")))
	}
	slices.Sort(forms)
	return "it is " + strings.Join(forms, " or ")
}

// typeName is what a person calls a type.
func typeName(t *cel.Type) string {
	switch t.Kind() {
	case types.StringKind:
		return "text"
	case types.IntKind:
		return "integer"
	case types.DoubleKind:
		return "number"
	case types.TypeParamKind, types.DynKind:
		return "any value"
	case types.ListKind:
		return "list of " + typeName(t.Parameters()[0])
	case types.NullTypeKind:
		return "null"
	case types.TimestampKind:
		return "timestamp"
	case types.DurationKind:
		return "duration"
	}
	return t.String()
}

// syntaxReason puts a parser message into plain words, without the list of all
// tokens that would have been possible.
func syntaxReason(message string) string {
	text, ok := strings.CutPrefix(message, "Syntax error: ")
	if !ok {
		return message
	}
	text, _, _ = strings.Cut(text, " expecting ")
	text = strings.NewReplacer(
		"mismatched input '<EOF>'", "it ends too early", "'<EOF>'", "the end",
		"mismatched input", "unexpected", "extraneous input", "unexpected",
		"token recognition error at:", "no word or closed text begins at",
	).Replace(text)
	return "the expression cannot be read: " + text
}

func resultHint(t *cel.Type) string {
	switch {
	case t.Kind() == types.NullTypeKind:
		return "write unset() to leave the target as it is, clear() to empty the attribute"
	case isText(t):
		return `compare it with a text in quotes: … == "…"`
	case strings.Contains(t.String(), library.UniqueType.TypeName()):
		return "unique() must be the whole rule"
	case t.Kind() == types.StructKind:
		return "name one of its fields, such as " + t.TypeName() + ".mail"
	}
	return ""
}

// location is where an expression begins.
func location(parsed *cel.Ast, id int64) common.Location {
	return parsed.NativeRep().SourceInfo().GetStartLocation(id)
}

// knownTables is a hint for a table that does not exist.
func (c *compiler) knownTables(name string) string {
	if len(c.tables) == 0 {
		return "the config has no tables; add it under tables:"
	}
	return didYouMean(name, c.tables, quoted, "the tables are "+strings.Join(c.tables, ", "))
}
