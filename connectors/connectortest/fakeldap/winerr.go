package fakeldap

import "fmt"

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

// winWordings lists which errors are worded how.
var winWordings = []struct {
	winError
	of []win32
}{
	{winError{insufficientAccessRights, "SecErr", "4003 (INSUFF_ACCESS_RIGHTS)"},
		[]win32{winAccessDenied, 0x0522, winNoRights}},
	{winError{unwillingToPerform, "SvcErr", "5003 (WILL_NOT_PERFORM)"},
		[]win32{winGenFailure, 0x052C, winPasswordPolicy, winNotMember, winIllegalModify}},
	{winError{constraintViolation, "AtrErr", "1005 (CONSTRAINT_ATT_TYPE)"},
		[]win32{winWrongPassword, winSingleValue, winRange, winSystemOnly, winDanglingLink, winSPNInUse, winUPNInUse}},
	{winError{invalidAttributeSyntax, "LdapErr", "Error in attribute conversion operation"},
		[]win32{winConversion}},
	{winError{operationsError, "LdapErr", "In order to perform this operation a successful bind must be completed on the connection."},
		[]win32{winBindFirst}},
	{winError{other, "SysErr", "22 (Invalid argument)"},
		[]win32{winBadAccountName}},
	{winError{entryAlreadyExists, "UpdErr", "6005 (ENTRY_EXISTS)"},
		[]win32{winUserExists, winMember, winExists}},
	{winError{noSuchObject, "NameErr", "2001 (NO_OBJECT)"},
		[]win32{winNoSuchUser, 0x2030, winNoObject}},
	{winError{noSuchAttribute, "AtrErr", "1001 (NO_ATTRIBUTE_OR_VAL)"},
		[]win32{winNoSuchType, winNoSuchClass, winNoSuchValue}},
	{winError{attributeOrValueExists, "AtrErr", "1006 (ATT_OR_VALUE_EXISTS)"},
		[]win32{winValueExists}},
	{winError{notAllowedOnNonLeaf, "UpdErr", "6003 (CANT_ON_NON_LEAF)"},
		[]win32{winNonLeaf}},
	{winError{notAllowedOnRDN, "UpdErr", "6004 (CANT_ON_RDN)"},
		[]win32{winRDN}},
	{winError{adminLimitExceeded, "SvcErr", "5008 (ADMIN_LIMIT_EXCEEDED)"},
		[]win32{winAdminLimit}},
	{winError{strongerAuthRequired, "LdapErr", "The server requires binds to turn on integrity checking if SSL\\TLS are not already active on the connection"},
		[]win32{winIntegrityNeeded}},
	{winError{referralCode, "RefErr", ""},
		[]win32{winReferral}},
	{winError{unavailableCriticalExtension, "LdapErr", "Error processing control"},
		[]win32{winBadCookie}},
	{winError{unavailableCriticalExtension, "SvcErr", "5010 (UNAVAIL_EXTENSION)"},
		[]win32{winUnavailableExt}},
	{winError{objectClassViolation, "UpdErr", "6002 (OBJ_CLASS_VIOLATION)"},
		[]win32{winMissingRequired, winNotInClass}},
	{winError{noSuchObject, "UpdErr", "5012 (DIR_ERROR)"},
		[]win32{0x2089}},
	{winError{invalidDNSyntax, "NameErr", "2006 (BAD_NAME)"},
		[]win32{winBadName}},
	{winError{inappropriateMatching, "SvcErr", "5003 (WILL_NOT_PERFORM)"},
		[]win32{winBadRule}},
	{winError{invalidCredentials, "LdapErr", "AcceptSecurityContext error"},
		[]win32{winBadLogon}},
}

var winErrors = func() map[win32]winError {
	out := map[win32]winError{}
	for _, w := range winWordings {
		for _, win := range w.of {
			out[win] = w.winError
		}
	}
	return out
}()

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
