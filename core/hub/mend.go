package hub

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/provhub/provhub/core/store"
)

// Selection names operations to do something to: some by their whole ids, or all
// that Filter finds.
type Selection struct {
	IDs    []string
	Filter *store.OpFilter
}

// Mended says what became of a press.
type Mended struct {
	// Done operations were changed; IDs are the first idsShown of them.
	Done int      `json:"done"`
	IDs  []string `json:"ids,omitempty"`
	// Refused operations could not be changed; Why says so of the first of them.
	Refused int             `json:"refused,omitempty"`
	Why     []store.Refused `json:"why,omitempty"`
	// Standing are connectors that stand still, and why: what was put back waits there.
	Standing map[string]string `json:"standing,omitempty"`
}

// What of a press is told one by one.
const (
	idsShown     = 1000
	refusedShown = 20
	// mendAtOnce bounds a transaction, so that neither workers nor other people wait
	// for a press that concerns thousands.
	mendAtOnce = 250
)

// Retry has operations tried again at once; all that a person does here is done in
// the name of [Hub.Actor], and the answer says what was not possible and why.
func (h *Hub) Retry(ctx context.Context, s Selection, why string) (Mended, error) {
	m, err := h.mend(ctx, s, store.RetryFrom, "operations.retry", why, h.org.RetryOperations)
	if err != nil || m.Done == 0 {
		return m, err
	}
	m.Standing, err = h.standing(ctx, m.IDs)
	return m, err
}

// Skip ends operations without doing them. why is required.
func (h *Hub) Skip(ctx context.Context, s Selection, why string) (Mended, error) {
	if why == "" {
		return Mended{}, &UsageError{"a reason is needed: the audit trail keeps it"}
	}
	return h.mend(ctx, s, store.SkipFrom, "operations.skip", why, h.org.SkipOperations)
}

// HandOver gives operations to the operators of the hub, with a note that says what
// for; it is required.
func (h *Hub) HandOver(ctx context.Context, s Selection, note string) (Mended, error) {
	if note == "" {
		return Mended{}, &UsageError{"a note is needed: it tells the operators what to look at"}
	}
	if s.Filter != nil && s.Filter.With == "" {
		s.Filter.With = store.WithHelpdesk
	}
	return h.mend(ctx, s, store.HandFrom, "operations.handover", note, h.org.HandOver)
}

// TakeBack ends [Hub.HandOver].
func (h *Hub) TakeBack(ctx context.Context, s Selection, why string) (Mended, error) {
	if s.Filter != nil {
		s.Filter.With = store.WithOps
	}
	return h.mend(ctx, s, store.HandFrom, "operations.takeback", why, h.org.TakeBack)
}

// Adopt turns a parked create into taking over the account that is in its way. id
// may be the beginning of one.
func (h *Hub) Adopt(ctx context.Context, id, why string) error {
	if why == "" {
		return &UsageError{"a reason is needed: how do you know that it is the same person's account?"}
	}
	return h.org.AdoptOperation(ctx, id, store.Press{By: h.opt.Actor, Why: why, Now: h.now()})
}

type mendFunc = func(context.Context, []string, store.Press) (store.Mended, error)

// mend does one thing to all that s names, some at a time. A press that concerns
// more than one operation has an entry of its own in the audit trail.
func (h *Hub) mend(ctx context.Context, s Selection, from []store.OpState, action, why string, do mendFunc) (out Mended, err error) {
	press := store.Press{By: h.opt.Actor, Why: why, Now: h.now()}
	each := func(ids []string) error {
		m, err := do(ctx, ids, press)
		if err == nil {
			out.add(m)
		}
		return err
	}
	if s.Filter == nil {
		for ids := range slices.Chunk(s.IDs, mendAtOnce) {
			if err = each(ids); err != nil {
				break
			}
		}
	} else {
		err = h.eachMatch(ctx, *s.Filter, from, each)
	}
	if out.Done < 2 && s.Filter == nil {
		return out, err
	}
	// Also of a press that was cut short: what it did is done.
	if aerr := h.auditPress(context.WithoutCancel(ctx), s, action, press, out); err == nil {
		err = aerr
	}
	return out, err
}

// eachMatch calls do with the ids that f finds in one of the states, some at a time.
// Each is met once, also when do takes it out of what f finds.
func (h *Hub) eachMatch(ctx context.Context, f store.OpFilter, from []store.OpState, do func([]string) error) error {
	f.States = slices.DeleteFunc(slices.Clone(from), func(s store.OpState) bool { return len(f.States) > 0 && !slices.Contains(f.States, s) })
	if len(f.States) == 0 {
		return &UsageError{fmt.Sprintf("this can be done to operations that are %v only", from)}
	}
	f.Newest, f.Before, f.Limit = false, 0, mendAtOnce
	for {
		p, err := h.org.OperationPage(ctx, f)
		if err != nil {
			return err
		}
		ids := make([]string, len(p.Operations))
		for i, op := range p.Operations {
			ids[i] = op.ID
		}
		if len(ids) > 0 {
			if err := do(ids); err != nil {
				return err
			}
		}
		if f.After = p.Next; p.Next == 0 {
			return nil
		}
	}
}

func (m *Mended) add(one store.Mended) {
	m.Done += len(one.Done)
	m.IDs = append(m.IDs, one.Done[:min(len(one.Done), idsShown-len(m.IDs))]...)
	m.Refused += len(one.Refused)
	m.Why = append(m.Why, one.Refused[:min(len(one.Refused), refusedShown-len(m.Why))]...)
}

// auditPress records a press on many operations: how many, and what they had in common.
func (h *Hub) auditPress(ctx context.Context, s Selection, action string, p store.Press, m Mended) error {
	detail := map[string]any{"done": m.Done, "refused": m.Refused, "why": p.Why}
	object := "queue"
	if f := s.Filter; f != nil {
		for name, v := range map[string]string{"connector": f.Connector, "code": f.Code, "cause": f.Cause, "plan": f.Plan, "person": f.Anchor, "with": f.With} {
			if v != "" {
				detail[name] = v
			}
		}
		if f.Cause != "" {
			object = f.Cause
		}
	}
	raw, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	return h.org.AuditRecord(ctx, store.AuditEntry{At: p.Now, Actor: p.By, Action: action, Object: object, Detail: raw})
}

// standing returns why the connectors of these operations stand still.
func (h *Hub) standing(ctx context.Context, ids []string) (map[string]string, error) {
	names, err := h.org.ConnectorsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out map[string]string
	for _, name := range names {
		state, err := h.org.ConnectorState(ctx, name)
		if err != nil {
			return nil, err
		}
		if why := cmp.Or(state.Stopped, state.Held(), state.Pause(), state.Unusable, h.maintenanceWhy(name)); why != "" {
			if out == nil {
				out = map[string]string{}
			}
			out[name] = why
		}
	}
	return out, nil
}
