package fakeldap

import (
	"slices"
	"strconv"
	"strings"
)

// selection says which attributes a search returns.
type selection struct {
	user, operational bool // "*", "+"
	named             []requested
	typesOnly         bool
	maxValues         int // per attribute; 0: all (Active Directory's MaxValRange)
	noSecrets         bool
}

// requested is an attribute that the client named.
type requested struct {
	description
	// low and high are a range option, as in "member;range=0-1499"; high < 0 is
	// "*". ranged is false without one.
	low, high int
	ranged    bool
}

// shown is one attribute of an answer.
type shown struct {
	name   string
	values []string
}

// noAttributes asks for none (RFC 4511 §4.5.1.8).
const noAttributes = "1.1"

func (d *directory) selectAttrs(names []string, typesOnly bool) selection {
	p := selection{typesOnly: typesOnly}
	if d.flavor == ActiveDirectory {
		p.maxValues = d.options.MaxValRange
	}
	if len(names) == 0 {
		p.user = true
	}
	for _, n := range names {
		switch n {
		case "*":
			p.user = true
		case "+":
			p.operational = d.flavor != ActiveDirectory
		case noAttributes:
		default:
			if r, ok := d.request(n); ok {
				p.named = append(p.named, r)
			}
		}
	}
	return p
}

// request reads one named attribute; false: there is no such type.
func (d *directory) request(name string) (requested, bool) {
	var r requested
	base, option, found := strings.Cut(name, ";range=")
	if found && d.flavor == ActiveDirectory {
		low, high, _ := strings.Cut(option, "-")
		r.ranged, r.high = true, -1
		r.low, _ = strconv.Atoi(low)
		if n, err := strconv.Atoi(high); err == nil {
			r.high = n
		}
		name = base
	}
	desc, ok := d.describe(name)
	r.description = desc
	return r, ok
}

// show returns what a selection lets be seen of an entry.
func (d *directory) show(e *entry, p selection) []shown {
	var out []shown
	put := func(desc description, values []string, r *requested) {
		if len(values) > 0 {
			out = append(out, p.values(desc, values, r)...)
		}
	}
	for _, a := range e.attrs {
		if ok, r := p.wants(a.description); ok {
			put(a.description, a.values, r)
		}
	}
	for t, c := range d.virtual {
		if e.pseudo() {
			break
		}
		if p.noSecrets && t.key == "userpassword" {
			continue
		}
		if ok, r := p.wants(description{typ: t}); ok {
			put(description{typ: t}, c(d, e), r)
		}
	}
	slices.SortStableFunc(out, func(a, b shown) int { return strings.Compare(rank(a.name), rank(b.name)) })
	return out
}

// rank puts objectClass first, as servers do.
func rank(name string) string {
	if name == "objectClass" {
		return ""
	}
	return "_"
}

// wants reports whether an attribute is returned, and by which request.
func (p selection) wants(d description) (bool, *requested) {
	for i := range p.named {
		if p.named[i].covers(d) {
			return true, &p.named[i]
		}
	}
	if d.typ.operational() {
		return p.operational, nil
	}
	return p.user, nil
}

// values shows the values of one attribute. What is longer than the server
// returns at once comes as a range, beside an empty attribute that must not be
// read as "no values" (QUIRKS LDAP-7).
func (p selection) values(d description, values []string, r *requested) []shown {
	name := d.String()
	ranged := r != nil && r.ranged
	if p.typesOnly {
		return []shown{{name, nil}}
	}
	if !ranged && (p.maxValues == 0 || len(values) <= p.maxValues) {
		return []shown{{name, values}}
	}
	low, high := 0, len(values)-1
	if ranged {
		low = min(r.low, len(values))
		if r.high >= 0 {
			high = min(high, r.high)
		}
	}
	if p.maxValues > 0 {
		high = min(high, low+p.maxValues-1)
	}
	end := strconv.Itoa(high)
	if high >= len(values)-1 {
		high, end = len(values)-1, "*"
	}
	part := shown{name + ";range=" + strconv.Itoa(low) + "-" + end, values[low:max(low, high+1)]}
	if ranged {
		return []shown{part}
	}
	return []shown{{name, nil}, part}
}
