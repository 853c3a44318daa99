package memory

import (
	"path/filepath"
	"sync"
)

// shared are the stores of this process that have a name.
var shared = struct {
	sync.Mutex
	byName map[string]*Store
}{byName: map[string]*Store{}}

// Named returns the store of this process that configs call name.
func Named(name string) *Store {
	shared.Lock()
	defer shared.Unlock()
	s := shared.byName["store:"+name]
	if s == nil {
		s = newStore()
		shared.byName["store:"+name] = s
	}
	return s
}

// Journaled returns the store that the journal at path holds; the file is made
// when it is not there.
func Journaled(path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	shared.Lock()
	defer shared.Unlock()
	if s := shared.byName["journal:"+path]; s != nil {
		return s, nil
	}
	s := newStore()
	s.epoch = "journal"
	if s.journal, err = openJournal(path); err != nil {
		return nil, err
	}
	shared.byName["journal:"+path] = s
	return s, nil
}

func storeOf(c Config) (*Store, error) {
	switch {
	case c.Journal != "":
		return Journaled(c.Journal)
	case c.Store != "":
		return Named(c.Store), nil
	}
	return newStore(), nil
}
