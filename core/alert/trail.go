package alert

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/provhub/provhub/core/store"
)

const (
	// trailStep bounds how many entries of the audit trail are verified at a time, and
	// trailAgain how often it is begun anew: who changes an old entry is found by then.
	trailStep  = 10_000
	trailAgain = 24 * time.Hour
)

// trail verifies the audit trail a bit at a time: what is new at once, what is old once a
// day.
type trail struct {
	at    store.AuditMark
	begun time.Time
	// whole: its end was reached once. Until then, what another node found is believed.
	whole  bool
	broken *store.TamperedError // nil: it is intact, as far as is known
	since  time.Time
}

// look verifies the next bit. What is broken stays so until the very same bit is intact
// again: nobody is to make it good by waiting.
func (t *trail) look(ctx context.Context, o *store.Org, now time.Time) error {
	if t.whole && t.broken == nil && now.Sub(t.begun) >= trailAgain {
		t.at, t.begun = store.AuditMark{}, now
	}
	if t.begun.IsZero() {
		t.begun = now
	}
	at, end, err := o.AuditVerifyFrom(ctx, t.at, trailStep)
	var broken *store.TamperedError
	switch {
	case errors.As(err, &broken):
		if t.broken == nil {
			t.since = now
		}
		t.broken = broken
		return nil
	case err != nil:
		return err
	}
	t.at, t.broken, t.whole = at, nil, t.whole || end
	return nil
}

// finding says whether the trail is broken; had are the alerts there are.
func (t *trail) finding(had []store.Alert) []Finding {
	f := Finding{Condition: AuditBroken, Subject: "audit", Severity: Critical, Page: "/audit", Since: t.since,
		Do: "Run `provhub audit verify`, keep a copy of the database as it is, and find out who can write to it; after a restore of an older backup, start provhub anew."}
	switch {
	case t.broken != nil:
		f.Summary = fmt.Sprintf("The audit trail is not as it was written: entry %d: %s.", t.broken.Seq, t.broken.What)
		return []Finding{f}
	case t.whole:
		return nil
	}
	for _, a := range had {
		if a.Condition == string(AuditBroken) {
			f.Summary, f.Since = a.Summary, a.Since
			return []Finding{f}
		}
	}
	return nil
}
