package ldap

import (
	"errors"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provhub/provhub/connectors/connector"
)

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

// ResultCode returns the LDAP result code that err stands for; ok is false when
// the server gave no answer.
func ResultCode(err error) (code uint16, ok bool) {
	var a *goldap.Error
	if errors.As(err, &a) && a.ResultCode < goldap.ErrorNetwork {
		return a.ResultCode, true
	}
	return 0, false
}

// WindowsCode returns the code that Active Directory put before its message, in
// eight hexadecimal digits, "" when there is none.
func WindowsCode(err error) string {
	var a *goldap.Error
	if errors.As(err, &a) {
		if m := win32.FindStringSubmatch(diagnostic(a)); m != nil {
			return m[1]
		}
	}
	return ""
}

// HasValue reports whether err says that a value to be added is there already.
func HasValue(err error) bool {
	code, _ := ResultCode(err)
	return code == goldap.LDAPResultAttributeOrValueExists || code == goldap.LDAPResultEntryAlreadyExists && WindowsCode(err) == "00000562"
}

// LacksValue reports whether err says that a value to be removed is not there.
func LacksValue(err error) bool {
	code, _ := ResultCode(err)
	return code == goldap.LDAPResultNoSuchAttribute || code == goldap.LDAPResultUnwillingToPerform && WindowsCode(err) == "00000561"
}
