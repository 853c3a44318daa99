package hub

import (
	"context"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/store"
)

// HoldResult is what putting somebody under a legal hold came to.
type HoldResult struct {
	Person Person `json:"person"`
	store.Held
}

// LegalHold puts the person that text names under a legal hold: until [Hub.EndLegalHold] their
// accounts are disabled as ever, and none is deleted. The reason is required.
func (h *Hub) LegalHold(ctx context.Context, text, reason string) (HoldResult, error) {
	return h.setHold(ctx, text, reason, &identity.Hold{By: h.opt.Actor, Reason: reason, Since: h.now()})
}

// EndLegalHold ends a legal hold. What is overdue by then is planned by the next run, under
// the same guards as ever.
func (h *Hub) EndLegalHold(ctx context.Context, text, reason string) (Person, error) {
	r, err := h.setHold(ctx, text, reason, nil)
	return r.Person, err
}

func (h *Hub) setHold(ctx context.Context, text, reason string, hold *identity.Hold) (out HoldResult, err error) {
	if reason == "" {
		return out, &UsageError{"a reason is needed, such as the number of the case: the audit trail keeps it"}
	}
	if out.Person, err = h.Person(ctx, text); err != nil {
		return out, err
	}
	if out.Person.Kind != identity.Person {
		return out, &UsageError{"a legal hold is for people; " + text + " is a " + string(out.Person.Kind)}
	}
	out.Person.Hold = hold
	out.Held, err = h.org.SetHold(ctx, out.Person.Key, hold, h.opt.Actor, reason, h.now())
	return out, err
}

// LegalHolds returns everybody who is under a legal hold.
func (h *Hub) LegalHolds(ctx context.Context) ([]Person, error) {
	found, err := h.org.Holds(ctx)
	out := make([]Person, len(found))
	for i := range found {
		out[i] = personOf(found[i])
	}
	return out, err
}
