package fakeldap

import (
	"encoding/binary"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
)

// unicodePwd notes a password change: the quoted password in UTF-16LE, on an
// encrypted connection only (MS-ADTS 3.1.1.3.1.5.1). Replace is a reset, delete
// and add together are a change.
func (w *writer) unicodePwd(m modification) error {
	if !w.encrypted || len(m.values) != 1 {
		return refuse(unwillingToPerform, "").ad(winGenFailure)
	}
	if m.op == modReplace && w.self {
		return refuse(insufficientAccessRights, "").ad(winAccessDenied)
	}
	password, ok := unquote(m.values[0])
	if !ok {
		return refuse(unwillingToPerform, "").ad(winGenFailure)
	}
	m.values = []string{password}
	return w.passwords.gather(m)
}

// unquote decodes UTF-16LE and takes the quotes off.
func unquote(raw string) (string, bool) {
	if len(raw)%2 != 0 {
		return "", false
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16([]byte(raw[2*i:]))
	}
	s := string(utf16.Decode(units))
	if len(s) < 2 || !strings.HasPrefix(s, `"`) || !strings.HasSuffix(s, `"`) {
		return "", false
	}
	return s[1 : len(s)-1], true
}

// checkPasswordAD applies the domain's policy, and sets pwdLastSet.
func (t *tx) checkPasswordAD(e *entry, password string) error {
	policy := t.options.Passwords
	weak := len([]rune(password)) < policy.MinLength || !policy.Simple && !complexEnough(password, first(t.text(e, "samaccountname")))
	if weak {
		return refuse(unwillingToPerform, "").ad(winPasswordPolicy)
	}
	t.put(e, "pwdlastset", filetime(t.clock()))
	return nil
}

// complexEnough: three of upper, lower, digit and other, and not the account's name.
func complexEnough(password, account string) bool {
	if len(account) > 2 && strings.Contains(strings.ToLower(password), strings.ToLower(account)) {
		return false
	}
	var kinds [4]bool
	for _, r := range password {
		switch {
		case unicode.IsUpper(r):
			kinds[0] = true
		case unicode.IsLower(r):
			kinds[1] = true
		case unicode.IsDigit(r):
			kinds[2] = true
		default:
			kinds[3] = true
		}
	}
	n := 0
	for _, k := range kinds {
		if k {
			n++
		}
	}
	return n >= 3
}

// The sub-codes of a logon that failed (QUIRKS LDAP-51).
const (
	logonNoUser     = "525"
	logonWrong      = "52e"
	logonExpired    = "532"
	logonDisabled   = "533"
	logonAccountEnd = "701"
	logonMustChange = "773"
	logonLocked     = "775"
)

func badLogon(data string) error {
	r := refuse(invalidCredentials, "").ad(winBadLogon)
	r.attr = data
	return r
}

// signInAD checks a password and the account's state, in a domain controller's
// order: only who knows the password learns why it does not help.
func (d *directory) signInAD(e *entry, password string, now time.Time) error {
	if e == nil {
		return badLogon(logonNoUser)
	}
	uac := d.number(e, "useraccountcontrol")
	ends := fromFiletime(first(d.text(e, "accountexpires")))
	switch {
	case !e.lockedAt.IsZero():
		return badLogon(logonLocked)
	case !e.secret.matches(password):
		d.failed(e, now)
		return badLogon(logonWrong)
	case uac&uacDisabled != 0:
		return badLogon(logonDisabled)
	case !ends.IsZero() && now.After(ends):
		return badLogon(logonAccountEnd)
	case first(d.text(e, "pwdlastset")) == "0" && uac&uacNoExpire == 0:
		return badLogon(logonMustChange)
	}
	e.failures, e.loggedOn = 0, now
	return nil
}

// accountByLogon finds an account by user principal name, name@domain or
// DOMAIN\name.
func (d *directory) accountByLogon(name string) *entry {
	find := func(attr, value string) *entry {
		t := d.types[attr]
		if found := d.index[t][canonical(t, value)]; len(found) == 1 {
			return found[0]
		}
		return nil
	}
	if domain, account, ok := strings.Cut(name, `\`); ok && strings.EqualFold(domain, d.netbios()) {
		return find("samaccountname", account)
	}
	account, domain, ok := strings.Cut(name, "@")
	if !ok {
		return nil
	}
	if e := find("userprincipalname", name); e != nil {
		return e
	}
	if strings.EqualFold(domain, domainOf(d.suffix)) {
		return find("samaccountname", account)
	}
	return nil
}
