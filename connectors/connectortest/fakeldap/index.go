package fakeldap

import "slices"

// note and forget keep the index.
func (d *directory) note(e *entry, t *attributeType, norm string) {
	if idx := d.index[t]; idx != nil && e.inTree() {
		idx[norm] = append(idx[norm], e)
	}
}

func (d *directory) forget(e *entry, t *attributeType, norm string) {
	idx := d.index[t]
	list := idx[norm]
	i := slices.Index(list, e)
	if i < 0 {
		return
	}
	list[i] = list[len(list)-1]
	list[len(list)-1] = nil
	if list = list[:len(list)-1]; len(list) == 0 {
		delete(idx, norm)
		return
	}
	idx[norm] = list
}
