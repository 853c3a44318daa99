package fakeldap

import (
	"context"
	"strconv"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// dirSync answers a search with the DirSync control (MS-ADTS 3.1.1.3.4.1.3):
// what changed since the cookie, deleted objects as tombstones. Whole objects
// come, not only the attributes that changed, as another domain controller may
// send them as well.
func (c *conn) dirSync(ctx context.Context, m message, r searchRequest) (answer, error) {
	d := c.dir
	parts, err := m.controls[oidDirSync].sequenceOf(3)
	if err != nil {
		return answer{}, err
	}
	if _, err := integer(parts[0]); err != nil {
		return answer{}, refuse(protocolError, "DirSync control: flags decoding error")
	}
	if base, err := d.parseDN(r.base); err != nil || base.key() != d.suffix.key() || r.scope != scopeSub {
		return answer{}, refuse(unwillingToPerform, "").ad(winIllegalModify) // the root of a naming context only
	}
	since := uint64(0)
	if cookie := text(parts[2]); cookie != "" {
		n, ok := strings.CutPrefix(cookie, "MSDS")
		if since, err = strconv.ParseUint(n, 10, 64); !ok || err != nil || m.fault(SyncExpired) != nil {
			return answer{}, refuse(unavailableCriticalExtension, "").ad(winBadCookie)
		}
	}
	l, err := c.begin(r)
	if err != nil {
		return answer{}, err
	}
	d.mu.RLock()
	usn := d.usn
	msgs := c.tombstones(m, since)
	for _, e := range l.rest {
		if e.usn > since && !e.gone && r.filter.match(d, e) == isTrue {
			msgs = append(msgs, envelope(m.id, entryPacket(m.respell(e.dn), d.show(e, l.pick)), nil))
		}
	}
	d.mu.RUnlock()
	for _, msg := range msgs {
		if ctx.Err() != nil {
			return answer{}, errAbandoned
		}
		c.send(msg)
	}
	value := sequence(number(0), number(0), octets("MSDS"+strconv.FormatUint(usn, 10)))
	return answer{refusal: refusal{controls: []*ber.Packet{responseControl(oidDirSync, value)}}}, nil
}

// tombstones are the messages for what was deleted after since; none for a
// first reading.
func (c *conn) tombstones(m message, since uint64) [][]byte {
	var out [][]byte
	for i := range c.dir.graves {
		g := &c.dir.graves[i]
		if since == 0 || g.usn <= since {
			continue
		}
		out = append(out, envelope(m.id, entryPacket(g.tombstone(c.dir), []shown{{"isDeleted", []string{"TRUE"}}, {"objectGUID", []string{string(g.id[:])}}}), nil))
	}
	return out
}
