package ldap

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
)

// Get implements [connector.Getter].
func (t *Target) Get(ctx context.Context, ref connector.Ref, attributes []string) (connector.Object, error) {
	s, m, release, err := t.work(ctx)
	if err != nil {
		return connector.Object{}, err
	}
	defer release()
	typ, err := m.byName(ref.Type)
	if err != nil {
		return connector.Object{}, err
	}
	e, err := s.resolve(ctx, m, typ, ref)
	if err != nil {
		return connector.Object{}, err
	}
	return s.whole(ctx, m, typ, *e, attributes)
}

// whole is an entry as the hub sees it, with its grants.
func (s *session) whole(ctx context.Context, m *model, typ *objectType, e ldap.Entry, attributes []string) (connector.Object, error) {
	o, err := s.object(ctx, m, typ, e)
	if err == nil && typ == m.users {
		o.Grants, err = s.grantsOf(ctx, m, e)
	}
	o.Attributes = only(o.Attributes, attributes)
	return o, err
}

// listChunk is how many accounts have their groups and references looked up
// together, readsAtOnce how many of them at once.
const (
	listChunk   = 200
	readsAtOnce = 32
)

// List implements [connector.Lister]. It is complete when every place was read to
// its end without a limit of the server and without a reference to another one.
func (t *Target) List(ctx context.Context, q connector.ListQuery, yield func(connector.Object) error) (connector.ListEnd, error) {
	if q.PageToken != nil {
		return connector.ListEnd{}, connector.Errorf(connector.CodeInvalidValue, "a listing of a directory cannot go on later; begin it anew")
	}
	s, m, release, err := t.work(ctx)
	if err != nil {
		return connector.ListEnd{}, err
	}
	defer release()
	typ, err := m.byName(q.Type)
	if err != nil {
		return connector.ListEnd{}, err
	}
	l := listing{s: s, m: m, typ: typ, q: q, yield: yield}
	end := connector.ListEnd{Complete: true}
	for _, base := range typ.bases {
		e, err := s.List(ctx, ldap.Search{Base: base, Filter: typ.filter, Attributes: m.reads(typ), PageSize: orElseInt(q.PageSize, t.cfg.PageSize)},
			func(e ldap.Entry) error { return l.add(ctx, e) })
		if err == nil {
			err = l.flush(ctx)
		}
		if connector.IsCode(err, connector.CodeNotFound) {
			err = noBase(base, err)
		}
		if err != nil {
			return connector.ListEnd{}, err
		}
		if !e.Complete {
			end.Complete = false
			t.log.WarnContext(ctx, "the listing is not complete", "base", base.String(), "reason", e.Reason)
		}
	}
	return end, nil
}

// listing gathers entries, so that what belongs to them is looked up together.
type listing struct {
	s     *session
	m     *model
	typ   *objectType
	q     connector.ListQuery
	yield func(connector.Object) error

	entries []ldap.Entry
}

func (l *listing) add(ctx context.Context, e ldap.Entry) error {
	l.entries = append(l.entries, e)
	if len(l.entries) >= listChunk {
		return l.flush(ctx)
	}
	return nil
}

// flush hands on what was gathered, in the order of the server.
func (l *listing) flush(ctx context.Context) error {
	objects := make([]connector.Object, len(l.entries))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(readsAtOnce)
	for i, e := range l.entries {
		g.Go(func() (err error) {
			objects[i], err = l.s.whole(gctx, l.m, l.typ, e, l.q.Attributes)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, o := range objects {
		if err := l.yield(o); err != nil {
			return err
		}
	}
	l.entries = l.entries[:0]
	return nil
}

// only keeps the attributes that were asked for; nil: all.
func only(as connector.Attributes, names []string) connector.Attributes {
	if names == nil {
		return as
	}
	var out connector.Attributes
	for _, n := range names {
		if vs := as.Get(n); vs != nil {
			out = append(out, connector.Attribute{Name: n, Values: vs})
		}
	}
	return out
}
