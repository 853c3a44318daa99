package fakeldap

import (
	"slices"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// delete answers a delete request (RFC 4511 §4.8); with the tree delete control
// it takes everything below, too.
func (c *conn) delete(m message) ([]*ber.Packet, error) {
	var extra []*ber.Packet
	who := c.who()
	if text(m.body) == "" {
		return nil, refuse(unwillingToPerform, "cannot delete the root DSE")
	}
	err := c.dir.write(who.dn.String(), func(t *tx) error {
		e, err := t.find(text(m.body))
		if err != nil {
			return err
		}
		if err := t.mayChange(who, e); err != nil {
			return err
		}
		if err := c.asserted(m, e); err != nil {
			return err
		}
		if extra, err = c.readEntry(m, oidPreRead, e, t); err != nil {
			return err
		}
		if len(e.children) > 0 && !m.controls.has(oidTreeDelete) {
			return refuse(notAllowedOnNonLeaf, "subordinate objects must be deleted first").ad(winNonLeaf)
		}
		for _, x := range slices.Backward(e.subtree(nil)) {
			if err := t.mayChange(who, x); err != nil {
				return err
			}
			t.unlink(x)
			t.remove(x)
		}
		return nil
	})
	return extra, err
}
