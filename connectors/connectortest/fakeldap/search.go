package fakeldap

import (
	"context"
	"slices"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// listing is a search that is being answered: what is still to be looked at.
type listing struct {
	searchRequest
	pick     selection
	rest     []*entry
	returned int
	deadline time.Time // zero: none
}

// search answers a search request.
func (c *conn) search(ctx context.Context, m message) (answer, error) {
	r, err := c.dir.parseSearch(m.body)
	if err != nil {
		return answer{}, err
	}
	if done, err := c.searchSpecial(m, r); done || err != nil {
		return answer{}, err
	}
	if m.controls.has(oidSyncRequest) {
		return c.syncSearch(ctx, m, r)
	}
	if m.controls.has(oidDirSync) {
		return c.dirSync(ctx, m, r)
	}
	if m.controls.has(oidShowDeleted) {
		if err := c.sendBuried(m, r); err != nil {
			return answer{}, err
		}
	}
	if ctl, ok := m.controls[oidPaged]; ok {
		return c.pagedSearch(ctx, m, r, ctl)
	}
	l, err := c.begin(r)
	if err != nil {
		return answer{}, err
	}
	bound := c.unpagedLimit(r)
	_, err = c.deliver(ctx, m, l, bound, 0)
	return answer{}, err
}

// unpagedLimit is how many entries a search without pages may return; 0: all.
func (c *conn) unpagedLimit(r searchRequest) int {
	own := max(0, c.dir.options.SizeLimit)
	switch {
	case r.sizeLimit == 0:
		return own
	case own == 0 || c.dir.flavor == OpenLDAP: // the soft limit gives way to the client's
		return r.sizeLimit
	}
	return min(own, r.sizeLimit)
}

// begin finds the base and what may match below it.
func (c *conn) begin(r searchRequest) (*listing, error) {
	d := c.dir
	who := c.who()
	d.mu.RLock()
	defer d.mu.RUnlock()
	if who.dn.isRoot() {
		if d.flavor == ActiveDirectory {
			return nil, refuse(operationsError, "").ad(winBindFirst)
		}
		return nil, refuse(noSuchObject, "") // what one may not see is not there
	}
	base, err := d.find(r.base)
	if err != nil {
		return nil, asRead(err)
	}
	l := &listing{searchRequest: r, pick: d.selectAttrs(r.attrs, r.typesOnly)}
	l.pick.noSecrets = !who.admin
	if r.timeLimit > 0 {
		l.deadline = time.Now().Add(r.timeLimit)
	}
	l.rest = d.scan(base, r)
	return l, nil
}

// scan returns the entries in the scope that may match, in order of creation.
func (d *directory) scan(base *entry, r searchRequest) []*entry {
	found, ok := r.filter.candidates(d)
	if !ok {
		return d.below(base, r.scope)
	}
	var out []*entry
	for _, e := range found {
		if inScope(e, base, r.scope) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, bySeq)
	return out
}

func inScope(e, base *entry, scope int64) bool {
	switch scope {
	case scopeBase:
		return e == base
	case scopeOne:
		return e.parent == base
	case scopeSubordinate:
		return e != base && e.dn.within(base.dn)
	}
	return e.dn.within(base.dn)
}

// batch is how many entries are looked at before writers get a turn.
const batch = 128

// deliver sends the next entries of a listing: at most page of them (0: all),
// and in all no more than bound (0: no bound). more tells that a page is full.
func (c *conn) deliver(ctx context.Context, m message, l *listing, bound, page int) (more bool, err error) {
	sent := 0
	defer func() { c.server.log.count(func(st *Stats) { st.Entries += sent }) }()
	for len(l.rest) > 0 {
		if ctx.Err() != nil {
			return false, errAbandoned
		}
		if !l.deadline.IsZero() && time.Now().After(l.deadline) {
			return false, refuse(timeLimitExceeded, "")
		}
		n := min(batch, len(l.rest))
		for _, e := range l.rest[:n] {
			if page > 0 && sent == page {
				return true, nil
			}
			l.rest = l.rest[1:]
			msg := c.encodeMatch(m, l, e)
			if msg == nil {
				continue
			}
			if bound > 0 && l.returned == bound {
				return false, refuse(sizeLimitExceeded, "")
			}
			if err := c.interrupt(m, l.returned); err != nil {
				return false, err
			}
			c.send(msg)
			sent++
			l.returned++
		}
	}
	return false, nil
}

// encodeMatch returns the message for an entry that still matches; nil: it does not.
func (c *conn) encodeMatch(m message, l *listing, e *entry) []byte {
	d := c.dir
	d.mu.RLock()
	defer d.mu.RUnlock()
	if e.gone || c.tooFresh(m, e) || l.filter.match(d, e) != isTrue {
		return nil
	}
	return envelope(m.id, entryPacket(m.respell(e.dn), d.show(e, l.pick)), nil)
}

// entryPacket is a SearchResultEntry (RFC 4511 §4.5.2).
func entryPacket(name string, list []shown) *ber.Packet {
	attrs := ber.NewSequence("")
	for _, s := range list {
		values := set()
		for _, v := range s.values {
			values.AppendChild(octets(v))
		}
		attrs.AppendChild(sequence(octets(s.name), values))
	}
	return application(tagSearchEntry, octets(name), attrs)
}
