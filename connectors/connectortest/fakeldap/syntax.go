package fakeldap

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// syntaxPrefix begins the OIDs of RFC 4517 §3.3.
const syntaxPrefix = "1.3.6.1.4.1.1466.115.121.1."

const (
	syntaxDN      = syntaxPrefix + "12"
	syntaxBoolean = syntaxPrefix + "7"
	syntaxInteger = syntaxPrefix + "27"
	syntaxUniqueM = syntaxPrefix + "34"
)

var (
	integerForm   = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)
	timeForm      = regexp.MustCompile(`^[0-9]{10}([0-9]{2}([0-9]{2})?)?([.,][0-9]+)?(Z|[+-][0-9]{2}([0-9]{2})?)$`)
	oidForm       = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*|[0-9]+(\.[0-9]+)*)$`)
	printableForm = regexp.MustCompile(`^[A-Za-z0-9'()+,./:? =-]+$`)
	phoneForm     = regexp.MustCompile(`^[A-Za-z0-9'()+,./:? "=-]+$`)
	countryForm   = regexp.MustCompile(`^[A-Za-z]{2}$`)
	uuidForm      = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	numericForm   = regexp.MustCompile(`^[0-9 ]+$`)
)

// validity returns the check of a syntax; a syntax not known here takes anything.
// DNs are checked where they are parsed.
func validity(syntax string) func(string) bool {
	switch strings.TrimPrefix(syntax, syntaxPrefix) {
	case "41": // Postal Address
		return utf8.ValidString
	case "15":
		return directoryString
	case "26": // IA5 String
		return func(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0 }
	case "27":
		return integerForm.MatchString
	case "7":
		return func(s string) bool { return s == "TRUE" || s == "FALSE" }
	case "24":
		return timeForm.MatchString
	case "38":
		return oidForm.MatchString
	case "44":
		return printableForm.MatchString
	case "50", "22":
		return phoneForm.MatchString
	case "11":
		return countryForm.MatchString
	case "36":
		return numericForm.MatchString
	}
	if syntax == "1.3.6.1.1.16.1" { // RFC 4530
		return uuidForm.MatchString
	}
	return func(string) bool { return true }
}

// directoryString: RFC 4517 §3.3.6 wants at least one character.
func directoryString(v string) bool { return v != "" && utf8.ValidString(v) }

// normaliser returns what a matching rule compares (RFC 4517 §4.2): two values
// are equal when it makes the same of them. nil for no rule.
func (s *schema) normaliser(rule string) func(string) string {
	switch rule {
	case "":
		return nil
	case "caseIgnoreMatch", "caseIgnoreIA5Match", "caseIgnoreListMatch":
		return s.fold
	case "caseExactMatch", "caseExactIA5Match":
		return func(v string) string { return squash(norm.NFKC.String(v)) }
	case "telephoneNumberMatch":
		return func(v string) string { return strings.NewReplacer(" ", "", "-", "").Replace(v) } // slapd minds the case
	case "numericStringMatch":
		return func(v string) string { return strings.ReplaceAll(v, " ", "") }
	case "objectIdentifierMatch", "UUIDMatch", "booleanMatch":
		return strings.ToLower
	case "integerMatch":
		return canonicalInteger
	case "generalizedTimeMatch", "generalizedTimeOrderingMatch":
		return canonicalTime
	case "distinguishedNameMatch", "uniqueMemberMatch":
		return s.dnKey
	}
	return func(v string) string { return v }
}

// fold prepares a string as caseIgnoreMatch does: compatibility form, lower
// case, blanks squashed (RFC 4518 §2). Active Directory sees no accents either:
// to it müller and muller are one name.
func (s *schema) fold(v string) string {
	if !plainASCII(v) {
		if s.flavor == ActiveDirectory {
			v = strings.Map(func(r rune) rune {
				if unicode.Is(unicode.Mn, r) {
					return -1
				}
				return r
			}, norm.NFKD.String(v))
			v = strings.ReplaceAll(v, "ß", "ss")
		} else {
			v = norm.NFKC.String(v)
		}
	}
	return squash(strings.ToLower(v))
}

func plainASCII(v string) bool {
	for i := range len(v) {
		if v[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// squash drops blanks at both ends and leaves one where there are several.
func squash(v string) string {
	if !strings.Contains(v, "  ") && !strings.HasPrefix(v, " ") && !strings.HasSuffix(v, " ") {
		return v
	}
	return strings.Join(strings.Fields(v), " ")
}

func canonicalInteger(v string) string {
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		return strconv.FormatInt(n, 10)
	}
	return v
}

const (
	timeLayout   = "20060102150405Z"   // as OpenLDAP and 389-ds write it
	timeLayoutAD = "20060102150405.0Z" // as Active Directory does
	csnLayout    = "20060102150405.000000Z"
)

func canonicalTime(v string) string {
	v = strings.Replace(v, ",", ".", 1)
	for _, layout := range []string{timeLayout, "20060102150405.999999999Z", "20060102150405Z0700", "20060102150405.999999999Z0700", "200601021504Z", "2006010215Z"} {
		if t, err := time.Parse(layout, v); err == nil {
			return t.UTC().Format("20060102150405.000000000Z")
		}
	}
	return v
}
