package web

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/provhub/provhub/core/store"
)

// exportPage is how many findings are read at once for an export.
const exportPage = 1000

// exporter writes findings in one format.
type exporter interface {
	write(store.FindingRow) error
	end() error
}

// exportFindings sends all findings that the choice in the address selects, as a file.
// Whoever takes people's data out is in the audit trail.
func (s *site) exportFindings(v *visit) error {
	f, err := findingFilterOf(v)
	if err != nil {
		return err
	}
	format := v.FormValue("format")
	if format != "csv" && format != "json" {
		return &inputError{"There are two formats, csv and json."}
	}
	of := f.store()
	of.Limit = exportPage
	page, err := v.hub.State().FindingPage(v.Context(), of) // before anything goes out
	if err != nil {
		return err
	}
	if err := v.audit("findings.export", f.Connector, map[string]any{"format": format, "situation": f.Situation, "reaction": f.Reaction, "state": f.State}, s.now()); err != nil {
		return err
	}
	name := strings.Join(append([]string{"findings"}, words(f.Connector, f.Situation, f.State, s.now().UTC().Format("20060102T150405Z"))...), "-")
	h := v.w.Header()
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", safeName(name)+"."+format))
	var out exporter
	if format == "csv" {
		h.Set("Content-Type", "text/csv; charset=utf-8")
		out = newCSVExport(v.w)
	} else {
		h.Set("Content-Type", "application/json")
		out = &jsonExport{w: v.w}
	}
	if err := s.sendFindings(v, of, page, out); err != nil {
		s.log.Error("an export broke off", "error", err)
		panic(http.ErrAbortHandler) // the browser must not take half a file for all of it
	}
	return nil
}

// sendFindings writes one page after the other, for as long as somebody reads.
func (s *site) sendFindings(v *visit, of store.FindingFilter, page store.FindingPage, out exporter) error {
	control := http.NewResponseController(v.w)
	for {
		_ = control.SetWriteDeadline(time.Now().Add(transferMax)) // of a page, not of all of them
		for _, r := range page.Findings {
			if err := out.write(r); err != nil {
				return err
			}
		}
		if of.After = page.Next; of.After == "" {
			return out.end()
		}
		var err error
		if page, err = v.hub.State().FindingPage(v.whole, of); err != nil {
			return err
		}
	}
}

// words leaves out what is empty.
func words(all ...string) (out []string) {
	for _, w := range all {
		if w != "" {
			out = append(out, w)
		}
	}
	return out
}

// safeName has in it what any disk takes as the name of a file.
func safeName(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, text)
}

// csvExport writes a table with a header.
type csvExport struct{ *csv.Writer }

func newCSVExport(w io.Writer) csvExport {
	c := csvExport{csv.NewWriter(w)}
	_ = c.Write([]string{"connector", "situation", "kind", "source", "person", "account", "target_id", "what", "reaction", "first_seen", "last_seen", "resolved_at"}) // told by end
	return c
}

func (c csvExport) write(r store.FindingRow) error {
	over := ""
	if !r.ResolvedAt.IsZero() {
		over = iso(r.ResolvedAt)
	}
	row := []string{r.Connector, r.Situation, string(r.Kind), r.Source, r.Anchor, r.Object, r.TargetID, r.Text, r.Reaction, iso(r.FirstSeen), iso(r.LastSeen), over}
	for i := range row {
		row[i] = cell(row[i])
	}
	return c.Write(row)
}

func (c csvExport) end() error {
	c.Flush()
	return c.Error()
}

// cell keeps a spreadsheet from taking text for a formula: what begins like one gets an
// apostrophe, which spreadsheets do not show.
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// jsonExport writes one array, as `provhub reconcile list --output json` does.
type jsonExport struct {
	w     io.Writer
	begun bool
}

func (j *jsonExport) write(r store.FindingRow) error {
	before := ",\n"
	if !j.begun {
		before, j.begun = "[\n", true
	}
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = j.w.Write(append([]byte(before), b...))
	return err
}

func (j *jsonExport) end() error {
	text := "\n]\n"
	if !j.begun {
		text = "[]\n"
	}
	_, err := io.WriteString(j.w, text)
	return err
}
