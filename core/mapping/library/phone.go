package library

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"unicode"

	"cel.dev/cel-go/cel"
	"golang.org/x/text/language"
)

//go:embed calling_codes.txt
var callingCodesFile string

// callingPlan is how numbers of one country are dialled.
type callingPlan struct {
	code, trunk string
	prefixes    []string // that mean +
}

var callingPlans = sync.OnceValues(func() (map[string]callingPlan, error) {
	return parseCallingPlans(callingCodesFile)
})

func parseCallingPlans(text string) (map[string]callingPlan, error) {
	plans := map[string]callingPlan{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		if len(f) < 3 || len(f[0]) != 2 {
			return nil, fmt.Errorf("calling_codes.txt:%d: want country, calling code, trunk prefix", n)
		}
		plans[f[0]] = callingPlan{f[1], strings.TrimPrefix(f[2], "-"), append(f[3:], "00")}
	}
	return plans, nil
}

func countryFunctions() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Function("phone", f2("phone", phone)),
		cel.Function("country_code",
			f1("country_code", func(s string) (string, error) { return countryCode(s, "alpha2") }),
			f2("country_code", countryCode)),
	}
}

// E.164 numbers have 15 digits at most; fewer than 7 is no subscriber anywhere.
const minDigits, maxDigits = 7, 15

// phone writes a number in the form of E.164, +493012345: country says how a
// number without a country code is meant. It knows calling codes and trunk
// prefixes, not which numbers are assigned.
func phone(text, country string) (string, error) {
	plan, err := planOf(country)
	if err != nil {
		return "", err
	}
	if blank(text) {
		return "", &MissingError{Name: "the phone number"}
	}
	// "+49 (0)30" names the trunk prefix for those who dial at home.
	text = strings.ReplaceAll(text, "(0)", "")
	digits, international, err := dialled(text)
	if err != nil {
		return "", err
	}
	for _, p := range plan.prefixes {
		if rest, ok := strings.CutPrefix(digits, p); ok && !international {
			digits, international = rest, true
		}
	}
	if !international {
		digits = plan.code + strings.TrimPrefix(digits, plan.trunk)
	}
	if len(digits) < minDigits || len(digits) > maxDigits {
		return "", faultf("a phone number has %d to %d digits, this has %d", minDigits, maxDigits, len(digits))
	}
	return "+" + digits, nil
}

func planOf(country string) (callingPlan, error) {
	plans, err := callingPlans()
	if err != nil {
		return callingPlan{}, err
	}
	plan, ok := plans[strings.ToUpper(country)]
	if !ok {
		return plan, faultf("the country is not a two-letter code with a calling code, such as DE")
	}
	return plan, nil
}

// dialled gives the digits of text and whether a + stands before them.
func dialled(text string) (digits string, international bool, err error) {
	var out strings.Builder
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			out.WriteRune(r)
		case r == '+' && out.Len() == 0 && !international:
			international = true
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Pd, r), strings.ContainsRune("()./", r):
		default:
			return "", false, faultf("the phone number has a character that is neither digit nor separator")
		}
	}
	return out.String(), international, nil
}

// Forms of country_code.
var countryForms = []string{"alpha2", "alpha3", "numeric"}

// countryCode turns an ISO 3166-1 code of any form into the form asked for.
func countryCode(text, form string) (string, error) {
	if err := checkCountryForm(form); err != nil {
		return "", err
	}
	region, err := language.ParseRegion(strings.TrimSpace(text))
	if err != nil || !region.IsCountry() {
		return "", faultf("the text is not an ISO 3166-1 country code")
	}
	region = region.Canonicalize()
	switch form {
	case "alpha3":
		return region.ISO3(), nil
	case "numeric":
		return fmt.Sprintf("%03d", region.M49()), nil
	}
	return region.String(), nil
}
