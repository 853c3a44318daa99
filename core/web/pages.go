package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/provhub/provhub/core/signin"
)

//go:embed templates/*.html
var templates embed.FS

// pages are the templates by name, each with the frame around it.
type pages map[string]*template.Template

// parsePages reads all templates: a fault in one is found at start.
func parsePages() (pages, error) {
	names, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		return nil, err
	}
	shared := []string{"templates/frame.html", "templates/parts.html"}
	out := pages{}
	for _, file := range names {
		if file == shared[0] || file == shared[1] {
			continue
		}
		name := strings.TrimSuffix(path.Base(file), ".html")
		t, err := template.New("frame.html").Funcs(funcs).ParseFS(templates, append(shared, file)...)
		if err != nil {
			return nil, fmt.Errorf("page %s: %w", name, err)
		}
		out[name] = t
	}
	return out, nil
}

// frame is what every page has, with what is its own in Page.
type frame struct {
	Title string
	Org   string
	// Who is signed in; the zero Who on the sign-in page.
	Who signin.Who
	Nav []link
	// Note says what became of the press before.
	Note string
	// Hindered says why not everything can be written to the database; "": it can.
	Hindered string
	Page     any
}

// link is one entry of the navigation.
type link struct {
	Path, Text string
	Here       bool
}

// problem is the page that says what went wrong.
type problem struct {
	What, Do string
	// Back is the page that a button was pressed on; "": none was.
	Back string
}

var navigation = []struct {
	path, text string
	right      signin.Right
}{
	{"/", "Overview", signin.See},
	{"/queue", "Queue", signin.See},
	{"/people", "People", signin.People},
	{"/plans", "Plans", signin.See},
	{"/findings", "Findings", signin.See},
	{"/alerts", "Alerts", signin.See},
	{"/runs", "Runs", signin.See},
	{"/nodes", "Nodes", signin.See},
	{"/users", "Users", signin.Audit},
	{"/audit", "Audit", signin.Audit},
}

// show writes a page. v.who is the zero Who where nobody is signed in.
func (s *site) show(v *visit, status int, name, title string, page any) {
	f := frame{Title: title, Org: s.hub.State().ID(), Who: v.who, Note: s.jar.take(v.w, v.Request, noteCookie), Page: page}
	for _, n := range navigation {
		if v.who.Role.May(n.right) {
			f.Nav = append(f.Nav, link{n.path, n.text, n.path == "/"+strings.Split(v.URL.Path, "/")[1]})
		}
	}
	if v.who.Role != "" {
		f.Hindered = s.hub.State().Unwritable()
	}
	var b bytes.Buffer // whole before a byte goes out: an error must not end in half a page
	if err := s.pages[name].Execute(&b, f); err != nil {
		s.log.Error("a page cannot be shown", "page", name, "error", err)
		http.Error(v.w, "This page cannot be shown; the log of the hub says why.", http.StatusInternalServerError)
		return
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = b.WriteTo(v.w) // the browser has gone away
}

// page is show for what went well.
func (s *site) page(v *visit, name, title string, page any) error {
	s.show(v, http.StatusOK, name, title, page)
	return nil
}

// done sends the browser to the page that shows what became of a press.
func (s *site) done(v *visit, to, note string) error {
	s.jar.set(v.w, noteCookie, note, flowLasts)
	http.Redirect(v.w, v.Request, to, http.StatusSeeOther)
	return nil
}

// reason returns the reason that a form was sent with.
func reason(v *visit) (string, error) {
	text := strings.TrimSpace(v.PostFormValue("reason"))
	switch {
	case text == "":
		return "", &inputError{"A reason is needed: the audit trail keeps it."}
	case len(text) > 1000:
		return "", &inputError{"The reason is too long; 1000 characters are enough."}
	}
	return text, nil
}
