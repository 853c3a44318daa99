package ldap

import (
	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"
	"github.com/google/uuid"
)

// told is what one message of a synchronization tells: an entry or its end, an info, or
// that the refresh is done.
type told struct {
	entry *rawEntry
	state syncState // of the entry; without id: the server gave none
	info  *goldap.ControlSyncInfo
	done  *goldap.ControlSyncDone
	err   error // the message cannot be read
}

// syncState is the Sync State control (RFC 4533 §2.2).
type syncState struct {
	state  goldap.ControlSyncStateState
	id     string // entryUUID
	cookie []byte // nil: none
}

// toldBatch is how much is handed on at once while more keeps coming.
const toldBatch = 256

// flow is a taker that hands what a synchronization tells to one consumer. It holds one
// batch: the server waits for a consumer that takes its time.
type flow struct {
	out   chan []told // unbuffered: what was told is handed on before the end of the search is
	quit  <-chan struct{}
	batch []told
}

// take implements [taker].
func (f *flow) take(op byte, message []byte) bool {
	switch op {
	case tagEntry:
		f.batch = append(f.batch, toldEntry(string(message)))
	case tagIntermediate:
		f.batch = append(f.batch, toldInfo(message))
	default:
		return false
	}
	if len(f.batch) >= toldBatch {
		f.pause()
	}
	return true
}

// pause implements [taker].
func (f *flow) pause() {
	if len(f.batch) == 0 {
		return
	}
	select {
	case f.out <- f.batch:
	case <-f.quit:
	}
	f.batch = nil
}

// toldEntry reads an entry with its state.
func toldEntry(message string) told {
	e, err := readEntry(message)
	t := told{entry: &e, err: err}
	if value, ok := controlValue(e.controls, goldap.ControlTypeSyncState); ok && err == nil {
		t.state, t.err = readSyncState(value)
	}
	return t
}

// readSyncState reads a syncStateValue.
func readSyncState(value string) (s syncState, err error) {
	body, _, ok := element(value, tagSequence)
	var state, id, cookie string
	if ok {
		state, body, ok = element(body, tagEnumerated)
	}
	if ok {
		id, body, ok = element(body, tagText)
	}
	if ok && body != "" {
		cookie, _, ok = element(body, tagText)
	}
	u, err := uuid.FromBytes([]byte(id))
	if !ok || err != nil || len(state) != 1 {
		return s, errNoEntry
	}
	s = syncState{state: goldap.ControlSyncStateState(state[0]), id: u.String()}
	if cookie != "" {
		s.cookie = []byte(cookie)
	}
	return s, nil
}

// toldInfo reads an intermediate response. One of another kind tells nothing.
func toldInfo(message []byte) told {
	p, err := ber.DecodePacketErr(message)
	if err != nil || len(p.Children) < 2 {
		return told{err: errNoInfo}
	}
	c, err := goldap.DecodeControl(p.Children[1])
	if err != nil {
		return told{err: errNoInfo}
	}
	info, _ := c.(*goldap.ControlSyncInfo)
	return told{info: info}
}
