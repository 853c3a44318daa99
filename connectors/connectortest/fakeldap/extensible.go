package fakeldap

import (
	"strconv"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// extensible is "attr:dn:rule:=value".
type extensible struct {
	description
	typed bool // an attribute is named
	known bool
	rule  string
	value string
	norm  func(string) string
	dn    bool
	bits  int64
}

func (s *schema) parseExtensible(p *ber.Packet) (filter, error) {
	var f extensible
	f.known = true
	for _, c := range p.Children {
		switch c.Tag {
		case 1:
			f.rule = text(c)
		case 2:
			f.typed = true
			f.description, f.known = s.describe(text(c))
		case 3:
			f.value = text(c)
		case 4:
			f.dn = c.Data.Len() == 1 && c.Data.Bytes()[0] != 0
		}
	}
	if !f.typed && f.rule == "" {
		return nil, refuse(protocolError, "an extensible filter needs an attribute or a rule")
	}
	return s.resolveRule(f)
}

// ruleNames maps the OIDs of matching rules to their names (RFC 4517 §4.2).
var ruleNames = map[string]string{
	"2.5.13.2": "caseIgnoreMatch", "2.5.13.5": "caseExactMatch", "2.5.13.1": "distinguishedNameMatch", "2.5.13.14": "integerMatch",
	"2.5.13.13": "booleanMatch", "2.5.13.17": "octetStringMatch", "1.3.6.1.4.1.1466.109.114.1": "caseExactIA5Match",
	"1.3.6.1.4.1.1466.109.114.2": "caseIgnoreIA5Match", "2.5.13.0": "objectIdentifierMatch", "2.5.13.8": "numericStringMatch",
	"2.5.13.20": "telephoneNumberMatch", "2.5.13.27": "generalizedTimeMatch",
}

func (s *schema) resolveRule(f extensible) (filter, error) {
	switch f.rule {
	case "":
		if f.known {
			f.norm = f.typ.normal
		}
	case oidBitAnd, oidBitOr:
		n, err := strconv.ParseInt(f.value, 10, 64)
		f.bits, f.known = n, f.known && err == nil && (!f.typed || f.typ.syntax == syntaxInteger)
		return f, nil
	case oidInChain:
		if s.flavor != ActiveDirectory {
			f.known = false
		}
		f.norm = s.dnKey
	default:
		name := f.rule
		if n, ok := ruleNames[name]; ok {
			name = n
		}
		f.norm = s.normaliser(name)
		for _, n := range ruleNames {
			if n == name {
				f.value = f.norm(f.value)
				return f, nil
			}
		}
		if s.flavor == ActiveDirectory {
			return nil, refuse(inappropriateMatching, "").ad(winBadRule)
		}
		f.known = false
		return f, nil
	}
	if f.norm == nil {
		f.known = false
		return f, nil
	}
	f.value = f.norm(f.value)
	return f, nil
}

func (f extensible) match(d *directory, e *entry) verdict {
	if !f.known {
		return undefined
	}
	if f.rule == oidInChain {
		return verdictIf(d.chained(e, f.typ, f.value))
	}
	found := f.inName(e)
	try := func(values, _ []string) bool {
		for _, v := range values {
			if found = found || f.holds(v); found {
				return true
			}
		}
		return false
	}
	if f.typed {
		d.each(e, f.description, try)
		return verdictIf(found)
	}
	for _, a := range e.attrs {
		if try(a.values, nil) {
			break
		}
	}
	return verdictIf(found)
}

// inName looks at the entry's DN too, when the filter says ":dn".
func (f extensible) inName(e *entry) bool {
	if !f.dn {
		return false
	}
	for _, r := range e.dn.rdns {
		for _, a := range r.avas {
			if (!f.typed || a.typ == f.typ) && f.holds(a.value) {
				return true
			}
		}
	}
	return false
}

func (f extensible) holds(v string) bool {
	if f.rule != oidBitAnd && f.rule != oidBitOr {
		return f.norm(v) == f.value
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return false
	}
	if f.rule == oidBitAnd {
		return n&f.bits == f.bits
	}
	return n&f.bits != 0
}

func (f extensible) candidates(*directory) ([]*entry, bool) { return nil, !f.known }
