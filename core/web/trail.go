package web

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/provhub/provhub/core/store"
)

// runsPage lists what was scheduled or asked for.
type runsPage struct {
	Now   time.Time
	Kind  string // only these; "": all
	Kinds []string
	Runs  []store.Run
	Older string
}

// runKinds are the kinds of runs that can be chosen.
var runKinds = []string{"cycle", "reconcile", "retention"}

func (s *site) showRuns(v *visit) error {
	before, err := momentOf(v.FormValue("before"))
	if err != nil {
		return err
	}
	p := runsPage{Now: s.now(), Kind: v.FormValue("kind"), Kinds: runKinds}
	if p.Runs, err = v.hub.State().Runs(v.Context(), store.RunFilter{Kind: p.Kind, Before: before, Limit: rowsShown + 1}); err != nil {
		return err
	}
	if len(p.Runs) > rowsShown {
		p.Runs = p.Runs[:rowsShown]
		p.Older = moment(p.Runs[rowsShown-1].StartedAt)
	}
	return s.page(v, "runs", "Runs", p)
}

// auditPage lists the audit trail, the newest first.
type auditPage struct {
	Now     time.Time
	Filter  store.AuditFilter
	About   string // the object in the address of the page
	Entries []store.AuditEntry
	Older   string
}

func (s *site) showAudit(v *visit) error {
	before, err := cursorOf(v.FormValue("before"))
	if err != nil {
		return err
	}
	object, err := base64.RawURLEncoding.DecodeString(v.FormValue("about"))
	if err != nil {
		return errAddress
	}
	p := auditPage{Now: s.now(), About: v.FormValue("about"), Filter: store.AuditFilter{Object: string(object), Limit: rowsShown + 1}}
	if p.Entries, err = v.hub.State().AuditNewest(v.Context(), p.Filter, before); err != nil {
		return err
	}
	if len(p.Entries) > rowsShown {
		p.Entries = p.Entries[:rowsShown]
		p.Older = strconv.FormatInt(p.Entries[rowsShown-1].Seq, 10)
	}
	return s.page(v, "audit", "Audit trail", p)
}

// searchAudit shows the entries about one object. It is a POST because objects are
// accounts of people, whose anchors do not belong into addresses of pages.
func (s *site) searchAudit(v *visit) error {
	about := base64.RawURLEncoding.EncodeToString([]byte(strings.TrimSpace(v.PostFormValue("object"))))
	http.Redirect(v.w, v.Request, "/audit?about="+about, http.StatusSeeOther)
	return nil
}

// prettyJSON writes an audit entry's detail so that it can be read.
func prettyJSON(raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "{}" || string(raw) == "null" {
		return ""
	}
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return string(raw)
	}
	return b.String()
}
