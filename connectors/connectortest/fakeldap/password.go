package fakeldap

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// credential is an account's password as the server keeps it. The zero value is
// no password.
type credential struct {
	salt string
	sum  [sha256.Size]byte
	past []credential // newest last
}

// seal makes a credential. One round is enough here: it guards a test's
// passwords against a look at the memory, nothing else.
func seal(password string) credential {
	c := credential{salt: rand.Text()}
	c.sum = sha256.Sum256([]byte(c.salt + password))
	return c
}

func (c credential) isSet() bool { return c.salt != "" }

func (c credential) matches(password string) bool {
	sum := sha256.Sum256([]byte(c.salt + password))
	return c.isSet() && subtle.ConstantTimeCompare(sum[:], c.sum[:]) == 1
}

// String is what a read of userPassword shows; "" for no password.
func (c credential) String() string {
	if !c.isSet() {
		return ""
	}
	return "{SSHA256}" + base64.StdEncoding.EncodeToString(append(c.sum[:], c.salt...))
}

// The errors of the password policy response (draft-behera-ldap-password-policy §6.2).
const (
	policyAccountLocked  = 1
	policyQuality        = 5
	policyTooShort       = 6
	policyInHistory      = 8
	policyNone           = -1
	policyControlErrorID = 1 // [1] ENUMERATED
)

// policyControl is the response control; code policyNone leaves it empty.
func policyControl(code int) []*ber.Packet {
	value := ber.NewSequence("")
	if code >= 0 {
		e := ber.NewInteger(ber.ClassContext, ber.TypePrimitive, policyControlErrorID, int64(code), "")
		value.AppendChild(e)
	}
	return []*ber.Packet{responseControl(oidPasswordPolicy, value)}
}

// policyError is what the control tells after a bind that failed.
func (d *directory) policyError(e *entry) int {
	if e != nil && d.locked(e) {
		return policyAccountLocked
	}
	return policyNone
}

// setPassword gives an entry a password, when the policy lets it, and ends a
// lock. "" takes the password away.
func (t *tx) setPassword(e *entry, password string) error {
	check := t.checkPassword
	if t.flavor == ActiveDirectory {
		check = t.checkPasswordAD
	}
	if err := check(e, password); err != nil {
		return err
	}
	was, failures, lockedAt := e.secret, e.failures, e.lockedAt
	t.onUndo(func() { e.secret, e.failures, e.lockedAt = was, failures, lockedAt })
	e.failures, e.lockedAt = 0, time.Time{}
	if lock := t.types["pwdaccountlockedtime"]; lock != nil && password != "" {
		t.clear(e, description{typ: lock})
	}
	e.secret = credential{past: was.past}
	if password == "" {
		return nil
	}
	e.secret = seal(password)
	if n := t.options.Passwords.History; n > 0 && was.isSet() {
		past := append(slices.Clone(was.past), credential{salt: was.salt, sum: was.sum})
		e.secret.past = past[max(0, len(past)-n):]
	}
	return nil
}

// checkPassword applies the policy of OpenLDAP's ppolicy and of 389-ds.
func (t *tx) checkPassword(e *entry, password string) error {
	if password == "" {
		return nil
	}
	if hashed(password) {
		r := refuse(constraintViolation, "Password fails quality checking policy")
		r.controls = policyControl(policyQuality)
		return r
	}
	if len([]rune(password)) < t.options.Passwords.MinLength {
		r := refuse(constraintViolation, "Password fails quality checking policy")
		r.controls = policyControl(policyTooShort)
		return r
	}
	if t.options.Passwords.History > 0 && e.secret.matches(password) {
		r := refuse(constraintViolation, "Password is not being changed from existing value")
		r.controls = policyControl(policyInHistory)
		return r
	}
	if slices.ContainsFunc(e.secret.past, func(c credential) bool { return c.matches(password) }) {
		r := refuse(constraintViolation, "Password is in history of old passwords")
		r.controls = policyControl(policyInHistory)
		return r
	}
	return nil
}

// hashed reports whether a userPassword value is a hash of one, which cannot be
// checked against the policy.
func hashed(v string) bool { return strings.HasPrefix(v, "{") && strings.Contains(v, "}") }
