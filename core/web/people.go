package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

// searchPage finds people.
type searchPage struct {
	Text  string
	Asked bool
	Found []hub.Person
	More  bool
}

// foundMax bounds what a search shows.
const foundMax = 50

func (s *site) showSearch(v *visit) error {
	return s.page(v, "people", "People", searchPage{})
}

// search is a POST although it changes nothing: names and addresses that people type
// do not belong into addresses of pages, which end up in logs and histories.
func (s *site) search(v *visit) error {
	p := searchPage{Text: strings.TrimSpace(v.PostFormValue("text")), Asked: true}
	found, err := v.hub.FindPeople(v.Context(), p.Text, foundMax+1)
	if err != nil {
		return err
	}
	if len(found) == 1 {
		http.Redirect(v.w, v.Request, personPath(found[0]), http.StatusSeeOther)
		return nil
	}
	p.Found, p.More = found[:min(len(found), foundMax)], len(found) > foundMax
	return s.page(v, "people", "People", p)
}

func personPath(p hub.Person) string { return "/people/" + personKey(p.Key) }

// personPage is one person or group.
type personPage struct {
	Now time.Time
	hub.Person
	Accounts []hub.AccountView
	// History is what was done for the accounts, the last planned first.
	History    []store.OpRow
	Next, Prev string // addresses of its pages
}

// person finds the one that the address of a page names.
func (v *visit) person() (hub.Person, error) {
	key, err := parseKey(v.PathValue("key"))
	if err != nil {
		return hub.Person{}, store.ErrNotFound
	}
	return v.hub.PersonAt(v.Context(), key)
}

func (s *site) showPerson(v *visit) error {
	p := personPage{Now: s.now()}
	var err error
	if p.Person, err = v.person(); err != nil {
		return err
	}
	if p.Accounts, err = v.hub.Accounts(v.Context(), p.Person, ""); err != nil {
		return err
	}
	h, err := history(v, p.Key)
	if err != nil {
		return err
	}
	p.History = h.Operations
	p.Next, p.Prev = turn(personPath(p.Person)+"#history", h)
	return s.page(v, "person", p.Anchor, p)
}

// explainPage says why one account of a person is as it is.
type explainPage struct {
	Now time.Time
	hub.Explanation
	One *hub.ConnectorExplanation
}

func (s *site) explain(v *visit) error {
	person, err := v.person()
	if err != nil {
		return err
	}
	e, err := v.hub.ExplainPerson(v.Context(), person, v.PathValue("connector"))
	if err != nil {
		return err
	}
	if len(e.Connectors) == 0 {
		return store.ErrNotFound
	}
	return s.page(v, "explain", person.Anchor+" in "+e.Connectors[0].Connector, explainPage{Now: s.now(), Explanation: e, One: &e.Connectors[0]})
}
