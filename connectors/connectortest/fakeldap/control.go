package fakeldap

import (
	ber "github.com/go-asn1-ber/asn1-ber"
)

// The controls this server knows.
const (
	oidPaged            = "1.2.840.113556.1.4.319"    // RFC 2696
	oidPermissiveModify = "1.2.840.113556.1.4.1413"   // MS-ADTS 3.1.1.3.4.1.8
	oidTreeDelete       = "1.2.840.113556.1.4.805"    // draft-armijo-ldap-treedelete
	oidShowDeleted      = "1.2.840.113556.1.4.417"    // MS-ADTS 3.1.1.3.4.1.14
	oidExtendedDN       = "1.2.840.113556.1.4.529"    // MS-ADTS 3.1.1.3.4.1.5
	oidDomainScope      = "1.2.840.113556.1.4.1339"   // MS-ADTS 3.1.1.3.4.1.4
	oidLazyCommit       = "1.2.840.113556.1.4.619"    // MS-ADTS 3.1.1.3.4.1.7
	oidPolicyHints      = "1.2.840.113556.1.4.2239"   // MS-ADTS 3.1.1.3.4.1.27
	oidDirSync          = "1.2.840.113556.1.4.841"    // MS-ADTS 3.1.1.3.4.1.3
	oidManageDsaIT      = "2.16.840.1.113730.3.4.2"   // RFC 3296
	oidAssertion        = "1.3.6.1.1.12"              // RFC 4528
	oidPreRead          = "1.3.6.1.1.13.1"            // RFC 4527
	oidPostRead         = "1.3.6.1.1.13.2"            // RFC 4527
	oidRelax            = "1.3.6.1.4.1.4203.666.5.12" // draft-zeilenga-ldap-relax
	oidPasswordPolicy   = "1.3.6.1.4.1.42.2.27.8.5.1" // draft-behera-ldap-password-policy
	oidSyncRequest      = "1.3.6.1.4.1.4203.1.9.1.1"  // RFC 4533
	oidSyncState        = "1.3.6.1.4.1.4203.1.9.1.2"  // RFC 4533
	oidSyncDone         = "1.3.6.1.4.1.4203.1.9.1.3"  // RFC 4533
	oidSyncInfo         = "1.3.6.1.4.1.4203.1.9.1.4"  // RFC 4533
	oidWhoAmI           = "1.3.6.1.4.1.4203.1.11.3"   // RFC 4532
	oidPasswordModify   = "1.3.6.1.4.1.4203.1.11.1"   // RFC 3062
	oidStartTLS         = "1.3.6.1.4.1.1466.20037"    // RFC 4511 §4.14
	oidDisconnection    = "1.3.6.1.4.1.1466.20036"    // RFC 4511 §4.4.1
	oidAllOperational   = "1.3.6.1.4.1.4203.1.5.1"    // RFC 3673
	oidTrueFalseFilters = "1.3.6.1.4.1.4203.1.5.3"    // RFC 4526
	oidIncrement        = "1.3.6.1.1.14"              // RFC 4525
	oidADv1             = "1.2.840.113556.1.4.800"    // MS-ADTS 3.1.1.3.4.3.1
	oidADv2             = "1.2.840.113556.1.4.1670"   // MS-ADTS 3.1.1.3.4.3.2
	oidBitAnd           = "1.2.840.113556.1.4.803"    // MS-ADTS 3.1.1.3.4.4.1
	oidBitOr            = "1.2.840.113556.1.4.804"    // MS-ADTS 3.1.1.3.4.4.2
	oidInChain          = "1.2.840.113556.1.4.1941"   // MS-ADTS 3.1.1.3.4.4.3
)

// controlsOf lists what a flavor knows. Permissive modify is known to all of
// them; OpenLDAP and 389-ds do not advertise it.
var controlsOf = map[Flavor][]string{
	OpenLDAP: {oidSyncRequest, oidPaged, oidManageDsaIT, oidAssertion, oidPreRead, oidPostRead, oidPasswordPolicy, oidRelax},
	DS389:    {oidSyncRequest, oidPaged, oidManageDsaIT, oidPreRead, oidPostRead, oidPasswordPolicy},
	ActiveDirectory: {oidPaged, oidPermissiveModify, oidTreeDelete, oidShowDeleted, oidExtendedDN, oidDomainScope, oidLazyCommit,
		oidPolicyHints, oidDirSync},
}

// hiddenControls are honoured although the root DSE does not tell (QUIRKS LDAP-8).
var hiddenControls = map[Flavor][]string{
	OpenLDAP: {oidPermissiveModify, oidTreeDelete}, DS389: {oidPermissiveModify}, ActiveDirectory: {oidManageDsaIT},
}

// control is one request control.
type control struct {
	critical bool
	value    string
	hasValue bool
}

type controls map[string]control

// parseControls reads [0] SEQUENCE OF Control (RFC 4511 §4.1.11).
func parseControls(p *ber.Packet) (controls, error) {
	out := controls{}
	for _, c := range p.Children {
		parts, err := children(c, 1)
		if err != nil {
			return nil, err
		}
		var ctl control
		for _, part := range parts[1:] {
			switch part.Tag {
			case ber.TagBoolean:
				ctl.critical = part.Data.Len() == 1 && part.Data.Bytes()[0] != 0
			case ber.TagOctetString:
				ctl.value, ctl.hasValue = text(part), true
			}
		}
		out[text(parts[0])] = ctl
	}
	return out, nil
}

func (cs controls) has(oid string) bool {
	_, ok := cs[oid]
	return ok
}

// sequenceOf decodes a control's value, which is a sequence of at least n.
func (c control) sequenceOf(n int) ([]*ber.Packet, error) {
	p, err := ber.DecodePacketErr([]byte(c.value))
	if err != nil || p.Tag != ber.TagSequence || len(p.Children) < n {
		return nil, refuse(protocolError, "a control's value cannot be decoded")
	}
	return p.Children, nil
}

// responseControl makes a control of an answer. value nil: it has none.
func responseControl(oid string, value *ber.Packet) *ber.Packet {
	p := sequence(octets(oid))
	if value != nil {
		p.AppendChild(octets(string(value.Bytes())))
	}
	return p
}
