package ldap

import (
	"context"
	"errors"
	"fmt"
	"net/url"
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

// verdict is what a result code means for the hub.
type verdict struct {
	code connector.Code
	text string
}

// resultCodes are the result codes of RFC 4511 §A.2 and its successors.
var resultCodes = map[uint16]verdict{
	goldap.LDAPResultOperationsError:              {connector.CodeUnavailable, "the server and the connection disagree about its state; a new connection is made"},
	goldap.LDAPResultProtocolError:                {connector.CodeUnsupported, "the server does not understand the request"},
	goldap.LDAPResultTimeLimitExceeded:            {connector.CodeTimeout, "the server's time limit is reached"},
	goldap.LDAPResultSizeLimitExceeded:            {connector.CodeTooLarge, "the server's size limit is reached"},
	goldap.LDAPResultAuthMethodNotSupported:       {connector.CodeConfiguration, "the server does not offer this way to bind"},
	goldap.LDAPResultStrongAuthRequired:           {connector.CodeConfiguration, "the server asks for a stronger bind, or for TLS; use ldaps://"},
	goldap.LDAPResultReferral:                     {connector.CodeConfiguration, "the entry is held by another server"},
	goldap.LDAPResultAdminLimitExceeded:           {connector.CodeTooLarge, "an administrative limit of the server is reached"},
	goldap.LDAPResultUnavailableCriticalExtension: {connector.CodeConfiguration, "the server lacks a control that the config asks for"},
	goldap.LDAPResultConfidentialityRequired:      {connector.CodeConfiguration, "the server asks for TLS; use ldaps://"},
	goldap.LDAPResultNoSuchAttribute:              {connector.CodeVersionConflict, "the entry does not hold what was to be removed"},
	goldap.LDAPResultUndefinedAttributeType:       {connector.CodeInvalidValue, "the directory does not know an attribute; look at its schema"},
	goldap.LDAPResultInappropriateMatching:        {connector.CodeInvalidValue, "an attribute cannot be compared in this way"},
	goldap.LDAPResultConstraintViolation:          {connector.CodeInvalidValue, "a value breaks a constraint of the directory"},
	goldap.LDAPResultAttributeOrValueExists:       {connector.CodeVersionConflict, "the entry holds what was to be added already"},
	goldap.LDAPResultInvalidAttributeSyntax:       {connector.CodeInvalidValue, "a value does not have the syntax of its attribute"},
	goldap.LDAPResultNoSuchObject:                 {connector.CodeNotFound, "there is no such entry"},
	goldap.LDAPResultInvalidDNSyntax:              {connector.CodeInvalidValue, "the name of the entry is not valid here"},
	goldap.LDAPResultInappropriateAuthentication:  {connector.CodeAuthentication, "the account cannot bind in this way"},
	goldap.LDAPResultInvalidCredentials:           {connector.CodeAuthentication, "the name or the password is wrong"},
	goldap.LDAPResultInsufficientAccessRights:     {connector.CodePermission, "the account that provhub binds with lacks the right to do it"},
	goldap.LDAPResultBusy:                         {connector.CodeBusy, "the server is busy"},
	goldap.LDAPResultUnavailable:                  {connector.CodeUnavailable, "the server is not available"},
	goldap.LDAPResultUnwillingToPerform:           {connector.CodePolicy, "the server refuses it by a rule of its own"},
	goldap.LDAPResultLoopDetect:                   {connector.CodeConfiguration, "the directory's aliases or referrals run in a circle"},
	goldap.LDAPResultNamingViolation:              {connector.CodeInvalidValue, "an entry of this kind cannot stand at this place"},
	goldap.LDAPResultObjectClassViolation:         {connector.CodeInvalidValue, "the entry would not have what its object classes ask for"},
	goldap.LDAPResultNotAllowedOnNonLeaf:          {connector.CodeVersionConflict, "there are entries below it; they must go first"},
	goldap.LDAPResultNotAllowedOnRDN:              {connector.CodeInvalidValue, "the attribute is part of the entry's name"},
	goldap.LDAPResultEntryAlreadyExists:           {connector.CodeAlreadyExists, "another entry has this name"},
	goldap.LDAPResultObjectClassModsProhibited:    {connector.CodeInvalidValue, "the structural object class cannot be changed"},
	goldap.LDAPResultAffectsMultipleDSAs:          {connector.CodeInvalidValue, "it would cross the border to another server"},
	goldap.LDAPResultOther:                        {connector.CodeBusy, "the server has a fault of its own"},
	goldap.LDAPResultAssertionFailed:              {connector.CodeVersionConflict, "the entry was changed meanwhile"},
	goldap.LDAPResultAuthorizationDenied:          {connector.CodePermission, "the account that provhub binds with may not act in this name"},
	goldap.LDAPResultSyncRefreshRequired:          {connector.CodeVersionConflict, "the server no longer knows what changed since then; a full listing is needed"},
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

// referrals returns the URLs of a referral (RFC 4511 §4.1.10).
func referrals(a *goldap.Error) []string {
	if a.Packet == nil || len(a.Packet.Children) < 2 {
		return nil
	}
	var out []string
	for _, child := range a.Packet.Children[1].Children {
		if child.Tag == 3 && len(child.Children) > 0 {
			for _, u := range child.Children {
				if s, ok := u.Value.(string); ok {
					out = append(out, s)
				} else {
					out = append(out, u.Data.String())
				}
			}
		}
	}
	return out
}

// referralHosts names the servers that a referral leads to, and nothing else of
// it: the rest can hold names of people. They are not followed, which would
// show the credentials to another host.
func referralHosts(words string, urls []string) string {
	var hosts []string
	for _, u := range append(urls, strings.Fields(words)...) {
		if p, err := url.Parse(u); err == nil && strings.HasPrefix(p.Scheme, "ldap") && p.Host != "" {
			hosts = append(hosts, p.Host)
		}
	}
	if len(hosts) == 0 {
		return "; referrals are not followed: name that server in urls"
	}
	return ", " + strings.Join(hosts, " or ") + "; referrals are not followed: name it in urls if it is to be written to"
}
