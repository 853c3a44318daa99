package scim

import (
	"context"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// find reads the one resource whose attribute is as by says. NOT_FOUND when
// there is none, AMBIGUOUS when several match, UNSUPPORTED when the product
// cannot be asked.
func (s *service) find(ctx context.Context, t *objectType, by connector.Correlation) (client.Resource, error) {
	a, ok := t.attr(by.Attribute)
	if !ok {
		return nil, invalid(by.Attribute, "a %s has no attribute %s", t.name, by.Attribute)
	}
	if by.Value == "" {
		return nil, notFound(t)
	}
	if s.Profile().IDSource == client.IDFromExternalID && a.path.Names(client.Path{Attr: "externalId"}) {
		return s.Client.Get(ctx, t.resource, by.Value, t.selection(nil))
	}
	asked := a.path
	asked.Where = nil
	r, err := s.Find(ctx, t.resource, asked.String(), by.Value, t.selection(nil))
	if err == nil && a.path.Where != nil && !t.holds(r, by) { // somebody's address, but of another kind
		return nil, notFound(t)
	}
	return r, err
}

// holds reports whether a resource is as by says.
func (t *objectType) holds(r client.Resource, by connector.Correlation) bool {
	a, ok := t.attr(by.Attribute)
	for _, v := range a.decode(r) {
		if ok && a.Equal(connector.Text(v), by.Value) {
			return true
		}
	}
	return false
}

// read reads the resource that ref names. Where ref says by id and by what it
// must hold, another resource under that id is NOT_FOUND.
func (s *service) read(ctx context.Context, t *objectType, ref connector.Ref, sel client.Selection) (client.Resource, error) {
	if ref.ID == "" {
		if ref.By.IsZero() {
			return nil, invalid("", "the %s is named neither by id nor by an attribute", t.name)
		}
		return s.find(ctx, t, ref.By)
	}
	r, err := s.Client.Get(ctx, t.resource, ref.ID, sel)
	err = s.vouched(ctx, err)
	if err == nil && !ref.By.IsZero() && !t.proves(r, ref.By) {
		return nil, notFound(t)
	}
	return r, err
}

// proves reports whether a resource may be the one that by means. One that does
// not show the attribute, as where the product hides it, may be.
func (t *objectType) proves(r client.Resource, by connector.Correlation) bool {
	shown := t.object(r, []string{by.Attribute}).Attributes.Get(by.Attribute)
	return len(shown) == 0 || t.holds(r, by)
}

// subject reads the resource that is about to be changed: POLICY when it is
// protected, VERSION_CONFLICT when it is not as the hub thinks.
func (s *service) subject(ctx context.Context, t *objectType, ref connector.Ref, ifVersion string) (client.Resource, error) {
	sel := t.selection(nil)
	if t.method == client.UpdatePutMerge { // what is not read would be lost
		sel = client.Selection{}
	}
	r, err := s.read(ctx, t, ref, sel)
	if err != nil {
		return nil, err
	}
	if err := t.protects(t.object(r, nil)); err != nil {
		return nil, err
	}
	if v := r.Version(); ifVersion != "" && v != "" && v != ifVersion {
		return nil, connector.Errorf(connector.CodeVersionConflict, "the %s has been changed since it was read", t.name)
	}
	return r, nil
}
