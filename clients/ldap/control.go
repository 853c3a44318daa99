package ldap

import (
	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"
)

// Control is a request control (RFC 4511 §4.1.11).
type Control = goldap.Control

// The controls that are used here and that go-ldap has no type for.
const (
	OIDAssertion        = "1.3.6.1.1.12"
	OIDPostRead         = "1.3.6.1.1.13.2"
	OIDRelax            = "1.3.6.1.4.1.4203.666.5.12"
	OIDPermissiveModify = goldap.ControlTypeMicrosoftPermissiveModify
	OIDPasswordPolicy   = goldap.ControlTypeBeheraPasswordPolicy
	OIDPasswordModify   = "1.3.6.1.4.1.4203.1.11.1"
	OIDTreeDelete       = goldap.ControlTypeSubtreeDelete
)

// Permissive makes a modify succeed when a value is there already, or gone
// already ([MS-ADTS] §3.1.1.3.4.1.8).
func Permissive() Control { return goldap.NewControlString(OIDPermissiveModify, true, "") }

// ShowDeleted lets a search find tombstones ([MS-ADTS] §3.1.1.3.4.1.14). Who may not
// read them gets none, and no error.
func ShowDeleted() Control { return goldap.NewControlMicrosoftShowDeleted() }

// Relax lets a modify write operational attributes (draft-zeilenga-ldap-relax-03).
func Relax() Control { return goldap.NewControlString(OIDRelax, true, "") }

// PasswordPolicy asks for the reason when a password is refused
// (draft-behera-ldap-password-policy-10 §6.1).
func PasswordPolicy() Control { return goldap.NewControlBeheraPasswordPolicy() }

// assertion is the control of RFC 4528.
type assertion struct{ filter *ber.Packet }

// Assert makes a write fail with VERSION_CONFLICT unless the entry matches f
// at that moment (RFC 4528).
func Assert(f Filter) (Control, error) {
	p, err := goldap.CompileFilter(f.String())
	if err != nil {
		return nil, err
	}
	return assertion{p}, nil
}

// GetControlType implements [Control].
func (assertion) GetControlType() string { return OIDAssertion }

// String implements [Control].
func (assertion) String() string { return "assertion (RFC 4528)" }

// Encode implements [Control].
func (a assertion) Encode() *ber.Packet {
	p := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "Control")
	p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, OIDAssertion, "Type"))
	p.AppendChild(ber.NewBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, true, "Criticality"))
	p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(a.filter.Bytes()), "Filter"))
	return p
}
