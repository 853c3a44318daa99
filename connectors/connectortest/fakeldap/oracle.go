package fakeldap

import (
	"fmt"
	"slices"
	"strings"
)

// Entry is a copy of what the directory holds, operational and computed
// attributes included.
type Entry struct {
	DN string
	// ID is entryUUID, nsUniqueId or objectGUID: the text form of the flavor; of
	// objectGUID the 16 bytes.
	ID         string
	Attributes map[string][]string // by the schema's name, with options
}

// Get returns the values of an attribute, whatever the case of its name.
func (e Entry) Get(name string) []string {
	for n, v := range e.Attributes {
		if strings.EqualFold(n, name) {
			return v
		}
	}
	return nil
}

// First returns the first value; "" when there is none.
func (e Entry) First(name string) string { return first(e.Get(name)) }

// Entries returns all entries, in order of creation.
func (s *Server) Entries() []Entry {
	s.dir.mu.RLock()
	defer s.dir.mu.RUnlock()
	list := make([]*entry, 0, len(s.dir.entries))
	for _, e := range s.dir.entries {
		list = append(list, e)
	}
	slices.SortFunc(list, bySeq)
	out := make([]Entry, len(list))
	for i, e := range list {
		out[i] = s.dir.copyOf(e)
	}
	return out
}

// Len returns how many entries there are.
func (s *Server) Len() int {
	s.dir.mu.RLock()
	defer s.dir.mu.RUnlock()
	return len(s.dir.entries)
}

// Entry returns the entry with the DN, however it is spelt.
func (s *Server) Entry(name string) (Entry, bool) {
	s.dir.mu.RLock()
	defer s.dir.mu.RUnlock()
	e := s.dir.entries[s.dir.dnKey(name)]
	if e == nil {
		return Entry{}, false
	}
	return s.dir.copyOf(e), true
}

// Children returns the entries one level below a DN, in order of creation.
func (s *Server) Children(name string) []Entry {
	s.dir.mu.RLock()
	defer s.dir.mu.RUnlock()
	e := s.dir.entries[s.dir.dnKey(name)]
	if e == nil {
		return nil
	}
	var out []Entry
	for _, c := range s.dir.below(e, scopeOne) {
		out = append(out, s.dir.copyOf(c))
	}
	return out
}

func (d *directory) copyOf(e *entry) Entry {
	out := Entry{DN: e.dn.String(), Attributes: map[string][]string{}}
	for _, s := range d.show(e, selection{user: true, operational: true}) {
		out.Attributes[s.name] = slices.Clone(s.values)
	}
	switch d.flavor {
	case ActiveDirectory:
		out.ID = string(e.id[:])
	case DS389:
		out.ID = nsUniqueID(e.id)
	default:
		out.ID = uuidText(e.id)
	}
	return out
}

// CheckPassword reports whether one can sign in as the account: with the right
// password, not disabled and not locked. It counts as no bind and as no failure.
func (s *Server) CheckPassword(name, password string) bool {
	s.dir.mu.Lock()
	defer s.dir.mu.Unlock()
	e := s.dir.entries[s.dir.dnKey(name)]
	if e == nil || password == "" {
		return false
	}
	failures, lockedAt := e.failures, e.lockedAt
	defer func() { e.failures, e.lockedAt = failures, lockedAt }()
	return s.dir.signIn(e, password, s.dir.clock()) == nil
}

// somebody is whom changes from outside are put down to.
const somebody = "cn=somebody else"

// Rename gives an entry a new DN, as another administrator does with ModifyDN:
// its id stays. The new parent must exist.
func (s *Server) Rename(from, to string) error {
	return s.change("rename", from, func(t *tx, e *entry) error {
		target, err := t.parseDN(to)
		if err != nil || target.isRoot() {
			return fmt.Errorf("%q is no DN", to)
		}
		parent := target.parent()
		return t.rename(e, target.rdns[0], &parent, true, identity{admin: true})
	})
}

// Set makes values the whole content of an attribute, past all rules of the
// product except the schema's; none removes it. userAccountControl bits of
// others are set in this way.
func (s *Server) Set(name, attr string, values ...string) error {
	return s.change("set "+attr, name, func(t *tx, e *entry) error {
		d, ok := t.describe(attr)
		if !ok || t.virtual[d.typ] != nil {
			return fmt.Errorf("the schema has no %q that could be written", attr)
		}
		t.set(e, d, values...)
		return t.check(e)
	})
}

// Remove deletes an entry and everything below it.
func (s *Server) Remove(name string) error {
	return s.change("remove", name, func(t *tx, e *entry) error {
		for _, x := range slices.Backward(e.subtree(nil)) {
			t.unlink(x)
			t.remove(x)
		}
		return nil
	})
}

// SetPassword gives an account a password, past the policy.
func (s *Server) SetPassword(name, password string) error {
	return s.change("set password", name, func(t *tx, e *entry) error {
		e.secret = seal(password)
		if t.flavor == ActiveDirectory {
			t.put(e, "pwdlastset", filetime(t.clock()))
		}
		return nil
	})
}

func (s *Server) change(what, name string, f func(*tx, *entry) error) error {
	err := s.dir.write(somebody, func(t *tx) error {
		e, err := t.find(name)
		if err != nil {
			return err
		}
		t.touch(e)
		return f(t, e)
	})
	if err != nil {
		return fmt.Errorf("fakeldap: %s %s: %w", what, name, err)
	}
	return nil
}
