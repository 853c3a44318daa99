package ldap

import (
	"context"
	"sync"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// AddAndRead makes an entry and returns it as the server holds it then, with the
// attributes that are named, by the post-read control (RFC 4527). It is nil when the
// server did not send it: the entry was made, and has to be read.
func (c *Client) AddAndRead(ctx context.Context, dn DN, attributes []Attribute, read []string, controls ...Control) (*Entry, error) {
	req := addRequest(dn, attributes, append(controls[:len(controls):len(controls)], postRead{read}))
	return callOn(ctx, c, kindWrite, aboutAdd, func(cn *conn) (*Entry, error) {
		key := dn.Key()
		cn.readBacks.expect(key)
		err := cn.ldap.Add(req)
		e := cn.readBacks.claim(key)
		if err != nil {
			return nil, err
		}
		return e, nil
	})
}

// postRead is the request control of RFC 4527 §3.2. It is not critical: without it the
// entry is made all the same.
type postRead struct{ attributes []string }

// GetControlType implements [Control].
func (postRead) GetControlType() string { return OIDPostRead }

// String implements [Control].
func (postRead) String() string { return "post-read (RFC 4527)" }

// Encode implements [Control].
func (p postRead) Encode() *ber.Packet {
	selection := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "AttributeSelection")
	for _, a := range p.attributes {
		selection.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, a, "selector"))
	}
	out := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "Control")
	out.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, OIDPostRead, "Type"))
	out.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(selection.Bytes()), "Value"))
	return out
}

// readBacks is a taker that keeps the entries which answers to adds bring with them, and
// which go-ldap drops. It takes no message away.
type readBacks struct {
	mu sync.Mutex
	of map[string]*Entry // by the key of the DN; nil: it is expected
}

func newReadBacks() *readBacks { return &readBacks{of: map[string]*Entry{}} }

func (r *readBacks) expect(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of[key] = nil
}

// claim returns what came, nil when nothing did, and ends expect. go-ldap has the
// answer after the tap.
func (r *readBacks) claim(key string) *Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.of[key]
	delete(r.of, key)
	return e
}

// take implements [taker]. What cannot be read is as good as not sent.
func (r *readBacks) take(op byte, message []byte) bool {
	if op != tagAdded {
		return false
	}
	e, ok := readBack(string(message))
	if !ok {
		return false
	}
	key := e.DN.Key()
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, expected := r.of[key]; expected {
		r.of[key] = &e
	}
	return false
}

// pause implements [taker].
func (*readBacks) pause() {}

// readBack returns the entry that an AddResponse brings. It is a SearchResultEntry
// (RFC 4527 §3.2), whose own tag OpenLDAP leaves out.
func readBack(message string) (Entry, bool) {
	_, controls, ok := openMessage(message, tagAdded)
	if !ok {
		return Entry{}, false
	}
	value, ok := controlValue(controls, OIDPostRead)
	if !ok {
		return Entry{}, false
	}
	body, _, ok := element(value, tagEntry)
	if !ok {
		body, _, ok = element(value, tagSequence)
	}
	if !ok {
		return Entry{}, false
	}
	raw, err := readEntryBody(body)
	if err != nil {
		return Entry{}, false
	}
	e, err := raw.entry()
	return e, err == nil
}
