package ldap

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provhub/provhub/connectors/connector"
)

// kind says what a request may leave behind when its answer is lost.
type kind int

const (
	kindRead kind = iota
	kindWrite
	kindBind
)

// maxDetail bounds what is kept of the server's words for the debug log.
const maxDetail = 512

// faultOf turns what go-ldap returned into an error of the contract. about is
// the kind of request and what it was meant to do, in a few words: "add an entry".
func faultOf(k kind, about string, err error) error {
	var answer *goldap.Error
	if err == nil {
		return nil
	}
	if errors.As(err, &answer) && answer.ResultCode < goldap.ErrorNetwork {
		return answered(k, about, answer)
	}
	if answer != nil && answer.ResultCode == goldap.ErrorFilterCompile {
		return &connector.Error{Code: connector.CodeConfiguration, Message: "a filter cannot be read", Cause: err}
	}
	return lost(k, err)
}

// lost is the error of a request that got no answer. go-ldap tells by text alone
// where the connection broke; what is not known to be unsent may have arrived.
func lost(k kind, err error) error {
	e := &connector.Error{Code: connector.CodeUnavailable, Message: "the connection to the directory broke before the answer came", Cause: err}
	text := err.Error()
	switch {
	case errors.Is(err, context.DeadlineExceeded), strings.Contains(text, "connection timed out"):
		e.Code, e.Message = connector.CodeTimeout, "the directory gave no answer within the time limit"
	case errors.Is(err, context.Canceled):
		e.Message = "the call was cancelled before the answer came"
	case strings.Contains(text, "ldap: connection closed"), strings.Contains(text, "unable to send request"):
		// Not a whole message left: the server cannot have acted on it.
		e.Message = "the connection to the directory was closed before the request was sent"
		return e
	}
	if k == kindWrite {
		return connector.Unknown(e)
	}
	return e
}

// unreadable is an answer that does not make sense.
func unreadable(text string) error {
	return &connector.Error{Code: connector.CodeUnavailable, Message: "an answer of the directory cannot be used: " + text}
}

// answered is the error of a request that the server refused.
func answered(k kind, about string, a *goldap.Error) error {
	words := diagnostic(a)
	e := &connector.Error{NativeCode: fmt.Sprintf("LDAP %d", a.ResultCode), Detail: clip(words), Cause: a}
	meaning, known := resultCodes[a.ResultCode]
	if !known {
		meaning = verdict{connector.CodeInternal, "the directory answered with a result that is not known here"}
	}
	e.Code, e.Message = meaning.code, "cannot "+about+": "+meaning.text
	e.Attributes = attributesIn(words)
	switch {
	case k == kindBind:
		refusedBind(e, a.ResultCode, words)
	case a.ResultCode == goldap.LDAPResultReferral:
		e.Message += referralHosts(words, referrals(a))
	case a.ResultCode == goldap.LDAPResultConstraintViolation:
		constraint(e, a, words)
	case a.ResultCode == goldap.LDAPResultUnwillingToPerform && strings.Contains(words, "shadow context"):
		e.Code, e.Message = connector.CodeConfiguration, "cannot "+about+": this server is a read-only copy; name the server that takes writes first in urls"
	}
	if p := passwordPolicy(a); p != "" {
		e.Code, e.Message = connector.CodePolicy, "the directory's password policy refuses it: "+p
	}
	windows(e, about, words)
	return e
}

// constraint tells apart what servers answer with constraintViolation: an
// attribute-uniqueness plug-in, a password policy, or a constraint proper.
func constraint(e *connector.Error, a *goldap.Error, words string) {
	lower := strings.ToLower(words)
	switch {
	case strings.Contains(lower, "uniq"), strings.Contains(lower, "already in use"), strings.Contains(lower, "another entry with the same"):
		e.Code, e.Message = connector.CodeAlreadyExists, "another entry holds a value that must be unique"
	case strings.Contains(lower, "password"):
		e.Code, e.Message = connector.CodePolicy, "the directory's password policy refuses it"
	}
}

// passwordPolicy returns what the password policy control of the answer says,
// "" when there is none (draft-behera-ldap-password-policy-10 §6.2).
func passwordPolicy(a *goldap.Error) string {
	if a.Packet == nil || len(a.Packet.Children) < 3 {
		return ""
	}
	for _, child := range a.Packet.Children[2].Children {
		c, err := goldap.DecodeControl(child)
		if err != nil {
			continue
		}
		if p, ok := c.(*goldap.ControlBeheraPasswordPolicy); ok && p.Error >= 0 {
			return strings.ToLower(p.ErrorString)
		}
	}
	return ""
}

func diagnostic(a *goldap.Error) string {
	if a.Err == nil {
		return ""
	}
	return strings.TrimRight(a.Err.Error(), "\x00 \n")
}

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxDetail)], "") }

// named are the ways in which servers name the attribute at fault.
var named = []*regexp.Regexp{
	regexp.MustCompile(`^([A-Za-z][\w;-]*): (?:value #|attribute type undefined|multiple values|no )`),
	regexp.MustCompile(`(?:requires|missing) attribute "?'?([A-Za-z][\w-]*)`),
	regexp.MustCompile(`attribute '([A-Za-z][\w-]*)' (?:not allowed|cannot have)`),
	regexp.MustCompile(`\(([A-Za-z][\w-]*)\)\x00?$`),
	regexp.MustCompile(`uniqueness .* ([A-Za-z][\w-]*)$`),
}

// attributesIn returns the names of LDAP attributes that a diagnostic message blames.
func attributesIn(words string) []string {
	for _, re := range named {
		if m := re.FindStringSubmatch(words); m != nil {
			return []string{m[1]}
		}
	}
	return nil
}
