package library

import (
	"slices"
	"sync"
	_ "time/tzdata" // time zones do not depend on the machine

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"
)

// expressionMax bounds the length of one rule, in characters.
const expressionMax = 10_000

// Env returns the environment every rule is compiled in: CEL's standard library
// with optionals (person.?nick, [?person.?nick]) and cel.bind, and the functions
// of this package but for lookup. It is made once and shared; extend it.
var Env = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewCustomEnv(slices.Concat(
		[]cel.EnvOption{
			cel.StdLib(),
			cel.OptionalTypes(),
			ext.Bindings(),
			cel.DefaultUTCTimeZone(true),
			cel.EnableIdentifierEscapeSyntax(),
			cel.EnableMacroCallTracking(), // so that a part of a rule can be shown as it was written
			cel.ParserExpressionSizeLimit(expressionMax),
		},
		textFunctions(), regexFunctions(), nameFunctions(), listFunctions(), missingFunctions(),
		countryFunctions(), dateFunctions(), idFunctions(), uniqueFunctions(),
	)...)
})

// Functions lists the functions of this package, sorted.
func Functions() []string {
	return []string{
		"add_days", "add_months", "ascii", "at", "clear", "coalesce", "collapse_spaces", "compact",
		"contains", "country_code", "date", "days_between", "dedupe", "dn_escape", "end_of_day",
		"fail", "filetime", "format_date", "generalized_time", "initials", "is_empty", "join", "left",
		"lookup", "lower", "normalize", "pad_left", "pad_right", "parse_date", "phone", "rdn", "ref",
		"regex_find", "regex_replace", "replace", "right", "sha256", "slug", "sort", "split",
		"start_of_day", "substring", "title", "trim", "truncate", "try", "unique", "unset", "upper", "uuid5",
	}
}
