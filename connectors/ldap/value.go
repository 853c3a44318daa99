package ldap

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// valueTypes are the contract's types of the forms in which values are written.
var valueTypes = map[string]connector.ValueType{
	"string": connector.TypeString, "integer": connector.TypeInteger, "bool": connector.TypeBool, "timestamp": connector.TypeTimestamp,
	"filetime": connector.TypeTimestamp, "bytes": connector.TypeBytes, "guid": connector.TypeString, "reference": connector.TypeReference,
}

// encode returns values as the directory takes them, references excepted. Empty
// text is no value (RFC 4517 §3.3.6).
func (a *attribute) encode(vs connector.Values) ([]string, error) {
	var out []string
	for _, v := range vs {
		s, err := a.encodeOne(v)
		if err != nil {
			return nil, &connector.Error{Code: connector.CodeInvalidValue, Message: fmt.Sprintf("attribute %s: %s", a.spec.Name, err), Attributes: []string{a.spec.Name}}
		}
		if s != "" {
			out = append(out, s)
		}
	}
	return out, nil
}

func (a *attribute) encodeOne(v connector.Value) (string, error) {
	switch x := v.(type) {
	case string:
		if a.form == "guid" && x != "" {
			b, err := ldap.GUIDBytes(x)
			return string(b), err
		}
		return x, a.allowed(x)
	case int64:
		return strconv.FormatInt(x, 10), nil
	case bool:
		return ldap.FormatBool(x), nil
	case []byte:
		return string(x), nil
	case time.Time:
		if a.form == "filetime" {
			return ldap.FormatFileTime(x), nil
		}
		return ldap.FormatTime(x), nil
	}
	return "", fmt.Errorf("values of type %T cannot be kept in a directory", v)
}

// allowed holds text against what the directory forbids beside its schema.
func (a *attribute) allowed(s string) error {
	if i := strings.IndexAny(s, a.rule.Forbidden); i >= 0 && a.rule.Forbidden != "" {
		return fmt.Errorf("a value must not hold %q", s[i:i+1])
	}
	if a.rule.ForbiddenEnd != "" && strings.TrimRight(s, a.rule.ForbiddenEnd) != s {
		return fmt.Errorf("a value must not end with any of %q", a.rule.ForbiddenEnd)
	}
	return nil
}

// decode reads values of the directory. One that does not have the form it
// should have comes as text, or as bytes where it is no text, so that the
// difference shows.
func (a *attribute) decode(raw []string) connector.Values {
	var out connector.Values
	for _, s := range raw {
		if v := a.decodeOne(s); v != nil {
			out = append(out, v)
		}
	}
	return out
}

func (a *attribute) decodeOne(s string) connector.Value {
	var v connector.Value
	var err error
	switch a.form {
	case "integer":
		v, err = strconv.ParseInt(s, 10, 64)
	case "bool":
		v, err = ldap.ParseBool(s)
	case "timestamp":
		v, err = ldap.ParseTime(s)
	case "filetime":
		var at time.Time
		if at, err = ldap.ParseFileTime(s); err == nil && at.IsZero() {
			return nil // never is no value
		}
		v = at
	case "guid":
		v, err = ldap.GUIDText([]byte(s))
	case "bytes":
		return []byte(s)
	default:
		v = s
	}
	if err == nil && (a.form != "" && a.form != "string" || utf8.ValidString(s)) {
		return v
	}
	if utf8.ValidString(s) {
		return s
	}
	return []byte(s)
}

// syntaxes are the forms of the syntaxes of RFC 4517 §3.3 and of Active
// Directory that are not text.
var syntaxes = map[string]string{
	"1.3.6.1.4.1.1466.115.121.1.7":  "bool",
	"1.3.6.1.4.1.1466.115.121.1.27": "integer",
	"1.2.840.113556.1.4.906":        "integer",
	"1.3.6.1.4.1.1466.115.121.1.24": "timestamp",
	"1.3.6.1.4.1.1466.115.121.1.5":  "bytes",
	"1.3.6.1.4.1.1466.115.121.1.8":  "bytes",
	"1.3.6.1.4.1.1466.115.121.1.9":  "bytes",
	"1.3.6.1.4.1.1466.115.121.1.28": "bytes",
	"1.3.6.1.4.1.1466.115.121.1.40": "bytes",
}
