package library

import "sync"

// memo keeps what was worked out for a text. The texts are literals of rules
// or values that were accepted (there are some 600 time zones), so their number
// is bounded.
type memo[T any] struct {
	made sync.Map
	make func(string) (T, error)
}

func (m *memo[T]) get(text string) (T, error) {
	if v, ok := m.made.Load(text); ok {
		return v.(T), nil
	}
	v, err := m.make(text)
	if err == nil {
		m.made.Store(text, v)
	}
	return v, err
}
