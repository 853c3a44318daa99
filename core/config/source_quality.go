package config

import (
	"fmt"

	"github.com/provhub/provhub/core/quality"
)

// quality reads what is suspicious about a reading of a source.
func (b *builder) quality(r *rawQuality, cols []string, path string) quality.Rules {
	out := quality.Rules{
		Lost: r.Lost.rule(), Emptied: r.Emptied.rule(), Swapped: r.Swapped.rule(), Exchanged: r.Exchanged.rule(),
		Circles: r.Circles, Managers: r.Managers, Bad: r.Bad.rule(),
	}
	for i, s := range r.Segments {
		b.known(s, fmt.Sprintf("%s.segments[%d]", path, i), "column", cols)
		out.Segments = append(out.Segments, s.value)
	}
	return out.WithDefaults()
}

func (r rawFinding) rule() quality.Rule { return quality.Rule(r) }
