package fakescim

import (
	"strings"
	"sync"

	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// gone remembers what was deleted irreversibly: its name is never given again.
type gone struct {
	mu    sync.Mutex
	names map[string]bool // "User jane"
}

func nameOf(t *schema.Type, attrs map[string]any) string {
	name, _ := attrs["userName"].(string)
	if t.Name == "Group" {
		name, _ = attrs["displayName"].(string)
	}
	return t.Name + " " + strings.ToLower(name)
}

func (g *gone) add(r *directory.Resource) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.names == nil {
		g.names = map[string]bool{}
	}
	g.names[nameOf(r.Type, r.Attrs)] = true
}

func (g *gone) check(t *schema.Type, attrs map[string]any) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.names[nameOf(t, attrs)] {
		return &schema.Error{Status: 409, Type: schema.Uniqueness, Detail: "the name belonged to a " + t.Name + " that was deleted for ever"}
	}
	return nil
}
