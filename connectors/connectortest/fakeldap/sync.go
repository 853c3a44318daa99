package fakeldap

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// The states of the sync state control (RFC 4533 §2.2).
const (
	syncAdd    = 1
	syncModify = 2
	syncDelete = 3
)

// refreshAndPersist is the mode that goes on after the refresh (RFC 4533 §2.2).
const refreshAndPersist = 3

// syncSession is one content synchronization.
type syncSession struct {
	c    *conn
	m    message
	r    searchRequest
	pick selection
	base dn

	mu     sync.Mutex
	queue  []change
	signal chan struct{}
}

// syncSearch answers a search with the sync request control (RFC 4533).
func (c *conn) syncSearch(ctx context.Context, m message, r searchRequest) (answer, error) {
	parts, err := m.controls[oidSyncRequest].sequenceOf(1)
	if err != nil {
		return answer{}, err
	}
	mode, err := integer(parts[0])
	if err != nil {
		return answer{}, refuse(protocolError, "sync control: mode decoding error")
	}
	since, err := c.syncSince(m, parts)
	if err != nil {
		return answer{}, err
	}
	l, err := c.begin(r)
	if err != nil {
		return answer{}, err
	}
	s := &syncSession{c: c, m: m, r: r, pick: l.pick, signal: make(chan struct{}, 1)}
	if s.base, err = c.dir.parseDN(r.base); err != nil {
		return answer{}, err
	}
	if mode == refreshAndPersist {
		defer s.listen()()
	}
	usn := s.refresh(l, since)
	if mode != refreshAndPersist {
		done := sequence(octets(syncCookie(usn)))
		if since > 0 {
			done.AppendChild(truth(true)) // refreshDeletes: what went is told one by one
		}
		return answer{refusal: refusal{controls: []*ber.Packet{responseControl(oidSyncDone, done)}}}, nil
	}
	s.refreshDone(usn, since > 0)
	s.persist(ctx)
	return answer{}, errAbandoned
}

func syncCookie(usn uint64) string { return fmt.Sprintf("rid=000,usn=%d", usn) }

// syncSince reads the cookie; 0: there is none, all is to be sent.
func (c *conn) syncSince(m message, parts []*ber.Packet) (uint64, error) {
	for _, p := range parts[1:] {
		if p.Tag != ber.TagOctetString || text(p) == "" {
			continue
		}
		_, n, ok := strings.Cut(text(p), "usn=")
		usn, err := strconv.ParseUint(n, 10, 64)
		if !ok || err != nil || m.fault(SyncExpired) != nil {
			return 0, refuse(syncRefreshRequired, "sync cookie is stale")
		}
		if usn > c.dir.written() {
			return 0, refuse(unwillingToPerform, "consumer state is newer than provider!") // in the words of OpenLDAP's syncprov
		}
		return usn, nil
	}
	return 0, nil
}

// written counts the changes so far. A restored database counts fewer than its
// cookies.
func (d *directory) written() uint64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.usn
}

// refresh sends the content, or what changed since, and returns the count of
// changes it covers.
func (s *syncSession) refresh(l *listing, since uint64) uint64 {
	d := s.c.dir
	d.mu.RLock()
	usn := d.usn
	graves := slices.Clone(d.graves)
	list := l.rest
	if base := d.lookup(s.base); since > 0 && base != nil {
		list = d.below(base, s.r.scope) // those that match no more count, too
	}
	d.mu.RUnlock()
	for _, g := range graves {
		if since > 0 && g.usn > since && g.dn.within(s.base) {
			s.c.send(s.state(g.id, g.dn, nil, syncDelete, g.usn))
		}
	}
	for _, e := range list {
		s.sendEntry(e, since, usn)
	}
	return usn
}

// sendEntry sends an entry that changed after since. One that no longer
// matches is told as deleted, as it left the content.
func (s *syncSession) sendEntry(e *entry, since, usn uint64) {
	d := s.c.dir
	d.mu.RLock()
	var msg []byte
	switch {
	case e.gone || e.usn <= since:
	case s.r.filter.match(d, e) == isTrue:
		msg = s.state(e.id, e.dn, d.show(e, s.pick), syncAdd, usn)
	case since > 0 && e.usnBorn <= since:
		msg = s.state(e.id, e.dn, nil, syncDelete, usn)
	}
	d.mu.RUnlock() // a client that reads slowly must not hold up writers
	if msg != nil {
		s.c.send(msg)
	}
}

// state is a message about one entry, with the sync state control.
func (s *syncSession) state(id [16]byte, name dn, attrs []shown, state int64, usn uint64) []byte {
	value := sequence(enumerated(state), octets(string(id[:])), octets(syncCookie(usn)))
	return envelope(s.m.id, entryPacket(s.m.respell(name), attrs), []*ber.Packet{responseControl(oidSyncState, value)})
}

// refreshDone tells that the refresh is over and changes follow.
func (s *syncSession) refreshDone(usn uint64, deletes bool) {
	tag := ber.Tag(2) // refreshPresent
	if deletes {
		tag = 1 // refreshDelete
	}
	info := within(ber.Encode(ber.ClassContext, ber.TypeConstructed, tag, nil, ""), octets(syncCookie(usn)))
	s.c.send(envelope(s.m.id, application(tagIntermediate, contextual(0, oidSyncInfo), contextual(1, string(info.Bytes()))), nil))
}

// listen gathers changes from now on; stop ends it.
func (s *syncSession) listen() (stop func()) {
	d := s.c.dir
	tell := func(c change) {
		s.mu.Lock()
		s.queue = append(s.queue, c)
		s.mu.Unlock()
		select {
		case s.signal <- struct{}{}:
		default:
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watchers++
	id := d.watchers
	d.onWrite[id] = tell
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.onWrite, id)
	}
}

// persist sends changes until the operation is abandoned.
func (s *syncSession) persist(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.signal:
		}
		s.mu.Lock()
		list := s.queue
		s.queue = nil
		s.mu.Unlock()
		for _, c := range list {
			s.sendChange(c)
		}
	}
}

func (s *syncSession) sendChange(c change) {
	d := s.c.dir
	d.mu.RLock()
	e := c.entry
	inside := e.dn.within(s.base) && !c.deleted && !e.gone && s.r.filter.match(d, e) == isTrue
	var msg []byte
	switch {
	case inside && c.born:
		msg = s.state(e.id, e.dn, d.show(e, s.pick), syncAdd, c.usn)
	case inside:
		msg = s.state(e.id, e.dn, d.show(e, s.pick), syncModify, c.usn)
	case !c.born:
		msg = s.state(e.id, e.dn, nil, syncDelete, c.usn)
	}
	d.mu.RUnlock()
	if msg != nil {
		s.c.send(msg)
	}
}
