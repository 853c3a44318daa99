package hub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/cycle"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
	"github.com/provhub/provhub/core/store"
)

// PushRequest is news of one person that does not wait for the schedule: a record,
// or word that there is one to be read.
type PushRequest struct {
	// Source is the name of the source it belongs to; "": the only one.
	Source string `json:"source,omitempty"`
	// Record is the raw record, in the form in which the source tells it: for a CSV
	// file the header's names and the cells.
	Record map[string]any `json:"record,omitempty"`
	// Anchor names the person to be read from the source again, in place of Record.
	Anchor string `json:"anchor,omitempty"`
}

// ErrPushRequest says that a push is not what it should be, or not about anybody.
var ErrPushRequest = errors.New("cannot be pushed")

// Push takes over one person's record and carries out what follows for this person
// alone: what else is planned, held or waiting stays as it is. [ErrPushRequest]
// when the request is at fault; [store.ErrBusy] while another run is at work. A node
// that serves does it in its place.
func (h *Hub) Push(ctx context.Context, r PushRequest, d DrainOptions) (out SyncResult, err error) {
	ctx, sp := h.run(ctx, "push", aboutSource, r.Source)
	defer func() { sp.End(err) }()
	s, err := h.pushedTo(r)
	if err != nil {
		return out, err
	}
	release, err := h.org.Work(ctx, "provhub source push")
	if h.besideNode(ctx, err) {
		return h.pushBeside(ctx, s, r, d)
	}
	if err != nil {
		return out, err
	}
	defer release()
	if _, _, err := h.org.Recover(ctx, h.Node(), h.now()); err != nil {
		return out, err
	}
	planned, err := h.planPush(ctx, s, r, 0)
	if err != nil {
		return out, err
	}
	plans := []Planned{planned}
	err = h.applyAll(ctx, plans)
	out.Plans = plans
	if err != nil || plans[0].Status != store.PlanApplied || len(planned.Plan.Operations) == 0 {
		return out, err
	}
	d.only = map[string]bool{}
	for _, op := range planned.Plan.Operations {
		d.only[op.Connector] = true
	}
	out.Drained, err = h.drain(ctx, d)
	return out, err
}

// planPush takes the record over and plans for this person.
func (h *Hub) planPush(ctx context.Context, s *config.Source, r PushRequest, patience time.Duration) (Planned, error) {
	reader, err := h.reader(s)
	if err != nil {
		return Planned{}, err
	}
	defer closeReader(reader)
	p := &cycle.Push{Read: func(ctx context.Context, yield func(*source.Record) error) error {
		return readPushed(ctx, reader, r, yield)
	}}
	if r.Record != nil {
		p.At = h.now()
	}
	return h.planOne(ctx, s, PlanOptions{push: p, patience: patience})
}

// pushedTo returns the source that a push is for.
func (h *Hub) pushedTo(r PushRequest) (*config.Source, error) {
	if (r.Record == nil) == (r.Anchor == "") {
		return nil, fmt.Errorf("%w: give either a record or the anchor of a person to be read again", ErrPushRequest)
	}
	sources, err := h.sources(r.Source)
	if err != nil {
		return nil, err
	}
	if len(sources) > 1 {
		return nil, fmt.Errorf("%w: there are several sources, name the one it is for", ErrPushRequest)
	}
	return sources[0], nil
}

// readPushed yields the one record that a push is about.
func readPushed(ctx context.Context, reader source.Reader, r PushRequest, yield func(*source.Record) error) error {
	found := false
	one := func(rec *source.Record) error {
		if rec.Fault != nil {
			return fmt.Errorf("%w: %s", ErrPushRequest, rec.Fault.Reason)
		}
		if found {
			return fmt.Errorf("%w: %s is in the source more than once", ErrPushRequest, rec.Anchor)
		}
		found = true
		return yield(rec)
	}
	if r.Record != nil {
		d, ok := reader.(source.Decoder)
		if !ok {
			return fmt.Errorf("%w: this source takes no records from elsewhere; give the anchor, and the person is read again", ErrPushRequest)
		}
		if err := d.Decode(ctx, r.Record, one); err != nil {
			return fmt.Errorf("%w: %w", ErrPushRequest, err)
		}
		return nil
	}
	err := readOne(ctx, reader, r.Anchor, one)
	if err == nil && !found {
		err = source.ErrNotThere
	}
	if errors.Is(err, source.ErrNotThere) {
		return fmt.Errorf("%w: there is nobody %q in the source", ErrPushRequest, r.Anchor)
	}
	return err
}

// readOne reads one person, by a walk through the whole source where it knows no
// shorter way.
func readOne(ctx context.Context, reader source.Reader, anchor string, yield func(*source.Record) error) error {
	if s, ok := reader.(source.Single); ok {
		err := s.ReadOne(ctx, identity.Person, anchor, yield)
		if !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	_, err := reader.Read(ctx, func(rec *source.Record) error {
		if rec.Kind != identity.Person || rec.Anchor != anchor {
			return nil
		}
		return yield(rec)
	})
	return err
}
