package fakeldap

import (
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// substrings matches "initial*any*…*final".
type substrings struct {
	description
	known          bool
	initial, final string
	any            []string
}

func (s *schema) parseSubstrings(p *ber.Packet) (filter, error) {
	parts, err := children(p, 2)
	if err != nil {
		return nil, err
	}
	var f substrings
	f.description, f.known = s.describe(text(parts[0]))
	// Without a substrings rule, as for DNs and numbers, the outcome is undefined.
	if !f.known || f.typ.normal == nil || !f.typ.substrings {
		f.known = false
		return f, nil
	}
	for _, c := range parts[1].Children {
		// There are no empty pieces (RFC 4511 §4.5.1), and all of them fit the rule.
		f.known = f.known && text(c) != "" && s.fitsAssertion(f.typ, text(c))
		piece := s.piece(f.typ, text(c))
		switch c.Tag {
		case 0:
			f.initial = piece
		case 1:
			f.any = append(f.any, piece)
		case 2:
			f.final = piece
		default:
			return nil, refuse(protocolError, "bad substrings filter")
		}
	}
	f.known = f.known && (f.initial != "" || f.final != "" || f.any != nil)
	return f, nil
}

// piece normalises a part of a value: blanks at its ends count.
func (s *schema) piece(t *attributeType, v string) string {
	lead, trail := strings.HasPrefix(v, " "), strings.HasSuffix(v, " ")
	n := canonical(t, v)
	if n == v || n == "" || t.equality == "caseIgnoreIA5Match" { // slapd trims pieces of IA5 strings
		return n
	}
	if lead && !strings.HasPrefix(n, " ") {
		n = " " + n
	}
	if trail && !strings.HasSuffix(n, " ") {
		n += " "
	}
	return n
}

func (f substrings) match(d *directory, e *entry) verdict {
	if !f.known {
		return undefined
	}
	found := false
	d.each(e, f.description, func(values, norms []string) bool {
		for i, v := range values {
			n := ""
			if norms != nil {
				n = norms[i]
			} else {
				n = canonical(f.typ, v)
			}
			if found = f.holds(n); found {
				return true
			}
		}
		return false
	})
	return verdictIf(found)
}

func (f substrings) holds(n string) bool {
	n, ok := strings.CutPrefix(n, f.initial)
	if !ok {
		return false
	}
	for _, piece := range f.any {
		i := strings.Index(n, piece)
		if i < 0 {
			return false
		}
		n = n[i+len(piece):]
	}
	return strings.HasSuffix(n, f.final)
}

func (f substrings) candidates(*directory) ([]*entry, bool) { return nil, !f.known }
