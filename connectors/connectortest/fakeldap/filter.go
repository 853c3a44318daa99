package fakeldap

import (
	ber "github.com/go-asn1-ber/asn1-ber"
)

// verdict is the outcome of a filter: RFC 4511 §4.5.1.7 knows Undefined beside
// true and false, and "not" leaves it undefined.
type verdict int8

const (
	isFalse verdict = iota
	undefined
	isTrue
)

func verdictIf(b bool) verdict {
	if b {
		return isTrue
	}
	return isFalse
}

// filter is one node of a search filter.
type filter interface {
	match(d *directory, e *entry) verdict
	// candidates returns entries among which all matches are; ok is false when
	// only a look at every entry can tell.
	candidates(d *directory) (list []*entry, ok bool)
}

// maxFilterDepth keeps a hostile filter from using up the stack.
const maxFilterDepth = 100

// parseFilter reads the Filter CHOICE (RFC 4511 §4.5.1).
func (s *schema) parseFilter(p *ber.Packet, depth int) (filter, error) {
	if p.ClassType != ber.ClassContext || depth > maxFilterDepth {
		return nil, refuse(protocolError, "bad search filter")
	}
	switch p.Tag {
	case 0, 1:
		list, err := s.parseFilters(p, depth)
		if p.Tag == 0 {
			return andFilter(list), err
		}
		return orFilter(list), err
	case 2:
		if len(p.Children) != 1 {
			return nil, refuse(protocolError, "bad search filter")
		}
		inner, err := s.parseFilter(p.Children[0], depth+1)
		return notFilter{inner}, err
	case 3, 5, 6, 8:
		return s.parseAssertion(p)
	case 4:
		return s.parseSubstrings(p)
	case 7:
		d, ok := s.describe(text(p))
		return presentFilter{d, ok}, nil
	case 9:
		return s.parseExtensible(p)
	}
	return nil, refuse(protocolError, "bad search filter: choice %d is not known", p.Tag)
}

func (s *schema) parseFilters(p *ber.Packet, depth int) ([]filter, error) {
	var out []filter
	for _, c := range p.Children {
		f, err := s.parseFilter(c, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

type andFilter []filter

func (f andFilter) match(d *directory, e *entry) verdict {
	v := isTrue
	for _, x := range f {
		v = min(v, x.match(d, e))
	}
	return v
}

func (f andFilter) candidates(d *directory) (best []*entry, ok bool) {
	for _, x := range f {
		if list, can := x.candidates(d); can && (!ok || len(list) < len(best)) {
			best, ok = list, true
		}
	}
	return best, ok
}

type orFilter []filter

func (f orFilter) match(d *directory, e *entry) verdict {
	v := isFalse
	for _, x := range f {
		v = max(v, x.match(d, e))
	}
	return v
}

func (f orFilter) candidates(d *directory) (all []*entry, ok bool) {
	seen := map[*entry]bool{}
	for _, x := range f {
		list, can := x.candidates(d)
		if !can {
			return nil, false
		}
		for _, e := range list {
			if !seen[e] {
				seen[e] = true
				all = append(all, e)
			}
		}
	}
	return all, true
}

type notFilter struct{ of filter }

func (f notFilter) match(d *directory, e *entry) verdict { return isTrue - f.of.match(d, e) }

func (f notFilter) candidates(*directory) ([]*entry, bool) { return nil, false }

type presentFilter struct {
	description
	known bool
}

func (f presentFilter) match(d *directory, e *entry) verdict {
	if !f.known {
		return undefined
	}
	found := false
	d.each(e, f.description, func([]string, []string) bool {
		found = true
		return true
	})
	return verdictIf(found)
}

func (f presentFilter) candidates(*directory) ([]*entry, bool) { return nil, false }

// each calls f with the values, and their norms when they are kept, of the
// description and everything it covers, until f returns true.
func (d *directory) each(e *entry, of description, f func(values, norms []string) bool) {
	for _, t := range of.typ.subtypes {
		if c, ok := d.virtual[t]; ok && !e.pseudo() {
			if values := c(d, e); len(values) > 0 && of.options == "" && f(values, nil) {
				return
			}
		}
	}
	for _, a := range e.attrs {
		if of.covers(a.description) && len(a.values) > 0 && f(a.values, a.norms) {
			return
		}
	}
}
