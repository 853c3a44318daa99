package library

import (
	"strings"
	"unicode"

	"cel.dev/cel-go/cel"

	"github.com/provhub/provhub/core/mapping/translit"
)

func nameFunctions() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Function("normalize",
			f1("normalize", func(s string) (string, error) { return normalize(s, "") }), f2("normalize", normalize)),
		cel.Function("ascii",
			f1("ascii", func(s string) (string, error) { return ascii(s, "") }), f2("ascii", ascii)),
		cel.Function("slug",
			f1("slug", func(s string) (string, error) { return slug(s, "", "-") }),
			f2("slug", func(s, locale string) (string, error) { return slug(s, locale, "-") }),
			f3("slug", slug)),
		cel.Function("initials", f1("initials", sure1(initials))),
	}
}

func table(locale string) (*translit.Table, error) {
	t, ok := translit.For(locale)
	if !ok {
		return nil, faultf("there is no table of letters for the locale; there is one for %s",
			strings.Join(translit.Locales(), ", "))
	}
	return t, nil
}

func normalize(s, locale string) (string, error) {
	t, err := table(locale)
	if err != nil {
		return "", err
	}
	return t.Normalize(s), nil
}

func ascii(s, locale string) (string, error) {
	s, err := normalize(s, locale)
	return translit.ASCII(s), err
}

// slug gives a-z, 0-9 and separators: apostrophes vanish, everything else
// between words becomes one separator (QUIRKS HR-19).
func slug(s, locale, separator string) (string, error) {
	s, err := ascii(s, locale)
	if err != nil {
		return "", err
	}
	if len(separator) > 1 {
		return "", faultf("the separator is longer than one character")
	}
	words := strings.FieldsFunc(strings.ReplaceAll(strings.ToLower(s), "'", ""), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9')
	})
	return strings.Join(words, separator), nil
}

// initials are the first letters of all words, also of hyphenated ones, in
// upper case: "jean-luc picard" gives "JLP".
func initials(s string) string {
	var out strings.Builder
	start := true
	for _, r := range s {
		letter := unicode.IsLetter(r)
		if letter && start {
			out.WriteRune(unicode.ToUpper(r))
		}
		start = !letter && r != '\'' && r != '’' && !unicode.Is(unicode.M, r)
	}
	return out.String()
}
