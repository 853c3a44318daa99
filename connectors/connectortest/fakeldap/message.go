package fakeldap

import (
	"errors"
	"fmt"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// Op names a protocol operation.
type Op string

// The operations.
const (
	OpBind     Op = "bind"
	OpUnbind   Op = "unbind"
	OpSearch   Op = "search"
	OpModify   Op = "modify"
	OpAdd      Op = "add"
	OpDelete   Op = "delete"
	OpModifyDN Op = "modifydn"
	OpCompare  Op = "compare"
	OpAbandon  Op = "abandon"
	OpExtended Op = "extended"
)

// The application tags of RFC 4511 §4.
var opTags = map[ber.Tag]struct {
	op     Op
	answer ber.Tag // of the message that ends the operation; 0: there is none
}{
	0: {OpBind, 1}, 2: {OpUnbind, 0}, 3: {OpSearch, 5}, 6: {OpModify, 7}, 8: {OpAdd, 9}, 10: {OpDelete, 11},
	12: {OpModifyDN, 13}, 14: {OpCompare, 15}, 16: {OpAbandon, 0}, 23: {OpExtended, 24},
}

const (
	tagSearchEntry     ber.Tag = 4
	tagSearchReference ber.Tag = 19
	tagExtended        ber.Tag = 24
	tagIntermediate    ber.Tag = 25
)

// message is one LDAPMessage from a client.
type message struct {
	id       int64
	op       Op
	tag      ber.Tag // of the answer that ends it
	body     *ber.Packet
	controls controls
	faults   []Fault // that hit this search
}

var errMalformed = errors.New("the message is no LDAPMessage (RFC 4511 §4.1.1)")

// parseMessage reads the envelope; the body is for the operation's own parser.
func parseMessage(p *ber.Packet) (message, error) {
	if p.Tag != ber.TagSequence || len(p.Children) < 2 {
		return message{}, errMalformed
	}
	id, err := integer(p.Children[0])
	if err != nil {
		return message{}, errMalformed
	}
	body := p.Children[1]
	known, ok := opTags[body.Tag]
	if body.ClassType != ber.ClassApplication || !ok {
		return message{id: id}, fmt.Errorf("there is no operation with application tag %d", body.Tag)
	}
	m := message{id: id, op: known.op, tag: known.answer, body: body}
	if len(p.Children) > 2 {
		if m.controls, err = parseControls(p.Children[2]); err != nil {
			return m, err
		}
	}
	return m, nil
}

// integer reads INTEGER and ENUMERATED.
func integer(p *ber.Packet) (int64, error) {
	if p.TagType != ber.TypePrimitive {
		return 0, errMalformed
	}
	return ber.ParseInt64(p.Data.Bytes())
}

// text reads the octets of a primitive, whatever its tag.
func text(p *ber.Packet) string { return p.Data.String() }

// children returns p's children when there are at least n of them.
func children(p *ber.Packet, n int) ([]*ber.Packet, error) {
	if len(p.Children) < n {
		return nil, refuse(protocolError, "a sequence of %d elements has only %d", n, len(p.Children))
	}
	return p.Children, nil
}

func octets(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

// contextual is a primitive with a context-specific tag.
func contextual(tag ber.Tag, s string) *ber.Packet {
	return ber.NewString(ber.ClassContext, ber.TypePrimitive, tag, s, "")
}

func enumerated(n int64) *ber.Packet {
	return ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, n, "")
}

func number(n int64) *ber.Packet {
	return ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, n, "")
}

func truth(b bool) *ber.Packet {
	return ber.NewLDAPBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, b, "")
}

func sequence(of ...*ber.Packet) *ber.Packet { return within(ber.NewSequence(""), of...) }

func set(of ...*ber.Packet) *ber.Packet {
	return within(ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, ""), of...)
}

func application(tag ber.Tag, of ...*ber.Packet) *ber.Packet {
	return within(ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, ""), of...)
}

func within(p *ber.Packet, of ...*ber.Packet) *ber.Packet {
	for _, c := range of {
		p.AppendChild(c)
	}
	return p
}

// envelope is a whole LDAPMessage.
func envelope(id int64, body *ber.Packet, controls []*ber.Packet) []byte {
	p := sequence(number(id), body)
	if len(controls) > 0 {
		p.AppendChild(within(ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, ""), controls...))
	}
	return p.Bytes()
}

// encode makes the message that ends an operation (LDAPResult, RFC 4511 §4.1.9).
func (a answer) encode(id int64, tag ber.Tag) []byte {
	body := application(tag, enumerated(int64(a.code)), octets(a.matched), octets(a.text))
	if len(a.referrals) > 0 {
		list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 3, nil, "")
		for _, r := range a.referrals {
			list.AppendChild(octets(r))
		}
		body.AppendChild(list)
	}
	if a.creds != nil {
		body.AppendChild(contextual(7, string(a.creds)))
	}
	if a.name != "" {
		body.AppendChild(contextual(10, a.name))
	}
	if a.value != nil {
		body.AppendChild(contextual(11, string(a.value)))
	}
	return envelope(id, body, a.controls)
}
