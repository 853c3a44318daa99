package ldap

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connector/span"
)

// loadBatch is how many entries one search for ids asks for; loadersAtOnce is
// how many such searches are under way for one kind of entries.
const (
	loadBatch     = 64
	loadersAtOnce = 4
)

// loader reads entries of one kind by one attribute. Those that are asked for
// while searches are under way wait, and go out together in the next one.
type loader struct {
	s       *session
	m       *model
	t       *objectType
	further ldap.Filter // what all entries must match besides

	mu      sync.Mutex
	waiting []*wanted
	running int
}

// wanted is what one caller looks for.
type wanted struct {
	filter  ldap.Filter
	matches func(ldap.Entry) bool // whether an entry is what the filter means
	ctx     context.Context       // of the call, for its trace
	done    chan struct{}
	found   []ldap.Entry
	err     error
}

// gather finds what one caller wants, together with what others want by the same
// attribute at the same time.
func (s *session) gather(ctx context.Context, m *model, t *objectType, attribute string, further ldap.Filter, w *wanted) ([]ldap.Entry, error) {
	key := t.name + "/" + attribute
	s.mu.Lock()
	l := s.loaders[key]
	if l == nil || l.m != m {
		l = &loader{s: s, m: m, t: t, further: further}
		s.loaders[key] = l
	}
	s.mu.Unlock()
	w.ctx, w.done = ctx, make(chan struct{})
	l.add(w)
	select {
	case <-w.done:
		return w.found, w.err
	case <-ctx.Done():
		return nil, connector.Errorf(connector.CodeUnavailable, "the call ended before the entry was read: %w", ctx.Err())
	}
}

// load returns the entry of a kind with an id. NOT_FOUND when there is none.
func (s *session) load(ctx context.Context, m *model, t *objectType, id string) (*ldap.Entry, error) {
	f, err := m.dir.ByAnchor(id)
	if err != nil || id == "" {
		return nil, notFound(t) // the id of another system
	}
	found, err := s.gather(ctx, m, t, m.dir.Anchor.Attribute, ldap.Filter{}, &wanted{filter: f, matches: func(e ldap.Entry) bool {
		has, err := m.dir.AnchorOf(e)
		return err == nil && strings.EqualFold(has, id)
	}})
	if err == nil && len(found) == 0 {
		err = notFound(t)
	}
	if err != nil {
		return nil, err
	}
	return &found[0], nil
}

// readNew returns an entry that was just added: the one that came with the answer, if
// it says who it is. Else it is looked for by the value that names it, so that many are
// read together.
func (s *session) readNew(ctx context.Context, m *model, t *objectType, dn ldap.DN, made *ldap.Entry) (ldap.Entry, error) {
	if made != nil {
		if ref, err := m.ref(t, *made); err == nil && (m.dir.EntryVersion == "" || ref.Version != "") {
			return *made, nil
		}
	}
	found, err := s.gather(ctx, m, t, "new "+t.naming, ldap.Filter{}, &wanted{filter: ldap.Equal(t.naming, dn.RDN().Value(t.naming)),
		matches: func(e ldap.Entry) bool { return e.DN.Equal(dn) }})
	if err == nil && len(found) > 0 {
		return found[0], nil
	}
	return s.Read(ctx, dn, m.reads(t)...)
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
		l.answer(batch)
		for _, w := range batch {
			close(w.done)
		}
	}
}

// answer searches for a batch. What the server does not give for many at once is
// asked for one by one; what fails otherwise fails for all: nothing was written.
func (l *loader) answer(batch []*wanted) {
	filters := make([]ldap.Filter, len(batch))
	for i, w := range batch {
		filters[i] = w.filter
	}
	found, err := l.search(batch, ldap.Or(filters...))
	if len(batch) == 1 {
		batch[0].found, batch[0].err = found, err
		return
	}
	if connector.IsCode(err, connector.CodeTooLarge) {
		l.singly(batch)
		return
	}
	stray := hand(found, batch)
	var unmatched []*wanted
	for _, w := range batch {
		w.err = err
		if len(w.found) == 0 && err == nil {
			unmatched = append(unmatched, w)
		}
	}
	if stray {
		// The server compares in another way than we do: let it say which is whose.
		l.singly(unmatched)
	}
}

// hand gives entries to those who want them; stray tells that nobody wants one.
func hand(found []ldap.Entry, batch []*wanted) (stray bool) {
	for _, e := range found {
		taken := false
		for _, w := range batch {
			if w.matches(e) {
				w.found = append(w.found, e)
				taken = true
			}
		}
		stray = stray || !taken
	}
	return stray
}

func (l *loader) singly(batch []*wanted) {
	for i, w := range batch {
		w.found, w.err = l.search(batch[i:i+1], w.filter)
	}
}

// search asks for what those who wait want.
func (l *loader) search(waiting []*wanted, f ldap.Filter) ([]ldap.Entry, error) {
	calls := make([]context.Context, len(waiting))
	for i, w := range waiting {
		calls[i] = w.ctx
	}
	if l.further != (ldap.Filter{}) {
		// Servers work conditions out in turn: one entry, or none, is told apart before
		// all that are of the kind are looked up.
		f = ldap.And(f, l.further)
	}
	return l.s.findAll(span.Along(context.Background(), calls...), l.t, f, l.m.reads(l.t))
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
	return s.gather(ctx, m, t, "by "+a.ldap, t.filter, &wanted{filter: f, matches: func(e ldap.Entry) bool {
		return slices.ContainsFunc(a.decode(e.Get(a.ldap)), func(v connector.Value) bool { return a.spec.Equal(v, by.Value) })
	}})
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
