package scim

import (
	"context"
	"errors"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// vouched is err, unless it is a 404 of a service that has lost everything: a
// gateway without its route, or a base_url that leads elsewhere. Taken at its
// word, that would count every leaver as gone and leave them in.
func (s *service) vouched(ctx context.Context, err error) error {
	var refused *client.Fault
	if !connector.IsCode(err, connector.CodeNotFound) || !errors.As(err, &refused) {
		return err
	}
	if lost := s.lists(ctx); lost != nil && !connector.IsCode(lost, connector.CodeUnsupported) {
		return lost
	}
	return err
}

// lists reports whether accounts can be listed. CONFIGURATION when there is
// nothing where they should be, UNSUPPORTED when the product lists none without a
// filter.
func (s *service) lists(ctx context.Context) error {
	seen := errors.New("seen")
	_, err := s.Client.List(ctx, client.Query{Type: client.Users, PageSize: 1}, func(client.Resource) error { return seen })
	switch {
	case errors.Is(err, seen):
		return nil
	case connector.IsCode(err, connector.CodeNotFound):
		return configuration("the service answers 404 to everything: does base_url end where " + s.Profile().UsersPath + " begins?")
	}
	return err
}
