package web

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/provhub/provhub/core/helpdesk"
	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// queueFilter is what is chosen above the queue.
type queueFilter struct {
	Connector, With, State, Code, Cause string
}

// filterOf reads the choice from the address of a page.
func filterOf(v *visit) (f queueFilter, err error) {
	f = queueFilter{v.FormValue("connector"), v.FormValue("with"), v.FormValue("state"), v.FormValue("code"), v.FormValue("cause")}
	if f.State != "" && !slices.Contains(finished, store.OpState(f.State)) && !slices.Contains(store.OpenStates, store.OpState(f.State)) {
		err = &inputError{"There is no such state."}
	}
	return f, err
}

// query writes the choice as the address of a page.
func (f queueFilter) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"connector": f.Connector, "with": f.With, "state": f.State, "code": f.Code, "cause": f.Cause} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// Link is the address of path with this choice.
func (f queueFilter) Link(path string) string {
	if q := f.query(); len(q) > 0 {
		return path + "?" + q.Encode()
	}
	return path
}

// choices are what can be chosen.
type choices struct{ Connectors, States []string }

func (s *site) choices(v *visit) (choices, error) {
	names, err := v.hub.State().ConnectorNames(v.Context())
	c := choices{Connectors: names}
	for _, st := range append(slices.Clone(store.OpenStates), finished...) {
		c.States = append(c.States, string(st))
	}
	return c, err
}

// causeView is one cause with what is said about it.
type causeView struct {
	store.Cause
	helpdesk.Text
	// List is the address of the list of its operations.
	List string
}

// CanDo reports whether something can be done to all operations of the cause.
func (c causeView) CanDo(a helpdesk.Action) bool { return canDo(c.Text, a) }

func canDo(t helpdesk.Text, a helpdesk.Action) bool {
	return slices.ContainsFunc(t.Can, func(s helpdesk.Step) bool { return s.Action == a })
}

// queuePage is what failed, by what it fails for.
type queuePage struct {
	Now    time.Time
	Filter queueFilter
	choices
	Causes []causeView
	More   int
	// MayMend and MaySkip: the visitor may retry and hand over; end without doing.
	MayMend, MaySkip bool
}

// causesShown bounds the causes on a page.
const causesShown = 50

func (s *site) showQueue(v *visit) error {
	f, err := filterOf(v)
	if err != nil {
		return err
	}
	p := queuePage{Now: s.now(), Filter: f, MayMend: v.may(signin.Mend), MaySkip: v.may(signin.MendMany)}
	if p.choices, err = s.choices(v); err != nil {
		return err
	}
	found, err := v.hub.Causes(v.Context(), store.CauseFilter{Connector: f.Connector, Code: f.Code, Key: f.Cause, With: f.With, Limit: causesShown})
	if err != nil {
		return err
	}
	p.More = found.More
	for _, c := range found.Causes {
		list := queueFilter{Cause: c.Key, With: f.With}
		if c.Key == "" { // a connector that stands still
			list.Connector = c.Connector
		}
		p.Causes = append(p.Causes, causeView{c, helpdesk.ExplainCause(c), list.Link("/queue/list")})
	}
	return s.page(v, "queue", "Queue", p)
}

// opView is one operation with what is said about it.
type opView struct {
	store.OpRow
	helpdesk.Text
	Now     time.Time
	MayMend bool
	Pressed bool // a button of its row was, just now
}

// CanDo reports whether something can be done to the operation now.
func (o opView) CanDo(a helpdesk.Action) bool { return canDo(o.Text, a) }

func (s *site) view(v *visit, op store.OpRow) opView {
	return opView{OpRow: op, Text: helpdesk.Explain(op), Now: s.now(), MayMend: v.may(signin.Mend)}
}

// listPage lists operations.
type listPage struct {
	Now    time.Time
	Filter queueFilter
	choices
	Operations []opView
	Next, Prev string // addresses
}

// finished are the states of operations that nothing happens to any more.
var finished = []store.OpState{store.OpDone, store.OpSuperseded, store.OpSkipped}

func (s *site) showList(v *visit) error {
	f, err := filterOf(v)
	if err != nil {
		return err
	}
	p := listPage{Now: s.now(), Filter: f}
	if p.choices, err = s.choices(v); err != nil {
		return err
	}
	of := store.OpFilter{Connector: f.Connector, Code: f.Code, Cause: f.Cause, With: f.With, Limit: rowsShown}
	if f.State != "" {
		of.States = []store.OpState{store.OpState(f.State)}
		of.Newest = slices.Contains(finished, of.States[0])
	}
	found, err := operationPage(v, of)
	if err != nil {
		return err
	}
	for _, op := range found.Operations {
		p.Operations = append(p.Operations, s.view(v, op))
	}
	p.Next, p.Prev = turn(f.Link("/queue/list"), found)
	return s.page(v, "list", "Operations", p)
}

// operationPage reads the page of a list that the address names.
func operationPage(v *visit, f store.OpFilter) (store.OpPage, error) {
	var err error
	if f.After, err = cursorOf(v.FormValue("after")); err != nil {
		return store.OpPage{}, err
	}
	if f.Before, err = cursorOf(v.FormValue("before")); err != nil {
		return store.OpPage{}, err
	}
	return v.hub.State().OperationPage(v.Context(), f)
}

// turn returns the addresses of the next and of the previous page of a list; "":
// there is none.
func turn(address string, p store.OpPage) (next, prev string) {
	with := func(name string, at int64) string {
		if at == 0 {
			return ""
		}
		u, err := url.Parse(address)
		if err != nil {
			return ""
		}
		q := u.Query()
		q.Set(name, strconv.FormatInt(at, 10))
		u.RawQuery = q.Encode()
		return u.String()
	}
	return with("after", p.Next), with("before", p.Prev)
}
