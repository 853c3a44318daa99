package fakeldap

// chained walks a linked attribute from e on, forward (member) or back
// (memberOf), and reports whether it comes to the entry with the key
// (LDAP_MATCHING_RULE_IN_CHAIN).
func (d *directory) chained(e *entry, t *attributeType, key string) bool {
	seen := map[*entry]bool{e: true}
	queue := []*entry{e}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, next := range d.neighbours(at, t) {
			if next.dn.key() == key {
				return true
			}
			if !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
	}
	return false
}

// neighbours are the entries one step away along a linked attribute.
func (d *directory) neighbours(e *entry, t *attributeType) []*entry {
	var out []*entry
	for forward, l := range d.links {
		if l.back == t {
			out = append(out, d.pointing(e, forward)...)
		}
	}
	if a := e.attr(description{typ: t}); a != nil && out == nil {
		for _, n := range a.norms {
			if x := d.entries[n]; x != nil {
				out = append(out, x)
			}
		}
	}
	return out
}
