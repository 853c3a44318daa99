package directory

import "slices"

// Member is one member of a group.
type Member struct {
	Value   string // id
	Type    string // User or Group
	Display string
}

// Members is a set of members that keeps the order in which they came.
type Members struct {
	at   map[string]int // id → place in list
	list []Member       // Value "" where one was taken out
}

func newMembers() *Members { return &Members{at: map[string]int{}} }

// Has reports whether id is a member.
func (m *Members) Has(id string) bool {
	_, ok := m.at[id]
	return ok
}

// All returns the members in order.
func (m *Members) All() []Member {
	out := make([]Member, 0, len(m.at))
	for _, x := range m.list {
		if x.Value != "" {
			out = append(out, x)
		}
	}
	return out
}

func (m *Members) add(x Member) {
	if m.Has(x.Value) {
		return
	}
	m.at[x.Value] = len(m.list)
	m.list = append(m.list, x)
}

func (m *Members) remove(id string) {
	i, ok := m.at[id]
	if !ok {
		return
	}
	delete(m.at, id)
	m.list[i] = Member{}
	if len(m.list) < 64 || len(m.at) > len(m.list)/2 {
		return
	}
	m.list = slices.DeleteFunc(m.list, func(x Member) bool { return x.Value == "" })
	for i, x := range m.list {
		m.at[x.Value] = i
	}
}
