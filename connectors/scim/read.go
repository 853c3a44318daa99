package scim

import (
	"context"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// Get implements [connector.Getter].
func (t *Target) Get(ctx context.Context, ref connector.Ref, attributes []string) (connector.Object, error) {
	s, m, err := t.use(ctx)
	if err != nil {
		return connector.Object{}, err
	}
	typ, err := m.typeOf(ref.Type)
	if err != nil {
		return connector.Object{}, err
	}
	names := attributes
	if names != nil && !ref.By.IsZero() {
		names = append([]string{ref.By.Attribute}, names...)
	}
	r, err := s.read(ctx, typ, ref, typ.selection(names))
	if err != nil {
		return connector.Object{}, err
	}
	return typ.object(r, attributes), nil
}

// List implements [connector.Lister]. A product that hides disabled accounts is
// never listed completely.
func (t *Target) List(ctx context.Context, q connector.ListQuery, yield func(connector.Object) error) (connector.ListEnd, error) {
	s, m, err := t.use(ctx)
	if err != nil {
		return connector.ListEnd{}, err
	}
	typ, err := m.typeOf(q.Type)
	if err != nil {
		return connector.ListEnd{}, err
	}
	if q.PageToken != nil {
		return connector.ListEnd{}, invalid("", "this connector gives no page tokens: a listing begins at its beginning")
	}
	end, err := s.Client.List(ctx, client.Query{Type: typ.resource, PageSize: q.PageSize, Selection: typ.selection(q.Attributes)}, func(r client.Resource) error {
		return yield(typ.object(r, q.Attributes))
	})
	if err != nil {
		return connector.ListEnd{}, err
	}
	hides := typ.resource == client.Users && s.Profile().DisabledVisible == client.DisabledHidden
	if !end.Complete {
		t.log.WarnContext(ctx, "a listing is not complete, so nobody is taken as gone", "type", typ.name, "reason", end.Reason, "listed", end.Distinct, "total", end.Total)
	}
	return connector.ListEnd{Complete: end.Complete && !hides}, nil
}
