package library

import (
	"slices"
	"strings"
)

// Literal says how an argument is checked at load when it is written as a
// literal. Required: it must be one, because a value that only shows at run
// time could not be checked.
type Literal struct {
	Arg      int // 0 is the first; a receiver does not count
	Required bool
	Check    func(text string) error
}

// Literals lists the checked arguments of each function.
var Literals = map[string][]Literal{
	"matches":       {{0, true, checkPattern}},
	"regex_replace": {{1, true, checkPattern}},
	"regex_find":    {{1, true, checkPattern}},
	"lower":         {{1, false, checkLanguage}},
	"upper":         {{1, false, checkLanguage}},
	"title":         {{1, false, checkLanguage}},
	"normalize":     {{1, false, checkLocale}},
	"ascii":         {{1, false, checkLocale}},
	"slug":          {{1, false, checkLocale}, {2, true, checkSeparator}},
	"truncate":      {{2, true, checkUnit}},
	"pad_left":      {{2, true, checkFill}},
	"pad_right":     {{2, true, checkFill}},
	"date":          {{0, false, checkDate}, {1, false, checkZone}},
	"parse_date":    {{1, true, checkLayout}},
	"format_date":   {{1, true, checkLayout}, {2, false, checkZone}},
	"start_of_day":  {{1, false, checkZone}},
	"end_of_day":    {{1, false, checkZone}},
	"phone":         {{1, false, checkCountry}},
	"country_code":  {{1, true, checkCountryForm}},
	"uuid5":         {{0, false, checkNamespace}},
	"rdn":           {{0, true, checkAttributeType}},
}

func checkPattern(s string) error   { _, err := compilePattern(s); return err }
func checkLanguage(s string) error  { _, err := languageTag(s); return err }
func checkLocale(s string) error    { _, err := table(s); return err }
func checkSeparator(s string) error { _, err := slug("", "", s); return err }
func checkFill(s string) error      { _, err := padding("", 1, s); return err }
func checkDate(s string) error      { _, err := ParseDate(s); return err }
func checkZone(s string) error      { _, err := loadZone(s); return err }
func checkLayout(s string) error    { _, err := goLayout(s); return err }
func checkCountry(s string) error   { _, err := planOf(s); return err }
func checkNamespace(s string) error { _, err := namespace(s); return err }

func checkAttributeType(s string) error { _, err := rdn(s, "value"); return err }

func checkUnit(s string) error {
	return oneOf("unit", s, unitRunes, unitUTF16, unitBytes)
}

func checkCountryForm(s string) error { return oneOf("form", s, countryForms...) }

func oneOf(what, s string, known ...string) error {
	if slices.Contains(known, s) {
		return nil
	}
	return faultf("there is no such %s; there are %s", what, strings.Join(known, ", "))
}
