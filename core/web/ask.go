package web

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"github.com/provhub/provhub/core/store"
)

// Asker has something run as soon as possible, on whichever node; why says who asked.
type Asker func(ctx context.Context, kind, subject, why string) error

// readNow has a source read before its schedule says.
func (s *site) readNow(v *visit) error {
	name := v.PathValue("name")
	if v.hub.Config().Source(name) == nil {
		return store.ErrNotFound
	}
	return s.askFor(v, "cycle", name, "/sources/"+url.PathEscape(name), name+" is read as soon as possible; its run is listed below.")
}

// reconcileNow has a target compared with the ledger before its schedule says.
func (s *site) reconcileNow(v *visit) error {
	name := v.PathValue("name")
	if _, err := v.hub.Connector(name); err != nil {
		return store.ErrNotFound
	}
	return s.askFor(v, "reconcile", name, connectorPath(name), name+" is compared with what is known of it as soon as possible; the run is listed below.")
}

// askFor asks in the name of the visitor. That it was asked for is in the audit trail
// before it is.
func (s *site) askFor(v *visit, kind, subject, page, note string) error {
	if s.ask == nil {
		return &inputError{"Nothing here runs by itself: these pages are not those of a node that serves."}
	}
	if err := v.audit("run.ask", subject, map[string]any{"kind": kind}, s.now()); err != nil {
		return err
	}
	if err := s.ask(v.Context(), kind, subject, "asked for by "+v.hub.Actor()); err != nil {
		return err
	}
	return s.done(v, page, note)
}

// audit puts into the audit trail what the visitor does.
func (v *visit) audit(action, object string, detail map[string]any, now time.Time) error {
	raw, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	return v.hub.State().AuditRecord(v.Context(), store.AuditEntry{At: now, Actor: v.hub.Actor(), Action: action, Object: object, Detail: raw})
}
