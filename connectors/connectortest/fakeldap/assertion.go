package fakeldap

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// assertion compares values: equality, >=, <= and ~=.
type assertion struct {
	description
	known bool
	tag   ber.Tag // 3 equality, 5 >=, 6 <=, 8 ~=
	norm  string
}

func (s *schema) parseAssertion(p *ber.Packet) (filter, error) {
	parts, err := children(p, 2)
	if err != nil {
		return nil, err
	}
	f := assertion{tag: p.Tag}
	f.description, f.known = s.describe(text(parts[0]))
	if !f.known {
		return f, nil
	}
	value := text(parts[1])
	// An assertion that does not fit the syntax is undefined, as is one on a type
	// without a rule.
	ordered := f.tag == 5 || f.tag == 6
	if f.typ.normal == nil || ordered && f.typ.ordering == "" || !s.fitsAssertion(f.typ, value) {
		f.known = false
		return f, nil
	}
	f.norm = canonical(f.typ, value)
	return f, nil
}

func (f assertion) match(d *directory, e *entry) verdict {
	if !f.known {
		return undefined
	}
	if f.typ.key == "objectclass" && f.tag == 3 {
		return verdictIf(d.isA(e, f.norm))
	}
	if f.options == "" && (f.tag == 3 || f.tag == 8) && len(f.typ.subtypes) == 1 && d.virtual[f.typ] == nil {
		a := e.attr(f.description)
		if a != nil && a.find(f.norm) >= 0 {
			return isTrue
		}
	}
	found := false
	d.each(e, f.description, func(values, norms []string) bool {
		found = f.any(values, norms)
		return found
	})
	return verdictIf(found)
}

func (f assertion) any(values, norms []string) bool {
	for i, v := range values {
		n := ""
		if norms != nil {
			n = norms[i]
		} else {
			n = canonical(f.typ, v)
		}
		if f.holds(n) {
			return true
		}
	}
	return false
}

func (f assertion) holds(n string) bool {
	switch f.tag {
	case 5:
		return f.compare(n) >= 0
	case 6:
		return f.compare(n) <= 0
	}
	return n == f.norm
}

// compare orders a value against the assertion.
func (f assertion) compare(n string) int {
	if f.typ.syntax == syntaxInteger {
		a, _ := strconv.ParseInt(n, 10, 64)
		b, _ := strconv.ParseInt(f.norm, 10, 64)
		return cmp.Compare(a, b)
	}
	return strings.Compare(n, f.norm)
}

func (f assertion) candidates(d *directory) ([]*entry, bool) {
	if !f.known {
		return nil, true // undefined matches nothing
	}
	if f.tag != 3 || f.options != "" {
		return nil, false
	}
	if find := identities[f.typ.key]; find != nil {
		if e := find(d, f.norm); e != nil {
			return []*entry{e}, true
		}
		return nil, true
	}
	for _, l := range d.links {
		if l.back == f.typ {
			return d.linked(f.norm, f.typ)
		}
	}
	if len(f.typ.subtypes) > 1 {
		return nil, false
	}
	idx, ok := d.index[f.typ]
	return slices.Clone(idx[f.norm]), ok
}

// linked finds the entries that a back-link assertion such as memberOf=… can
// match: those that the named entry points to.
func (d *directory) linked(key string, back *attributeType) ([]*entry, bool) {
	holder := d.entries[key]
	if holder == nil {
		return nil, true
	}
	var out []*entry
	for _, a := range holder.attrs {
		if d.links[a.typ].back != back {
			continue
		}
		for _, n := range a.norms {
			if e := d.entries[n]; e != nil {
				out = append(out, e)
			}
		}
	}
	return out, true
}
