package fakeldap

import (
	"fmt"
)

// win32 is the error number at the head of Active Directory's messages.
type win32 uint32

// The Win32 errors that this server reports by itself. [Fault] can report the
// others of winErrors.
const (
	winAccessDenied    win32 = 0x0005
	winGenFailure      win32 = 0x001F // a password on a plain connection, or not in quotes
	winWrongPassword   win32 = 0x0056
	winConversion      win32 = 0x0057
	winBindFirst       win32 = 0x04DC
	winBadAccountName  win32 = 0x0523
	winUserExists      win32 = 0x0524
	winNoSuchUser      win32 = 0x0525
	winPasswordPolicy  win32 = 0x052D
	winNotMember       win32 = 0x0561
	winMember          win32 = 0x0562
	winNoSuchType      win32 = 0x200C
	winValueExists     win32 = 0x200D
	winNoSuchClass     win32 = 0x2014
	winNonLeaf         win32 = 0x2015
	winRDN             win32 = 0x2016
	winAdminLimit      win32 = 0x2024
	winReferral        win32 = 0x202B
	winIntegrityNeeded win32 = 0x2028
	winBadCookie       win32 = 0x203D
	winUnavailableExt  win32 = 0x2040
	winExists          win32 = 0x2071
	winNoSuchValue     win32 = 0x2076
	winIllegalModify   win32 = 0x2077
	winMissingRequired win32 = 0x207C
	winNotInClass      win32 = 0x207D
	winSingleValue     win32 = 0x2081
	winRange           win32 = 0x2082
	winNoObject        win32 = 0x208D
	winBadName         win32 = 0x208F
	winNoRights        win32 = 0x2098
	winBadRule         win32 = 0x20A4
	winSystemOnly      win32 = 0x20B1
	winDanglingLink    win32 = 0x20B5
	winSPNInUse        win32 = 0x21C7
	winUPNInUse        win32 = 0x21C8
	winBadLogon        win32 = 0x80090308
)

// winError is how Active Directory words one error: its LDAP code, the class of
// the message, and the problem within it.
type winError struct {
	code    code
	class   string
	problem string
}

var winErrors = map[win32]winError{
	winAccessDenied:    {insufficientAccessRights, "SecErr", "4003 (INSUFF_ACCESS_RIGHTS)"},
	winGenFailure:      {unwillingToPerform, "SvcErr", "5003 (WILL_NOT_PERFORM)"},
	winWrongPassword:   {constraintViolation, "AtrErr", "1005 (CONSTRAINT_ATT_TYPE)"},
	winConversion:      {invalidAttributeSyntax, "LdapErr", "Error in attribute conversion operation"},
	winBindFirst:       {operationsError, "LdapErr", "In order to perform this operation a successful bind must be completed on the connection."},
	0x0522:             {insufficientAccessRights, "SecErr", "4003 (INSUFF_ACCESS_RIGHTS)"},
	winBadAccountName:  {other, "SysErr", "22 (Invalid argument)"},
	winUserExists:      {entryAlreadyExists, "UpdErr", "6005 (ENTRY_EXISTS)"},
	winNoSuchUser:      {noSuchObject, "NameErr", "2001 (NO_OBJECT)"},
	0x052C:             {unwillingToPerform, "SvcErr", "5003 (WILL_NOT_PERFORM)"},
	winPasswordPolicy:  {unwillingToPerform, "SvcErr", "5003 (WILL_NOT_PERFORM)"},
	winNotMember:       {unwillingToPerform, "SvcErr", "5003 (WILL_NOT_PERFORM)"},
	winMember:          {entryAlreadyExists, "UpdErr", "6005 (ENTRY_EXISTS)"},
	winNoSuchType:      {noSuchAttribute, "AtrErr", "1001 (NO_ATTRIBUTE_OR_VAL)"},
	winValueExists:     {attributeOrValueExists, "AtrErr", "1006 (ATT_OR_VALUE_EXISTS)"},
	winNoSuchClass:     {noSuchAttribute, "AtrErr", "1001 (NO_ATTRIBUTE_OR_VAL)"},
	winNonLeaf:         {notAllowedOnNonLeaf, "UpdErr", "6003 (CANT_ON_NON_LEAF)"},
	winRDN:             {notAllowedOnRDN, "UpdErr", "6004 (CANT_ON_RDN)"},
	winAdminLimit:      {adminLimitExceeded, "SvcErr", "5008 (ADMIN_LIMIT_EXCEEDED)"},
	winIntegrityNeeded: {strongerAuthRequired, "LdapErr", "The server requires binds to turn on integrity checking if SSL\\TLS are not already active on the connection"},
	winReferral:        {referralCode, "RefErr", ""},
	0x2030:             {noSuchObject, "NameErr", "2001 (NO_OBJECT)"},
	winBadCookie:       {unavailableCriticalExtension, "LdapErr", "Error processing control"},
	winUnavailableExt:  {unavailableCriticalExtension, "SvcErr", "5010 (UNAVAIL_EXTENSION)"},
	winExists:          {entryAlreadyExists, "UpdErr", "6005 (ENTRY_EXISTS)"},
	winNoSuchValue:     {noSuchAttribute, "AtrErr", "1001 (NO_ATTRIBUTE_OR_VAL)"},
	winIllegalModify:   {unwillingToPerform, "SvcErr", "5003 (WILL_NOT_PERFORM)"},
	winMissingRequired: {objectClassViolation, "UpdErr", "6002 (OBJ_CLASS_VIOLATION)"},
	winNotInClass:      {objectClassViolation, "UpdErr", "6002 (OBJ_CLASS_VIOLATION)"},
	winSingleValue:     {constraintViolation, "AtrErr", "1005 (CONSTRAINT_ATT_TYPE)"},
	winRange:           {constraintViolation, "AtrErr", "1005 (CONSTRAINT_ATT_TYPE)"},
	0x2089:             {noSuchObject, "UpdErr", "5012 (DIR_ERROR)"},
	winNoObject:        {noSuchObject, "NameErr", "2001 (NO_OBJECT)"},
	winBadName:         {invalidDNSyntax, "NameErr", "2006 (BAD_NAME)"},
	winNoRights:        {insufficientAccessRights, "SecErr", "4003 (INSUFF_ACCESS_RIGHTS)"},
	winBadRule:         {inappropriateMatching, "SvcErr", "5003 (WILL_NOT_PERFORM)"},
	winSystemOnly:      {constraintViolation, "AtrErr", "1005 (CONSTRAINT_ATT_TYPE)"},
	winDanglingLink:    {constraintViolation, "AtrErr", "1005 (CONSTRAINT_ATT_TYPE)"},
	winSPNInUse:        {constraintViolation, "AtrErr", "1005 (CONSTRAINT_ATT_TYPE)"},
	winUPNInUse:        {constraintViolation, "AtrErr", "1005 (CONSTRAINT_ATT_TYPE)"},
	winBadLogon:        {invalidCredentials, "LdapErr", "AcceptSecurityContext error"},
}

// usualWin are the errors of codes that say no more.
var usualWin = map[code]win32{
	noSuchAttribute: winNoSuchValue, constraintViolation: winRange, attributeOrValueExists: winValueExists,
	invalidAttributeSyntax: winConversion, noSuchObject: winNoObject, invalidDNSyntax: winBadName,
	insufficientAccessRights: winNoRights, objectClassViolation: winNotInClass, entryAlreadyExists: winExists,
	unavailableCriticalExtension: winUnavailableExt, unwillingToPerform: winIllegalModify, namingViolation: winRDN,
}

// asAD rewrites a refusal the way Active Directory reports it: the Win32 error
// first, a DSID that differs from build to build, and a zero byte at the end.
func (r *refusal) asAD(dsid uint32) {
	if r.code == success || r.code == compareTrue || r.code == compareFalse {
		return
	}
	if r.win == 0 {
		r.win = usualWin[r.code]
	}
	e, ok := winErrors[r.win]
	if !ok {
		return
	}
	r.code = e.code
	head := fmt.Sprintf("%08X: %s: DSID-%08X, ", uint32(r.win), e.class, dsid)
	switch e.class {
	case "LdapErr":
		data := r.attr
		if data == "" {
			data = "0"
		}
		head += fmt.Sprintf("comment: %s, data %s, v4563", e.problem, data)
	case "AtrErr":
		head += fmt.Sprintf("#1:\n\t0: %08X: DSID-%08X, problem %s, data 0, Att %x (%s)\n", uint32(r.win), dsid, e.problem, 0x9005a, r.attr)
	case "NameErr":
		head += fmt.Sprintf("problem %s, data 0, best match of:\n\t'%s'\n", e.problem, r.matched)
	case "RefErr":
		head += fmt.Sprintf("data 0, 1 access points\n\tref 1: '%s'\n", r.attr)
	default:
		head += fmt.Sprintf("problem %s, data 0\n", e.problem)
	}
	r.text = head + "\x00"
}
