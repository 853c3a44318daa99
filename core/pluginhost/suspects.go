package pluginhost

import "sync"

// poisonAt is how often a plugin may die of one operation.
const poisonAt = 3

// suspectsMax bounds how many operations are remembered.
const suspectsMax = 10_000

// suspects remembers, over all processes of an instance, which operations were
// under way when one died. They are sent one at a time from then on, and not
// at all once the plugin died poisonAt times of one that was alone.
type suspects struct {
	mu    sync.Mutex
	alone map[string]int // deaths while it was alone, by operation id
}

func newSuspects() *suspects { return &suspects{alone: map[string]int{}} }

// died records the operations under way at the end of a process. guilty tells
// that they were one unit, alone.
func (s *suspects) died(ids []string, guilty bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.alone) > suspectsMax {
		clear(s.alone) // the hub has not come back to them for long
	}
	for _, id := range ids {
		if guilty {
			s.alone[id]++
		} else if _, known := s.alone[id]; !known {
			s.alone[id] = 0
		}
	}
}

// clear takes the suspicion from an operation that was answered.
func (s *suspects) clear(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.alone, id)
}

func (s *suspects) any(u *unit) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.alone) == 0 {
		return false
	}
	for _, op := range u.ops {
		if _, ok := s.alone[op.GetOperationId()]; ok {
			return true
		}
	}
	return false
}

func (s *suspects) poison(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.alone[id] >= poisonAt
}

// recent remembers the last answered operations, to tell a second answer from
// an answer to nothing.
type recent struct {
	ids  map[string]struct{}
	ring [1024]string
	next int
}

func (r *recent) add(id string) {
	if r.ids == nil {
		r.ids = make(map[string]struct{}, len(r.ring))
	}
	delete(r.ids, r.ring[r.next])
	r.ring[r.next] = id
	r.next = (r.next + 1) % len(r.ring)
	r.ids[id] = struct{}{}
}

func (r *recent) has(id string) bool {
	_, ok := r.ids[id]
	return ok
}
