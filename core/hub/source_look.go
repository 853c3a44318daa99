package hub

import (
	"context"
	"errors"
	"time"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/cycle"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/quality"
	"github.com/provhub/provhub/core/store"
)

// SourceView is what is known of a source.
type SourceView struct {
	Name string `json:"name"`
	Type string `json:"type"`
	// ReadAt is when it was last read; zero: never.
	ReadAt time.Time `json:"read_at,omitzero"`
	// Dated is the date that the source gave itself.
	Dated    time.Time `json:"dated,omitzero"`
	People   int       `json:"people"`
	Groups   int       `json:"groups"`
	Snapshot string    `json:"snapshot,omitempty"`
	// Faults are the bad records of the last reading.
	Faults   int               `json:"faults"`
	Findings []quality.Finding `json:"findings,omitempty"`
	// Refused is a later reading that waits for a person; nil: there is none.
	Refused *cycle.Refused `json:"refused,omitempty"`
	// Failed says why the last run about it failed, if that was after ReadAt; "": none did.
	Failed string `json:"failed,omitempty"`
	// Schedule says in words of the config when it is read, Next when that is the next time
	// where a node serves; a person may ask for it, and the source may tell of a change, before.
	Schedule string    `json:"schedule"`
	Next     time.Time `json:"next,omitzero"`
	// NextWhole is when it is read whole the next time; zero: every time.
	NextWhole time.Time `json:"next_whole,omitzero"`
}

// Sources returns what is known of the sources. It reads none of them.
func (h *Hub) Sources(ctx context.Context) ([]SourceView, error) {
	out := make([]SourceView, len(h.cfg.Sources))
	for i := range h.cfg.Sources {
		s := &h.cfg.Sources[i]
		state, err := h.org.SourceState(ctx, s.Name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		r, err := cycle.ReportOf(state)
		if err != nil {
			return nil, err
		}
		out[i] = SourceView{
			Name: s.Name, Type: s.Type, ReadAt: state.ReadAt, Dated: state.Dated, People: state.People, Groups: state.Groups, Snapshot: state.Snapshot,
			Faults: r.Source.FaultCount + r.FaultCount, Findings: r.Findings, Refused: r.Refused, NextWhole: r.NextWhole(s),
			Schedule: s.Schedule.String(), Next: s.Schedule.Coming(AskCycle+"/"+s.Name, h.now()),
		}
		run, err := h.org.LastRun(ctx, AskCycle, s.Name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if run.Outcome == store.RunFailed && run.EndedAt.After(state.ReadAt) {
			out[i].Failed = run.Summary
		}
	}
	return out, nil
}

// SourceNames returns the sources that name means: that one, or all for "".
func (h *Hub) SourceNames(name string) ([]string, error) {
	sources, err := h.sources(name)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(sources))
	for i, s := range sources {
		names[i] = s.Name
	}
	return names, nil
}

// Look reads the named source and takes nothing over. The verdicts are those that
// would hold it.
func (h *Hub) Look(ctx context.Context, name string, l cycle.Look) (cycle.Report, []plan.Verdict, error) {
	s, err := h.oneSource(name)
	if err != nil {
		return cycle.Report{}, nil, err
	}
	reader, err := h.reader(s)
	if err != nil {
		return cycle.Report{}, nil, err
	}
	defer closeReader(reader)
	c := &cycle.Cycle{Store: h.org, Source: *s, Reader: reader, Progress: func(p cycle.Progress) {
		h.opt.Progress(Progress{What: phases[p.Phase] + " " + s.Name, Done: p.Done})
	}}
	report, verdicts, err := c.Look(ctx, h.now(), l)
	h.opt.Progress(Progress{What: "reading " + s.Name, Done: 1, Total: 1})
	return report, verdicts, err
}

func (h *Hub) oneSource(name string) (*config.Source, error) {
	sources, err := h.sources(name)
	if err != nil {
		return nil, err
	}
	if len(sources) > 1 {
		return nil, &UsageError{"there are several sources, name the one that is meant"}
	}
	return sources[0], nil
}
