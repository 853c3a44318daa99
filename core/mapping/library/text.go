package library

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// maxWidth bounds pad_left and pad_right.
const maxWidth = 1024

func textFunctions() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Function("lower", f1("lower", sure1(strings.ToLower)), f2("lower", cased(lowerCaser))),
		cel.Function("upper", f1("upper", sure1(strings.ToUpper)), f2("upper", cased(upperCaser))),
		cel.Function("title", f1("title", func(s string) (string, error) { return title(s, "") }), f2("title", title)),
		cel.Function("trim", f1("trim", sure1(strings.TrimSpace))),
		cel.Function("collapse_spaces", f1("collapse_spaces", sure1(collapseSpaces))),
		cel.Function("pad_left", f3("pad_left", padLeft)),
		cel.Function("pad_right", f3("pad_right", padRight)),
		cel.Function("truncate", f2("truncate", truncateRunes), f3("truncate", truncate)),
		cel.Function("substring",
			f2("substring", func(s string, from int64) (string, error) { return substring(s, from, int64(len(s))) }),
			f3("substring", substring)),
		cel.Function("left", f2("left", truncateRunes)),
		cel.Function("right", f2("right", right)),
		cel.Function("replace", f3("replace", replace)),
		cel.Function("contains", f2("contains", sure2(strings.Contains)), f2("contains", sure2(listContains))),
	}
}

func lowerCaser(t language.Tag) cases.Caser { return cases.Lower(t) }
func upperCaser(t language.Tag) cases.Caser { return cases.Upper(t) }

// cased changes case by the rules of a language: "I" is "ı" in Turkish
// (QUIRKS HR-16).
func cased(caser func(language.Tag) cases.Caser) func(text, locale string) (string, error) {
	return func(text, locale string) (string, error) {
		tag, err := languageTag(locale)
		if err != nil {
			return "", err
		}
		return caser(tag).String(text), nil
	}
}

func languageTag(locale string) (language.Tag, error) {
	tag, err := language.Parse(locale)
	if err != nil {
		return tag, faultf("the locale is not a language tag such as tr or de-AT")
	}
	return tag, nil
}

// title begins each word in upper case, also after a hyphen and after an
// elided article: "jean-luc o'brien" gives "Jean-Luc O'Brien".
func title(text, locale string) (string, error) {
	tag := language.Und
	if locale != "" {
		var err error
		if tag, err = languageTag(locale); err != nil {
			return "", err
		}
	}
	out := []rune(cases.Title(tag).String(text))
	for i := 2; i < len(out); i++ {
		elided := (out[i-1] == '\'' || out[i-1] == '’') && unicode.IsLetter(out[i-2]) &&
			(i == 2 || !unicode.IsLetter(out[i-3]))
		if elided {
			out[i] = unicode.ToTitle(out[i])
		}
	}
	return string(out), nil
}

func collapseSpaces(s string) string { return strings.Join(strings.Fields(s), " ") }

func padding(s string, width int64, fill string) (string, error) {
	if utf8.RuneCountInString(fill) != 1 {
		return "", faultf("the fill is not one character")
	}
	if width > maxWidth {
		return "", faultf("the width is above %d", maxWidth)
	}
	return strings.Repeat(fill, max(0, int(width)-utf8.RuneCountInString(s))), nil
}

func padLeft(s string, width int64, fill string) (string, error) {
	pad, err := padding(s, width, fill)
	return pad + s, err
}

func padRight(s string, width int64, fill string) (string, error) {
	pad, err := padding(s, width, fill)
	return s + pad, err
}

// Units of truncate.
const (
	unitRunes = "runes"
	unitUTF16 = "utf16"
	unitBytes = "bytes"
)

func truncateRunes(s string, n int64) (string, error) { return truncate(s, n, unitRunes) }

// truncate cuts s to at most n units, never inside a character.
func truncate(s string, n int64, unit string) (string, error) {
	if n < 0 {
		return "", faultf("the length is negative")
	}
	if err := checkUnit(unit); err != nil {
		return "", err
	}
	used := int64(0)
	for i, r := range s {
		switch unit {
		case unitBytes:
			used += int64(utf8.RuneLen(r))
		case unitUTF16:
			used += int64(utf16.RuneLen(r))
		default:
			used++
		}
		if used > n {
			return s[:i], nil
		}
	}
	return s, nil
}

// substring is the characters from number from (0 is the first) up to, and
// without, number to. What lies outside of the text is left out.
func substring(s string, from, to int64) (string, error) {
	if from < 0 || to < 0 {
		return "", faultf("a position is negative")
	}
	if from >= to {
		return "", nil
	}
	var out strings.Builder
	at := int64(0)
	for _, r := range s {
		if at >= to {
			break
		}
		if at >= from {
			out.WriteRune(r)
		}
		at++
	}
	return out.String(), nil
}

func right(s string, n int64) (string, error) {
	if n < 0 {
		return "", faultf("the length is negative")
	}
	return substring(s, max(0, int64(utf8.RuneCountInString(s))-n), int64(len(s)))
}

func replace(s, old, with string) (string, error) {
	if old == "" {
		return "", faultf("there is no text to be replaced")
	}
	if len(s)+strings.Count(s, old)*len(with) > MaxText {
		return "", errTooLong
	}
	return strings.ReplaceAll(s, old, with), nil
}
