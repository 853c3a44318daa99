package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/pluginhost"
	"github.com/provhub/provhub/core/store"
)

// known is what is known of a target: what it says of itself now, or what it last
// said while it does not answer.
type known struct {
	Schema       connector.Schema       `json:"schema"`
	Capabilities connector.Capabilities `json:"capabilities"`

	instance *pluginhost.Instance // nil: it does not answer
}

// errUnknownTarget: the target does not answer and has never said anything.
var errUnknownTarget = errors.New("nothing is known of the target")

// known returns what is known of a connector's target. It waits for no target: the
// plugin has been started, or has failed to.
func (h *Hub) known(ctx context.Context, c *config.Connector) (known, error) {
	settings := hashOf(struct {
		Plugin string
		Config json.RawMessage
	}{c.Plugin, c.Config})
	stored, err := h.org.TargetSchema(ctx, c.Name, settings)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return known{}, err
	}
	in := h.started(c)
	if in == nil {
		if stored == nil {
			return known{}, errUnknownTarget
		}
		var k known
		if err := json.Unmarshal(stored, &k); err != nil {
			return known{}, fmt.Errorf("connector %s: the stored schema cannot be read: %w", c.Name, err)
		}
		return k, nil
	}
	k := known{Schema: in.Schema(), Capabilities: in.Capabilities(), instance: in}
	content, err := json.Marshal(k)
	if err != nil {
		return known{}, fmt.Errorf("connector %s: keep the schema: %w", c.Name, err)
	}
	if bytes.Equal(content, stored) {
		return k, nil
	}
	return k, h.org.SaveTargetSchema(ctx, c.Name, settings, content)
}

// started returns the running plugin of a connector, nil when there is none.
func (h *Hub) started(c *config.Connector) *pluginhost.Instance {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r := h.instances[c.Name]; r != nil && r.isReady() {
		return r.instance
	}
	return nil
}
