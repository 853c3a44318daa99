package hub

import (
	"context"
	"slices"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/store"
)

// Unfed tells which sources feed a connector of the config no more while people of
// theirs have accounts in it: nobody of them who leaves is disabled there.
func (h *Hub) Unfed(ctx context.Context) ([]store.Feed, error) {
	feeds, err := h.org.Feeds(ctx)
	return slices.DeleteFunc(feeds, func(f store.Feed) bool {
		i := slices.IndexFunc(h.cfg.Connectors, func(c config.Connector) bool { return c.Name == f.Connector })
		return f.Accounts == 0 || i < 0 || h.cfg.Connectors[i].FedBy(f.Source) || f.Source == orphanSource(&h.cfg.Connectors[i])
	}), err
}
