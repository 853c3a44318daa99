package quality

import "slices"

// depthMax is how many managers are followed upwards.
const depthMax = 100

// Follow walks up from the given anchors to managers, a level of all of them at a
// time. next returns the manager of each anchor that somebody has, "" where there is
// none. It returns who is in a circle, and which anchors nobody has, both sorted.
func Follow(from []string, next func([]string) (map[string]string, error)) (circle, unknown []string, err error) {
	refs := map[string]string{}
	for depth := 0; depth < depthMax && len(from) > 0; depth++ {
		slices.Sort(from)
		from = slices.Compact(from)
		found, err := next(from)
		if err != nil {
			return nil, nil, err
		}
		var up []string
		for _, a := range from {
			ref, there := found[a]
			if !there {
				unknown = append(unknown, a)
			}
			refs[a] = ref
			if ref != "" {
				up = append(up, ref)
			}
		}
		from = slices.DeleteFunc(up, func(a string) bool { _, known := refs[a]; return known })
	}
	slices.Sort(unknown)
	return circles(refs), unknown, nil
}

// circles returns those who come back to themselves.
func circles(refs map[string]string) (out []string) {
	walk := make(map[string]int, len(refs)) // in which walk an anchor was first met
	n := 0
	for start := range refs {
		n++
		at := start
		for at != "" && walk[at] == 0 {
			walk[at] = n
			at = refs[at]
		}
		if at == "" || walk[at] != n {
			continue
		}
		for first := at; ; {
			out = append(out, at)
			if at = refs[at]; at == first {
				break
			}
		}
	}
	slices.Sort(out)
	return out
}
