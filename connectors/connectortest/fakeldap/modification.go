package fakeldap

import (
	"fmt"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// modification is one change of a modify request.
type modification struct {
	op int64
	input
}

// modifyDetail names what a modify request changes, with the number of values.
func modifyDetail(changes []*ber.Packet) string {
	var out []string
	for _, p := range changes {
		if len(p.Children) < 2 || len(p.Children[1].Children) < 2 {
			continue
		}
		op, err := integer(p.Children[0])
		if err != nil || op < 0 || int(op) >= len(modNames) {
			continue
		}
		attr := p.Children[1].Children
		out = append(out, fmt.Sprintf("%s %s(%d)", modNames[op], text(attr[0]), len(attr[1].Children)))
	}
	return strings.Join(out, " ")
}

// ownPasswordOnly reports whether a request changes nothing but a password:
// that is what an ordinary user may do to itself.
func ownPasswordOnly(m message) bool {
	if len(m.body.Children) < 2 {
		return false
	}
	for _, p := range m.body.Children[1].Children {
		if len(p.Children) < 2 || len(p.Children[1].Children) < 1 {
			return false
		}
		switch strings.ToLower(text(p.Children[1].Children[0])) {
		case "userpassword", "unicodepwd":
		default:
			return false
		}
	}
	return true
}

// rawModification is a modification as it was decoded, not looked at yet.
type rawModification struct {
	op     int64
	name   string
	values []string
}

func decodeModifications(p *ber.Packet) ([]rawModification, error) {
	var out []rawModification
	for _, c := range p.Children {
		m, err := decodeModification(c)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// acceptAll checks modifications against the schema.
func (d *directory) acceptAll(raw []rawModification) ([]modification, error) {
	var out []modification
	for _, r := range raw {
		in, err := d.accept(r.name, r.values, r.op != modDelete)
		if err != nil {
			return nil, err
		}
		out = append(out, modification{r.op, in})
	}
	return out, nil
}

func decodeModification(p *ber.Packet) (m rawModification, err error) {
	parts, err := children(p, 2)
	if err != nil {
		return m, err
	}
	attr, err := children(parts[1], 2)
	if err != nil {
		return m, err
	}
	if m.op, err = integer(parts[0]); err != nil || m.op < modAdd || m.op > modIncrement {
		return m, refuse(protocolError, "unrecognized modify operation")
	}
	m.name, m.values = text(attr[0]), texts(attr[1])
	if len(m.values) == 0 && (m.op == modAdd || m.op == modIncrement) {
		return m, refuse(protocolError, "modify/%s operation requires values", modNames[m.op])
	}
	return m, nil
}
