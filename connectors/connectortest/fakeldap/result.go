package fakeldap

import (
	"fmt"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// code is an LDAP result code (RFC 4511 appendix A).
type code uint16

// The codes this server answers with.
const (
	success                      code = 0
	operationsError              code = 1
	protocolError                code = 2
	timeLimitExceeded            code = 3
	sizeLimitExceeded            code = 4
	compareFalse                 code = 5
	compareTrue                  code = 6
	authMethodNotSupported       code = 7
	strongerAuthRequired         code = 8
	referralCode                 code = 10
	adminLimitExceeded           code = 11
	unavailableCriticalExtension code = 12
	noSuchAttribute              code = 16
	undefinedAttributeType       code = 17
	inappropriateMatching        code = 18
	constraintViolation          code = 19
	attributeOrValueExists       code = 20
	invalidAttributeSyntax       code = 21
	noSuchObject                 code = 32
	invalidDNSyntax              code = 34
	inappropriateAuthentication  code = 48
	invalidCredentials           code = 49
	insufficientAccessRights     code = 50
	busy                         code = 51
	unavailable                  code = 52
	unwillingToPerform           code = 53
	namingViolation              code = 64
	objectClassViolation         code = 65
	notAllowedOnNonLeaf          code = 66
	notAllowedOnRDN              code = 67
	entryAlreadyExists           code = 68
	objectClassModsProhibited    code = 69
	affectsMultipleDSAs          code = 71
	other                        code = 80
	cancelled                    code = 118
	assertionFailed              code = 122
	syncRefreshRequired          code = 4096
)

// refusal is an answer other than success. As an error it travels from where a
// rule was broken to where the answer is written.
type refusal struct {
	code      code
	text      string // diagnosticMessage as OpenLDAP words it
	matched   string
	referrals []string
	// win is the Win32 error that Active Directory reports; 0: the usual one of
	// code. attr is the attribute it names.
	win      win32
	attr     string
	controls []*ber.Packet
}

// Error implements error.
func (r *refusal) Error() string { return fmt.Sprintf("LDAP %d: %s", r.code, r.text) }

// refuse makes a refusal.
func refuse(c code, format string, args ...any) *refusal {
	return &refusal{code: c, text: fmt.Sprintf(format, args...)}
}

// ad says how Active Directory reports the same: by a Win32 error which brings
// its own LDAP code.
func (r *refusal) ad(w win32) *refusal {
	r.win = w
	return r
}

// of names the attribute at fault.
func (r *refusal) of(attr string) *refusal {
	r.attr = attr
	return r
}

// answer is what a request is answered with when it ends.
type answer struct {
	refusal
	name  string // responseName of an extended answer
	value []byte // responseValue; nil: absent
	creds []byte // serverSaslCreds
}

// answerOf turns what a handler returned into an answer. A server that broke
// down says other(80), as slapd does.
func answerOf(err error) answer {
	switch e := err.(type) {
	case nil:
		return answer{}
	case *refusal:
		return answer{refusal: *e}
	}
	return answer{refusal: refusal{code: other, text: err.Error()}}
}
