package fakeldap

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// The bits of userAccountControl (MS-ADTS 2.2.16).
const (
	uacDisabled     = 0x2
	uacLockout      = 0x10 // computed
	uacNotRequired  = 0x20 // no password needed
	uacCantChange   = 0x40 // computed
	uacNormal       = 0x200
	uacNoExpire     = 0x10000
	uacExpired      = 0x800000 // computed
	uacComputed     = uacLockout | uacCantChange | uacExpired
	uacAccountTypes = 0x100 | uacNormal | 0x800 | 0x1000 | 0x2000
)

// neverExpires is one of the two spellings of "never" in accountExpires.
const neverExpires = "9223372036854775807"

// filetime is 100 ns since 1601 (MS-DTYP 2.3.3).
func filetime(t time.Time) string {
	return strconv.FormatInt(t.Unix()*10_000_000+int64(t.Nanosecond())/100+116444736000000000, 10)
}

// fromFiletime reads it; the zero time stands for "never" and for nonsense.
func fromFiletime(v string) time.Time {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n == 0 || v == neverExpires {
		return time.Time{}
	}
	n -= 116444736000000000
	return time.Unix(n/10_000_000, n%10_000_000*100)
}

// number is the first value of the attribute as an integer; 0 when there is none.
func (d *directory) number(e *entry, name string) int64 {
	n, _ := strconv.ParseInt(first(d.text(e, name)), 10, 64)
	return n
}

// put replaces an attribute of an entry, whether it is in the tree or not.
func (t *tx) put(e *entry, name string, value string) {
	t.set(e, description{typ: t.types[name]}, value)
}

// adDefaults are what an account or group gets when the request says nothing.
var adDefaults = map[string]map[string]string{
	"user": {"useraccountcontrol": "546", "primarygroupid": "513", "accountexpires": neverExpires, "pwdlastset": "0",
		"codepage": "0", "countrycode": "0", "logoncount": "0", "lastlogon": "0"},
	"group": {"grouptype": "-2147483646"},
}

// completeAD adds what a domain controller adds to a new entry, and checks what
// it checks.
func (t *tx) completeAD(e *entry, inputs []input, encrypted bool) error {
	class := ""
	for _, c := range []string{"user", "group"} {
		if t.isA(e, c) {
			class = c
		}
	}
	if class == "" {
		return nil
	}
	for name, value := range adDefaults[class] {
		if d := (description{typ: t.types[name]}); e.attr(d) == nil {
			t.hold(e, d, value)
		}
	}
	t.rid++
	e.rid = t.rid
	if first(t.text(e, "samaccountname")) == "" {
		t.hold(e, description{typ: t.types["samaccountname"]}, "$"+strings.ToUpper(strconv.FormatUint(uint64(e.rid), 36))+"-"+uuidText(e.id)[:8])
	}
	w := &writer{tx: t, entry: e, encrypted: encrypted}
	for _, in := range inputs {
		if !slices.Contains([]string{"unicodepwd", "useraccountcontrol", "pwdlastset"}, in.typ.key) {
			continue
		}
		if _, err := w.specialAD(modification{modReplace, in}); err != nil {
			return err
		}
	}
	return w.passwords.carryOut(w)
}

// specialAD handles the attributes that a domain controller interprets.
func (w *writer) specialAD(m modification) (done bool, err error) {
	switch m.typ.key {
	case "unicodepwd":
		return true, w.unicodePwd(m)
	case "useraccountcontrol":
		return true, w.accountControl(m)
	case "pwdlastset":
		switch first(m.values) {
		case "0":
			w.put(w.entry, "pwdlastset", "0")
		case "-1":
			w.put(w.entry, "pwdlastset", filetime(w.clock()))
		default:
			return true, refuse(unwillingToPerform, "").ad(winConversion).of("pwdLastSet")
		}
		return true, nil
	case "lockouttime":
		if first(m.values) != "0" {
			return true, refuse(unwillingToPerform, "").ad(winIllegalModify)
		}
		lockedAt, failures := w.entry.lockedAt, w.entry.failures
		w.onUndo(func() { w.entry.lockedAt, w.entry.failures = lockedAt, failures })
		w.entry.lockedAt, w.entry.failures = time.Time{}, 0
		return true, nil
	}
	return false, nil
}

// accountControl writes userAccountControl: bits that the server computes are
// not kept, and every account has a type.
func (w *writer) accountControl(m modification) error {
	typ := description{typ: m.typ}
	switch m.op {
	case modDelete: // delete of the old value, add of the new: a guarded change
		return w.deleteValues(m)
	case modAdd:
		if w.entry.attr(typ) != nil {
			return refuse(attributeOrValueExists, "").ad(winSingleValue).of("userAccountControl")
		}
	}
	n, err := strconv.ParseInt(first(m.values), 10, 64)
	if err != nil || len(m.values) != 1 {
		return refuse(unwillingToPerform, "").ad(winIllegalModify).of("userAccountControl")
	}
	n &^= uacComputed
	if n&uacAccountTypes == 0 {
		n |= uacNormal
	}
	w.put(w.entry, "useraccountcontrol", strconv.FormatInt(n, 10))
	return nil
}

// settleAD refuses an account that is enabled without a password.
func (t *tx) settleAD(e *entry) error {
	if !t.isA(e, "user") {
		return nil
	}
	uac := t.number(e, "useraccountcontrol")
	if uac == 0 {
		return refuse(objectClassViolation, "").ad(winMissingRequired).of("userAccountControl")
	}
	if uac&(uacDisabled|uacNotRequired) == 0 && !e.secret.isSet() && t.options.Passwords.MinLength > 0 {
		return refuse(unwillingToPerform, "").ad(winPasswordPolicy)
	}
	return nil
}

// forbidden are the characters that a user's sAMAccountName must not hold
// (QUIRKS LDAP-44).
const forbidden = "\"/\\[]:;|=,+*?<>"

// checkUniqueAD checks the logon names: their form, and that nobody else has them.
func (t *tx) checkUniqueAD(e *entry) error {
	name := first(t.text(e, "samaccountname"))
	if name == "" {
		return nil
	}
	isUser := t.isA(e, "user") && !t.isA(e, "computer")
	if strings.ContainsAny(name, forbidden) || strings.ContainsFunc(name, unicode.IsControl) || strings.HasSuffix(name, ".") ||
		isUser && len([]rune(name)) > 20 {
		return refuse(other, "").ad(winBadAccountName)
	}
	switch {
	case t.takenByOther(e, "samaccountname"):
		return refuse(entryAlreadyExists, "").ad(winUserExists)
	case t.takenByOther(e, "userprincipalname"):
		return refuse(constraintViolation, "").ad(winUPNInUse).of("userPrincipalName")
	case t.takenByOther(e, "serviceprincipalname"):
		return refuse(constraintViolation, "").ad(winSPNInUse).of("servicePrincipalName")
	}
	return nil
}

// netbios is the short name of the domain.
func (d *directory) netbios() string {
	label, _, _ := strings.Cut(domainOf(d.suffix), ".")
	return strings.ToUpper(label)
}
