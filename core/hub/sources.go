package hub

import (
	"context"
	"fmt"
	"slices"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/source/joined"
)

// reader makes the reader of a source, joined with the sources that own some of
// its attributes. It does no I/O.
func (h *Hub) reader(s *config.Source) (source.Reader, error) {
	return readerOf(h.cfg, s, func(p *joined.Part) {
		name := p.Source
		p.State = func(ctx context.Context) (string, error) {
			g, err := h.org.SourceGeneration(ctx, name)
			if g == 0 || err != nil {
				return "", err
			}
			return fmt.Sprint(g), nil
		}
		p.All = func(ctx context.Context, yield func(identity.Identity) error) error {
			return h.org.All(ctx, name, func(id identity.Identity) error {
				if id.Kind != identity.Person || !id.AbsentSince.IsZero() {
					return nil
				}
				return yield(id)
			})
		}
	})
}

// readerOf makes the reader of a source; known says where what is known of a joined
// one comes from.
func readerOf(cfg *config.Config, s *config.Source, known func(*joined.Part)) (source.Reader, error) {
	first, err := openSource(s)
	if err != nil || len(s.With) == 0 {
		return first, err
	}
	parts := make([]joined.Part, len(s.With))
	for i, w := range s.With {
		other := cfg.Source(w.Source)
		reader, err := openSource(other)
		if err != nil {
			return nil, err
		}
		parts[i] = joined.Part{Source: w.Source}
		for _, k := range w.Keys {
			parts[i].Keys = append(parts[i].Keys, joined.Key(k))
		}
		for _, f := range reader.Fields() {
			if slices.Contains(w.Take, f.Name) {
				parts[i].Take = append(parts[i].Take, f)
			}
		}
		known(&parts[i])
	}
	return joined.New(first, parts), nil
}
