package fakeldap

import (
	"crypto/rand"
	"strconv"
)

// sendBuried sends the tombstones that a search with the ShowDeleted control finds
// (MS-ADTS 3.1.1.3.4.1.14), all of them with the first page.
func (c *conn) sendBuried(m message, r searchRequest) error {
	if ctl, ok := m.controls[oidPaged]; ok {
		parts, err := ctl.sequenceOf(2)
		if err != nil || text(parts[1]) != "" {
			return err
		}
	}
	l, err := c.begin(r)
	if err != nil {
		return err
	}
	d := c.dir
	d.mu.RLock()
	defer d.mu.RUnlock()
	for i := range d.graves {
		g := &d.graves[i]
		e := d.pseudoEntry(g.dn, map[string][]string{"objectClass": {"top"}, "isDeleted": {"TRUE"},
			"objectGUID": {string(g.id[:])}, "uSNChanged": {strconv.FormatUint(g.usn, 10)}})
		if r.filter.match(d, e) == isTrue {
			c.send(envelope(m.id, entryPacket(g.tombstone(d), d.show(e, l.pick)), nil))
		}
	}
	return nil
}

// tombstone is the name of a deleted entry.
func (g *grave) tombstone(d *directory) string {
	return g.dn.rdns[0].text + "\\0ADEL:" + uuidText(g.id) + ",CN=Deleted Objects," + d.suffix.String()
}

// Restore makes the database another one, as a domain controller that was restored
// has: its invocationId is new, and update sequence numbers of before mean nothing
// any more.
func (s *Server) Restore() {
	s.dir.mu.Lock()
	defer s.dir.mu.Unlock()
	_, _ = rand.Read(s.dir.invoked[:])
}
