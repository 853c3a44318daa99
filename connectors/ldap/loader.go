package ldap

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// loadBatch is how many entries one search for ids asks for; loadersAtOnce is
// how many such searches are under way for one kind of entries.
const (
	loadBatch     = 64
	loadersAtOnce = 4
)

// loader reads entries by id. Those that are asked for while searches are under
// way wait, and go out together in the next one.
type loader struct {
	s *session
	m *model
	t *objectType

	mu      sync.Mutex
	waiting []*wanted
	running int
}

// wanted is one entry that somebody waits for.
type wanted struct {
	id    string
	done  chan struct{}
	entry *ldap.Entry // nil: there is none
	err   error
}

// load returns the entry of a kind with an id. NOT_FOUND when there is none.
func (s *session) load(ctx context.Context, m *model, t *objectType, id string) (*ldap.Entry, error) {
	if _, err := m.dir.ByAnchor(id); err != nil || id == "" {
		return nil, notFound(t) // the id of another system
	}
	s.mu.Lock()
	l := s.loaders[t.name]
	if l == nil || l.m != m {
		l = &loader{s: s, m: m, t: m.same(t)}
		s.loaders[t.name] = l
	}
	s.mu.Unlock()
	w := &wanted{id: strings.ToLower(id), done: make(chan struct{})}
	l.add(w)
	select {
	case <-w.done:
	case <-ctx.Done():
		return nil, connector.Errorf(connector.CodeUnavailable, "the call ended before the entry was read: %w", ctx.Err())
	}
	switch {
	case w.err != nil:
		return nil, w.err
	case w.entry == nil:
		return nil, notFound(t)
	}
	return w.entry, nil
}

// same returns m's own version of a kind.
func (m *model) same(t *objectType) *objectType {
	for _, x := range m.types() {
		if x.name == t.name {
			return x
		}
	}
	return t
}

func notFound(t *objectType) error {
	return &connector.Error{Code: connector.CodeNotFound, Message: "there is no such " + t.name + " in the directory"}
}

func (l *loader) add(w *wanted) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, w)
	if l.running < loadersAtOnce {
		l.running++
		go l.run()
	}
}

// run sends searches until nobody waits any more.
func (l *loader) run() {
	for {
		l.mu.Lock()
		batch := l.waiting[:min(loadBatch, len(l.waiting))]
		l.waiting = l.waiting[len(batch):]
		if len(batch) == 0 {
			l.running--
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		l.search(batch)
		for _, w := range batch {
			close(w.done)
		}
	}
}

// search reads a batch. What fails fails for all of it: nothing was written.
func (l *loader) search(batch []*wanted) {
	filters := make([]ldap.Filter, 0, len(batch))
	var ids []string
	for _, w := range batch {
		if slices.Contains(ids, w.id) {
			continue
		}
		ids = append(ids, w.id)
		f, _ := l.m.dir.ByAnchor(w.id) // it was checked by load
		filters = append(filters, f)
	}
	found, err := l.s.findAll(context.Background(), l.t, ldap.Or(filters...), l.m.reads(l.t))
	for i := range found {
		id, idErr := l.m.dir.AnchorOf(found[i])
		for _, w := range batch {
			if idErr == nil && strings.EqualFold(w.id, id) {
				w.entry = &found[i]
			}
		}
	}
	for _, w := range batch {
		w.err = err
	}
}

// findAll searches all places where entries of a kind can be. A place that does
// not exist is a fault of the config: without it, absence would prove nothing.
func (s *session) findAll(ctx context.Context, t *objectType, f ldap.Filter, attributes []string) ([]ldap.Entry, error) {
	var out []ldap.Entry
	for _, base := range t.bases {
		found, err := s.Find(ctx, ldap.Search{Base: base, Filter: f, Attributes: attributes})
		if connector.IsCode(err, connector.CodeNotFound) {
			return nil, noBase(base, err)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

func noBase(base ldap.DN, cause error) error {
	return &connector.Error{Code: connector.CodeConfiguration, Cause: cause,
		Message: base.String() + " does not exist, or the account that provhub binds with must not see it"}
}

// lookup finds the entries of a kind that hold a value of an attribute of the hub.
func (s *session) lookup(ctx context.Context, m *model, t *objectType, by connector.Correlation) ([]ldap.Entry, error) {
	a := t.attr(by.Attribute)
	if a == nil {
		return nil, &connector.Error{Code: connector.CodeUnsupported, Attributes: []string{by.Attribute}, Message: "a " + t.name + " has no attribute " + by.Attribute + " to be found by"}
	}
	f := ldap.Equal(a.ldap, by.Value)
	if a.form == "guid" {
		b, err := ldap.GUIDBytes(by.Value)
		if err != nil {
			return nil, nil
		}
		f = ldap.EqualBytes(a.ldap, b)
	}
	return s.findAll(ctx, t, ldap.And(t.filter, f), m.reads(t))
}

// resolve returns the entry that a reference names, by id or by a value.
func (s *session) resolve(ctx context.Context, m *model, t *objectType, ref connector.Ref) (*ldap.Entry, error) {
	if ref.ID != "" || ref.By.IsZero() {
		return s.load(ctx, m, t, ref.ID)
	}
	found, err := s.lookup(ctx, m, t, ref.By)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, notFound(t)
	case len(found) > 1:
		return nil, ambiguous(t, ref.By)
	}
	return &found[0], nil
}

func ambiguous(t *objectType, by connector.Correlation) error {
	return &connector.Error{Code: connector.CodeAmbiguous, Attributes: []string{by.Attribute},
		Message: "several entries of type " + t.name + " hold the same " + by.Attribute}
}
