package web

import (
	"bytes"
	"context"
	"strings"

	"github.com/provhub/provhub/core/hub"
	"github.com/provhub/provhub/core/store"
)

// press is a button that does something to failed operations: to one, or to all of a
// cause.
type press struct {
	do func(*hub.Hub, context.Context, hub.Selection, string) (hub.Mended, error)
	// done says what they are then: "it is …".
	done string
	// why: a reason is required.
	why bool
}

// The buttons.
var (
	retry    = press{(*hub.Hub).Retry, "tried again now", false}
	skip     = press{(*hub.Hub).Skip, "never sent", true}
	handOver = press{(*hub.Hub).HandOver, "with the operators now", true}
	takeBack = press{(*hub.Hub).TakeBack, "taken back from the operators", false}
)

func (p press) on(v *visit, what hub.Selection) (hub.Mended, error) {
	why := strings.TrimSpace(v.PostFormValue("reason"))
	if p.why {
		var err error
		if why, err = reason(v); err != nil {
			return hub.Mended{}, err
		}
	}
	return p.do(v.hub, v.Context(), what, why)
}

// one presses it for the operation in the address, and shows how that stands then: its
// page, or the row of the list that the button stood in.
func (p press) one(s *site, v *visit) error {
	id := v.PathValue("id")
	m, err := p.on(v, hub.Selection{IDs: []string{id}})
	if err != nil {
		return err
	}
	if m.Done == 0 && len(m.Why) > 0 {
		return &refusedError{m.Why[0].Why}
	}
	if v.Header.Get("HX-Target") == "row-"+id {
		return s.row(v, id, sentence("it is "+p.done)+standingText(m))
	}
	return s.done(v, "/operations/"+id, sentence("it is "+p.done)+standingText(m))
}

// all presses it for all operations of the cause in the address.
func (p press) all(s *site, v *visit) error {
	m, err := p.on(v, hub.Selection{Filter: &store.OpFilter{Cause: v.PathValue("cause")}})
	if err != nil {
		return err
	}
	note := plural(m.Done, "operation is ", "operations are ") + p.done + "."
	if m.Refused > 0 {
		note += " " + count(m.Refused) + " could not be changed: " + sentence(m.Why[0].Why)
	}
	return s.done(v, "/queue", note+standingText(m))
}

// refusedError: the operation is not as the page had shown it.
type refusedError struct{ why string }

func (e *refusedError) Error() string { return e.why }

// Is makes it one of the store's refusals.
func (e *refusedError) Is(t error) bool { return t == store.ErrState }

// row writes the row of one operation of which a button was pressed, for htmx: it keeps
// the focus, and said is told to screen readers.
func (s *site) row(v *visit, id, said string) error {
	op, _, err := v.hub.State().Operation(v.Context(), id)
	if err != nil {
		return err
	}
	row := s.view(v, op)
	row.Pressed = true
	var b bytes.Buffer
	if err := s.pages["list"].ExecuteTemplate(&b, "pressed", pair(row, said)); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = b.WriteTo(v.w) // the browser has gone away
	return nil
}

// standingText warns of connectors that stand still.
func standingText(m hub.Mended) string {
	var text string
	for name, why := range m.Standing {
		text += " " + sentence(name+" stands still, "+why, name)
	}
	return text
}

// adopt takes over the account that is in the way of a create.
func (s *site) adopt(v *visit) error {
	why, err := reason(v)
	if err != nil {
		return err
	}
	id := v.PathValue("id")
	if err := v.hub.Adopt(v.Context(), id, why); err != nil {
		return err
	}
	return s.done(v, "/operations/"+id, "The account is taken over.")
}
