package ldap

import (
	"fmt"
	"regexp"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provhub/provhub/connectors/connector"
)

// win32 finds the error code that Active Directory begins its messages with,
// "0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0".
// The DSID names a line of one build; nothing is read from it.
var (
	win32 = regexp.MustCompile(`^([0-9A-Fa-f]{8}): `)
	data  = regexp.MustCompile(`, data ([0-9a-fA-F]+), v`)
)

// The codes that decide by themselves what an answer of Active Directory means
// ([MS-ERREF] §2.2), whatever the LDAP result beside them.
var windowsCodes = map[string]verdict{
	"0000001F": {connector.CodeConfiguration, "the password can only be set over TLS; use ldaps://"},
	"00000005": {connector.CodePermission, "the account that provhub binds with lacks the right to do it"},
	"000004DC": {connector.CodeUnavailable, "the server has dropped the bind; a new connection is made"},
	"00000057": {connector.CodeBusy, "the server cannot process a control just now"},
	"00000522": {connector.CodePermission, "the account that provhub binds with lacks a privilege"},
	"00000523": {connector.CodeInvalidValue, "the account name is not valid for Windows"},
	"00000524": {connector.CodeAlreadyExists, "another account has this name"},
	"00000561": {connector.CodeVersionConflict, "the account is not a member of the group"},
	"00000562": {connector.CodeVersionConflict, "the account is a member of the group already"},
	"0000052C": {connector.CodePolicy, "the password does not have the right form"},
	"0000052D": {connector.CodePolicy, "the password does not meet the domain's policy for length, complexity or history"},
	"0000200D": {connector.CodeVersionConflict, "the entry holds what was to be added already"},
	"00002015": {connector.CodeVersionConflict, "there are entries below it; they must go first"},
	"00002016": {connector.CodeInvalidValue, "the attribute is part of the entry's name"},
	"00002024": {connector.CodeTooLarge, "an administrative limit of the server is reached"},
	"0000202B": {connector.CodeConfiguration, "the entry belongs to another domain or partition"},
	"00002030": {connector.CodeNotFound, "there is no such entry"},
	"0000208D": {connector.CodeNotFound, "there is no such entry, or none above it"},
	"00002089": {connector.CodeNotFound, "there is no entry above it"},
	"0000203D": {connector.CodeVersionConflict, "the server no longer accepts the place in the listing; begin it anew"},
	"00002071": {connector.CodeAlreadyExists, "another entry has this name"},
	"00002076": {connector.CodeVersionConflict, "the entry does not hold what was to be removed"},
	"00002077": {connector.CodeInvalidValue, "the change is not allowed on this attribute"},
	"00002081": {connector.CodeInvalidValue, "the attribute takes one value"},
	"00002082": {connector.CodeInvalidValue, "a value is out of the attribute's range"},
	"000020B1": {connector.CodeInvalidValue, "the attribute is set by the system alone"},
	"000021C7": {connector.CodeAlreadyExists, "another account in the forest has this servicePrincipalName"},
	"000021C8": {connector.CodeAlreadyExists, "another account in the forest has this userPrincipalName"},
}

// windowsAttributes are the attributes that some codes blame.
var windowsAttributes = map[string]string{
	"00000523": "sAMAccountName", "00000524": "sAMAccountName", "000021C7": "servicePrincipalName", "000021C8": "userPrincipalName",
	"0000052C": "unicodePwd", "0000052D": "unicodePwd", "0000001F": "unicodePwd",
}

// windows corrects e by the code of Active Directory, if words hold one.
func windows(e *connector.Error, about, words string) {
	m := win32.FindStringSubmatch(words)
	if m == nil {
		return
	}
	code := strings.ToUpper(m[1])
	e.NativeCode += " " + code
	v, ok := windowsCodes[code]
	if !ok || e.Code == connector.CodeAuthentication {
		return
	}
	e.Code, e.Message = v.code, "cannot "+about+": "+v.text
	if a := windowsAttributes[code]; a != "" {
		e.Attributes = []string{a}
	}
}

// bindReasons are what "data" of a refused bind says ([MS-ERREF] §2.2).
var bindReasons = map[string]string{
	"525": "there is no such account",
	"52e": "the password is wrong",
	"530": "it is outside the account's hours",
	"531": "the account may not sign in from this machine",
	"532": "the password has expired",
	"533": "the account is disabled",
	"701": "the account has expired",
	"773": "the password must be changed first",
	"775": "the account is locked",
}

// refusedBind makes the refusal of a bind an error of the whole instance: every
// further try brings the account nearer to being locked.
func refusedBind(e *connector.Error, result uint16, words string) {
	e.Scope = connector.ScopeInstance
	switch result {
	case goldap.LDAPResultBusy, goldap.LDAPResultUnavailable, goldap.LDAPResultOperationsError, goldap.LDAPResultOther, goldap.LDAPResultTimeLimitExceeded:
		e.Scope = ""
		return // the server's trouble, not the account's
	case goldap.LDAPResultAuthMethodNotSupported, goldap.LDAPResultStrongAuthRequired, goldap.LDAPResultConfidentialityRequired, goldap.LDAPResultReferral:
		return
	}
	e.Code = connector.CodeAuthentication
	e.Message = "the directory refuses the bind: the name or the password is wrong"
	if m := data.FindStringSubmatch(words); m != nil {
		reason := bindReasons[strings.ToLower(m[1])]
		if reason == "" {
			reason = fmt.Sprintf("reason %s", m[1])
		}
		e.NativeCode += " data " + strings.ToLower(m[1])
		e.Message = "the directory refuses the bind: " + reason
	}
}
