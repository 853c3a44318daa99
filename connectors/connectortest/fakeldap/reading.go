package fakeldap

import (
	ber "github.com/go-asn1-ber/asn1-ber"
)

// asserted refuses a change when the assertion control's filter does not match
// the entry (RFC 4528).
func (c *conn) asserted(m message, e *entry) error {
	ctl, ok := m.controls[oidAssertion]
	if !ok || c.dir.flavor != OpenLDAP {
		return nil
	}
	p, err := ber.DecodePacketErr([]byte(ctl.value))
	if err != nil {
		return refuse(protocolError, "assertion control: data decoding error")
	}
	f, err := c.dir.parseFilter(p, 0)
	if err != nil {
		return err
	}
	if f.match(c.dir, e) != isTrue {
		return refuse(assertionFailed, "")
	}
	return nil
}

// readEntry makes the response control of pre-read or post-read (RFC 4527);
// none when it was not asked for.
func (c *conn) readEntry(m message, oid string, e *entry, t *tx) ([]*ber.Packet, error) {
	ctl, ok := m.controls[oid]
	if !ok || t.flavor == ActiveDirectory {
		return nil, nil
	}
	p, err := ber.DecodePacketErr([]byte(ctl.value))
	if err != nil {
		return nil, refuse(protocolError, "read control: data decoding error")
	}
	packet := entryPacket(e.dn.String(), t.show(e, t.selectAttrs(texts(p), false)))
	packet.ClassType, packet.Tag = ber.ClassUniversal, ber.TagSequence
	return []*ber.Packet{responseControl(oid, sequence(packet.Children...))}, nil
}
