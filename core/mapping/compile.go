package mapping

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/types"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping/library"
	"github.com/provhub/provhub/core/source"
)

// Compile checks all rules of one connector against what the source declares
// and makes them ready to run. reference says whether the source names a
// manager, whom rules then know as manager.<field>.
//
// The error is [Errors]: every fault of every rule, each with its place.
func Compile(fields []source.Field, reference bool, r Rules) (*Program, error) {
	c, err := newCompiler(fields, reference, r)
	if err != nil {
		return nil, err
	}
	p := &Program{kind: r.Kind, env: c.env, fields: fields}
	if r.Scope.Expr != "" {
		p.scope = c.rule("scope", r.Scope, wantBool)
	}
	c.attributes(p, r.Attributes)
	for _, g := range r.Grants {
		p.grants = append(p.grants, c.grant(g))
	}
	if len(c.errs) > 0 {
		return nil, c.errs
	}
	return p, nil
}

// compiler compiles the rules of one connector and gathers their faults.
type compiler struct {
	env       *cel.Env
	rules     Rules
	subject   string // the variable: person or group
	reference bool
	fields    []string
	tables    []string
	errs      Errors
}

func newCompiler(fields []source.Field, reference bool, r Rules) (*compiler, error) {
	base, err := library.Env()
	if err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	c := &compiler{rules: r, subject: string(identity.Person), reference: reference}
	if r.Kind == identity.Group {
		c.subject = string(identity.Group)
	}
	variables := []string{c.subject}
	if reference {
		variables = append(variables, managerName)
	}
	for _, f := range fields {
		c.fields = append(c.fields, f.Name)
	}
	c.tables = slices.Sorted(maps.Keys(r.Tables))
	options := []cel.EnvOption{
		cel.CustomTypeProvider(newProvider(base.CELTypeProvider(), variables, fields)),
		cel.Variable(stateName, cel.StringType),
		cel.Variable(anchorName, cel.StringType),
		cel.Variable(sourceName, cel.StringType),
		cel.Variable(nowName, cel.TimestampType),
		library.Lookup(r.Tables),
	}
	for _, v := range variables {
		options = append(options, cel.Variable(v, cel.ObjectType(v)))
	}
	if c.env, err = base.Extend(options...); err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	return c, nil
}

// attributes compiles the attribute rules into p, sorted by name.
func (c *compiler) attributes(p *Program, rules []AttributeRule) {
	places := map[string]string{}
	for _, a := range rules {
		what := "attribute " + a.To
		if before, twice := places[a.To]; twice {
			c.fault(what, a.From, "the attribute has a rule already, at "+before, "keep one of the two; join them with coalesce() or a condition")
			continue
		}
		places[a.To] = a.From.Place
		if a.From.Expr == "" {
			c.fault(what, a.From, "the rule has no expression", "write one, such as "+c.example())
			continue
		}
		compiled := c.rule(what, a.From, wantValue)
		rule := &attributeRule{rule: compiled, to: a.To, apply: a.Apply, reserve: foldAll(a.Reserve)}
		if rule.apply == "" {
			rule.apply = Always
		}
		if compiled != nil && compiled.out.Kind() == types.OpaqueKind && compiled.out.TypeName() == library.UniqueType.TypeName() {
			c.unique(rule, a)
		}
		p.attributes = append(p.attributes, rule)
	}
	sort.Slice(p.attributes, func(i, j int) bool { return p.attributes[i].to < p.attributes[j].to })
}

// unique makes a rule with unique() apply on create: a value once given stays
// with its account, or everyone would be renamed when somebody else leaves.
func (c *compiler) unique(rule *attributeRule, a AttributeRule) {
	if a.Apply != "" && a.Apply != OnCreate {
		c.fault(rule.what, a.From, fmt.Sprintf("unique() with apply: %s would rename people when somebody else's name becomes free", a.Apply), "write apply: create")
	}
	rule.apply, rule.unique = OnCreate, true
}

func (c *compiler) grant(g GrantRule) *grantRule {
	out := &grantRule{entitlement: g.Entitlement, place: g.Place}
	what := "grant " + g.Entitlement
	switch {
	case (g.Entitlement == "") == (g.EntitlementFrom.Expr == ""):
		c.fault("grant", Rule{Place: g.Place}, "the grant needs either an entitlement or an expression that gives them, not both", "")
		return out
	case g.EntitlementFrom.Expr != "":
		what = "grant from " + oneLine(g.EntitlementFrom.Expr)
		out.from = c.rule("entitlements", g.EntitlementFrom, wantNames)
	}
	if g.When.Expr != "" {
		out.when = c.rule("condition of "+what, g.When, wantBool)
	}
	out.what = what
	out.reason = grantReason(g)
	return out
}

func grantReason(g GrantRule) string {
	reason := "rule " + g.Place
	if g.When.Expr != "" {
		reason += ": " + oneLine(g.When.Expr)
	}
	return reason
}

// fault adds a fault of a whole rule.
func (c *compiler) fault(what string, r Rule, reason, hint string) {
	c.errs = append(c.errs, &Error{Place: r.Place, Rule: what, Expr: r.Expr, Reason: reason, Hint: hint})
}

// located adds a fault at one place of a rule.
func (c *compiler) located(what string, r Rule, at common.Location, reason, hint string) {
	c.errs = append(c.errs, &Error{
		Place: r.Place, Rule: what, Expr: r.Expr,
		Line: at.Line(), Column: pointedAt(r.Expr, at) + 1, Reason: reason, Hint: hint,
	})
}

// example is a rule that would compile.
func (c *compiler) example() string {
	if len(c.fields) == 0 {
		return anchorName
	}
	return fieldExpr(c.subject, c.fields[0])
}

func oneLine(expr string) string { return strings.Join(strings.Fields(expr), " ") }

func foldAll(names []string) map[string]bool {
	if len(names) == 0 {
		return nil
	}
	out := make(map[string]bool, len(names))
	for _, n := range names {
		out[fold(n)] = true
	}
	return out
}
