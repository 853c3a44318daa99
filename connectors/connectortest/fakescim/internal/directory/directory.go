package directory

import (
	"slices"
	"sync"
	"time"

	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// Directory holds the resources of all types.
type Directory struct {
	now    func() time.Time
	unique map[string]bool // "User.externalId": refused a second time

	mu       sync.RWMutex
	tables   map[string]*table
	groupsOf map[string]map[string]*Resource // member id → group id → group
	seq      int
	// generation counts writes; a result that was found in the same generation
	// still holds.
	generation int
	cache      map[string]cached
	cacheMu    sync.Mutex
}

// table holds the resources of one type.
type table struct {
	typ   *schema.Type
	order []*Resource // by seq
	byID  map[string]*Resource
	index map[string]map[string][]*Resource // attribute → key → resources
}

// indexed are the attributes that are looked up by their value.
var indexed = map[string][]string{"User": {"userName", "externalId"}, "Group": {"displayName", "externalId"}}

// New returns an empty directory. unique lists attributes beside userName whose
// values a type holds only once, such as "User.externalId".
func New(types []*schema.Type, now func() time.Time, unique []string) *Directory {
	d := &Directory{now: now, unique: map[string]bool{"User.userName": true}, tables: map[string]*table{}, groupsOf: map[string]map[string]*Resource{}, cache: map[string]cached{}}
	for _, u := range unique {
		d.unique[u] = true
	}
	for _, t := range types {
		tab := &table{typ: t, byID: map[string]*Resource{}, index: map[string]map[string][]*Resource{}}
		for _, name := range indexed[t.Name] {
			tab.index[name] = map[string][]*Resource{}
		}
		d.tables[t.Name] = tab
	}
	return d
}

// View calls f with the resource, which is nil when there is none. f must not
// keep it, nor call the directory.
func (d *Directory) View(typ, id string, f func(*Resource)) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	f(d.tables[typ].byID[id])
}

// Each calls f with every resource of a type, in order of creation. f must not
// keep it, nor call the directory.
func (d *Directory) Each(typ string, f func(*Resource)) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, r := range d.tables[typ].order {
		f(r)
	}
}

// Len counts the resources of a type.
func (d *Directory) Len(typ string) int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.tables[typ].order)
}

// GroupsOf returns the groups that a member is in, by their ids. It is called
// while the directory is held, from [Directory.View] or [Directory.Each].
func (d *Directory) GroupsOf(id string) []*Resource {
	var out []*Resource
	for _, g := range d.groupsOf[id] {
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b *Resource) int { return a.seq - b.seq })
	return out
}

// TypeOf returns the type of the resource with the id: "" when there is none. It
// is called from within a write.
func (d *Directory) TypeOf(id string) string {
	for name, t := range d.tables {
		if t.byID[id] != nil {
			return name
		}
	}
	return ""
}

// Clear takes everything out.
func (d *Directory) Clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range d.tables {
		t.order, t.byID = nil, map[string]*Resource{}
		for name := range t.index {
			t.index[name] = map[string][]*Resource{}
		}
	}
	d.groupsOf = map[string]map[string]*Resource{}
	d.generation++
}
