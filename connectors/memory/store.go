package memory

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// Store holds the objects of a target. Tests use it to look at, and to change,
// what a plugin works on.
type Store struct {
	mu      sync.Mutex
	journal *journal // nil: nothing outlives the process

	objects map[string]map[string]*record   // by type and id
	order   map[string][]string             // ids by type, as they were given out; some are gone
	unique  map[uniqueKey]string            // id of the holder
	serials map[string]int64                // last number given out, by type
	moved   map[connector.Ref]connector.Ref // where a renamed object is now
	effects []Effect
	epoch   string        // sync tokens of another epoch are worth nothing
	news    chan struct{} // closed at the next effect
}

type uniqueKey struct{ typ, attribute, value string }

// Effect is one change that took effect: a line of the journal.
type Effect struct {
	At   time.Time      `json:"at"`
	Verb connector.Verb `json:"verb"`
	Type string         `json:"type"`
	ID   string         `json:"id"`
	// Key is the userName, displayName or name of the object.
	Key string `json:"key"`
	// Operation is the id of the operation; "" when a test did it.
	Operation string `json:"operation,omitempty"`
	// Entitlement is the id of what was granted or revoked.
	Entitlement string `json:"entitlement,omitempty"`
	// Was is the id before a rename that changed it.
	Was string `json:"was,omitempty"`
	// After is the object afterwards; nil: deleted.
	After *record `json:"after,omitempty"`
}

func newStore() *Store {
	return &Store{objects: map[string]map[string]*record{typeUser: {}, typeGroup: {}, typeRole: {}},
		order: map[string][]string{}, unique: map[uniqueKey]string{}, serials: map[string]int64{}, moved: map[connector.Ref]connector.Ref{}, epoch: rand.Text(), news: make(chan struct{})}
}

// Objects returns the objects of a type, sorted by id.
func (s *Store) Objects(typ string) ([]connector.Object, error) {
	var out []connector.Object
	err := s.do(func(tx *tx) error {
		for _, r := range s.after(typ, "", -1, nil) {
			out = append(out, s.show(r, nil))
		}
		return nil
	})
	return out, err
}

// Effects returns everything that took effect, in order.
func (s *Store) Effects() ([]Effect, error) {
	var out []Effect
	err := s.do(func(*tx) error { out = slices.Clone(s.effects); return nil })
	return out, err
}

// HasPassword reports whether the object could sign in with password.
func (s *Store) HasPassword(typ, id, password string) (ok bool, err error) {
	err = s.do(func(*tx) error {
		r := s.objects[typ][id]
		ok = r != nil && !r.Disabled && r.Password != "" && r.Password == sum(password)
		return nil
	})
	return ok, err
}

func sum(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

// after returns up to n records of a type that come after the id last in a
// listing; "" is before the first. n < 0 means all.
func (s *Store) after(typ, last string, n int, sees func(*record) bool) []*record {
	ids := s.order[typ]
	from := 0
	if last != "" {
		at, found := slices.BinarySearchFunc(ids, last, compareIDs)
		from = at
		if found {
			from++
		}
	}
	var out []*record
	for _, id := range ids[from:] {
		if len(out) == n {
			break
		}
		if r := s.objects[typ][id]; r != nil && (sees == nil || sees(r)) {
			out = append(out, r)
		}
	}
	return out
}

func compareIDs(a, b string) int {
	return cmp.Or(cmp.Compare(serial(a), serial(b)), strings.Compare(a, b))
}

// do runs f with the store locked and up to date, and makes what f did last.
// When f fails nothing of it took effect.
func (s *Store) do(f func(*tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal != nil {
		release, err := s.journal.lock()
		if err != nil {
			return err
		}
		defer release()
		if err := s.journal.catchUp(s.apply); err != nil {
			return err
		}
	}
	tx := &tx{s: s, now: time.Now().UTC().Truncate(time.Microsecond)}
	if err := f(tx); err != nil {
		tx.rollback(0)
		return err
	}
	return tx.commit()
}

// apply puts one effect into the objects.
func (s *Store) apply(e Effect) {
	s.forget(e.Type, e.ID)
	if e.Was != "" {
		s.forget(e.Type, e.Was)
		s.moved[connector.Ref{Type: e.Type, ID: e.Was}] = connector.Ref{Type: e.Type, ID: e.ID}
	}
	if e.After != nil {
		s.remember(e.After)
	}
	s.serials[e.Type] = max(s.serials[e.Type], serial(e.ID))
	s.effects = append(s.effects, e)
	close(s.news)
	s.news = make(chan struct{})
}

func (s *Store) remember(r *record) {
	s.objects[r.Type][r.ID] = r
	if at, found := slices.BinarySearchFunc(s.order[r.Type], r.ID, compareIDs); !found {
		s.order[r.Type] = slices.Insert(s.order[r.Type], at, r.ID)
	}
	for _, k := range uniquesOf(r) {
		s.unique[k] = r.ID
	}
}

func (s *Store) forget(typ, id string) {
	if r := s.objects[typ][id]; r != nil {
		for _, k := range uniquesOf(r) {
			delete(s.unique, k)
		}
		delete(s.objects[typ], id)
	}
}

// uniquesOf returns what no other object may have.
func uniquesOf(r *record) []uniqueKey {
	var ks []uniqueKey
	t, _ := schema.Type(r.Type)
	for _, a := range t.Attributes {
		if a.Unique {
			for _, v := range r.Attributes.Get(a.Name) {
				ks = append(ks, uniqueKey{r.Type, a.Name, folded(a, connector.Text(v))})
			}
		}
	}
	return ks
}

// folded is a text as the target compares it.
func folded(a connector.Attr, text string) string {
	if a.CaseExact {
		return text
	}
	return strings.ToLower(text)
}

// newID gives out an id that was never used.
func (s *Store) newID(typ string) string {
	s.serials[typ]++
	return fmt.Sprintf("%s-%d", typ, s.serials[typ])
}
