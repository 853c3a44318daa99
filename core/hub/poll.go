package hub

import (
	"context"
	"strings"
	"time"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

// How often a source that tells what changed, and not by itself, is asked when its
// configuration does not say. A directory is near, a service often counts its calls.
const (
	pollDirectory = 10 * time.Second
	pollService   = time.Minute
)

func pollEvery(s *config.Source) time.Duration {
	switch {
	case s.Poll > 0:
		return s.Poll
	case s.SCIM != nil:
		return pollService
	}
	return pollDirectory
}

// told is what a source told of one record: its hash, or that it is gone.
type told struct {
	hash identity.Hash
	gone bool
}

// poll asks a source again and again what changed since token, and calls changed when
// there is more than the last answer had: sources by timestamp tell a while twice. It
// takes nothing over. It ends with ctx, or with what the source failed with.
func (h *Hub) poll(ctx context.Context, s *config.Source, f source.Incremental, token []byte, changed func()) error {
	var before map[identity.Key]told
	for ctx.Err() == nil {
		now, next, err := h.ask(ctx, s, f, token)
		if err != nil {
			return err
		}
		for key, what := range now {
			if was, ok := before[key]; !ok || was != what {
				changed()
				break
			}
		}
		before, token = now, next
		wait(ctx, pollEvery(s))
	}
	return ctx.Err()
}

// ask returns what is told of whom, and where the next question goes on. Of entries
// that are no part of the source, a directory says no more than that they are gone: what
// was never known is left out.
func (h *Hub) ask(ctx context.Context, s *config.Source, f source.Incremental, token []byte) (map[identity.Key]told, []byte, error) {
	now := map[identity.Key]told{}
	nameless := map[identity.Kind][]string{}
	report, err := f.Changes(ctx, token, func(rec *source.Record) error {
		switch {
		case rec.Deleted && rec.Anchor == "":
			nameless[rec.Kind] = append(nameless[rec.Kind], strings.Clone(rec.ID))
		case rec.Anchor != "":
			now[identity.Key{Source: s.Name, Kind: rec.Kind, Anchor: strings.Clone(rec.Anchor)}] = told{rec.Hash, rec.Deleted}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	for kind, ids := range nameless {
		anchors, err := h.org.AnchorsOf(ctx, s.Name, kind, ids)
		if err != nil {
			return nil, nil, err
		}
		for _, a := range anchors {
			if a != "" {
				now[identity.Key{Source: s.Name, Kind: kind, Anchor: a}] = told{gone: true}
			}
		}
	}
	return now, report.Token, h.dropStrangers(ctx, s, now)
}

// dropStrangers takes out those who are told to be gone and are not known to be there.
func (h *Hub) dropStrangers(ctx context.Context, s *config.Source, now map[identity.Key]told) error {
	for _, kind := range []identity.Kind{identity.Person, identity.Group} {
		var gone []string
		for key, what := range now {
			if what.gone && key.Kind == kind {
				gone = append(gone, key.Anchor)
			}
		}
		known, err := h.org.Identities(ctx, s.Name, kind, gone)
		if err != nil {
			return err
		}
		for _, a := range gone {
			if id, ok := known[a]; !ok || !id.AbsentSince.IsZero() {
				delete(now, identity.Key{Source: s.Name, Kind: kind, Anchor: a})
			}
		}
	}
	return nil
}
