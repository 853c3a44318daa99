package web

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/reconcile"
	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// findingsPage is what reconciliations found, by situation, the most urgent first.
type findingsPage struct {
	Now        time.Time
	Situations []situationView
	// Runs are the last reconciliations.
	Runs []store.Run
}

// situationView is one situation with the connectors that have it.
type situationView struct {
	situationWords
	Name  string
	N     int
	More  bool // there are more than were counted
	Where []store.FindingCount
}

// findingsCounted bounds what is counted of a situation in one connector.
const findingsCounted = 1000

// reconcilesShown bounds the runs below the findings.
const reconcilesShown = 5

func (s *site) showFindings(v *visit) error {
	counts, err := v.hub.State().FindingCountsTo(v.Context(), findingsCounted+1)
	if err != nil {
		return err
	}
	p := findingsPage{Now: s.now(), Situations: situationViews(counts)}
	p.Runs, err = v.hub.State().Runs(v.Context(), store.RunFilter{Kind: "reconcile", Limit: reconcilesShown})
	if err != nil {
		return err
	}
	return s.page(v, "findings", "Findings", p)
}

// situationViews gathers counts by situation, the most urgent first.
func situationViews(counts []store.FindingCount) (out []situationView) {
	for _, name := range situationsOf(counts) {
		view := situationView{situationWords: wordsOf(name), Name: name}
		for _, c := range counts {
			if c.Situation != name {
				continue
			}
			if c.N > findingsCounted {
				c.N, view.More = findingsCounted, true
			}
			view.N += c.N
			view.Where = append(view.Where, c)
		}
		out = append(out, view)
	}
	return out
}

// situationsOf returns the situations there are, the most urgent first.
func situationsOf(counts []store.FindingCount) (out []string) {
	for _, s := range reconcile.Situations {
		if slices.ContainsFunc(counts, func(c store.FindingCount) bool { return c.Situation == string(s) }) {
			out = append(out, string(s))
		}
	}
	for _, c := range counts {
		if !slices.Contains(out, c.Situation) { // of another version
			out = append(out, c.Situation)
		}
	}
	return out
}

// findingFilter is what is chosen above the list of findings.
type findingFilter struct{ Connector, Situation, Reaction, State string }

// findingsOver is the state of findings that are not so any more.
const findingsOver = "over"

func findingFilterOf(v *visit) (findingFilter, error) {
	f := findingFilter{v.FormValue("connector"), v.FormValue("situation"), v.FormValue("reaction"), v.FormValue("state")}
	if f.State != "" && f.State != findingsOver {
		return f, &inputError{"There is no such state."}
	}
	return f, nil
}

func (f findingFilter) store() store.FindingFilter {
	return store.FindingFilter{Connector: f.Connector, Situation: f.Situation, Reaction: f.Reaction, Over: f.State == findingsOver}
}

// Link is the address of path with this choice and another value.
func (f findingFilter) Link(path, name, value string) string {
	q := url.Values{}
	for n, v := range map[string]string{"connector": f.Connector, "situation": f.Situation, "reaction": f.Reaction, "state": f.State, name: value} {
		if v != "" {
			q.Set(n, v)
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// findingView is one finding with what is said about it.
type findingView struct {
	store.FindingRow
	situationWords
	Done string // what was done about it
	// Page is the address of its own page, Who of the person's; "": it is nobody's, or the
	// visitor may not see people.
	Page, Who string
	Values    bool
}

func (v *visit) finding(r store.FindingRow) findingView {
	f := findingView{FindingRow: r, situationWords: wordsOf(r.Situation), Done: reactionText(r.Reaction), Values: v.may(signin.People), Page: findingPath(r)}
	if r.Anchor != "" && f.Values {
		f.Who = "/people/" + personKey(identity.Key{Source: r.Source, Kind: r.Kind, Anchor: r.Anchor})
	}
	return f
}

// Named is what the account is called in a list: by whom it belongs to, or else by what
// the target calls it, to who may see that.
func (f findingView) Named() string {
	switch {
	case f.Anchor != "":
		return f.Anchor
	case f.Values:
		return f.Object
	}
	return "nobody’s"
}

// findingPath is where the page of a finding is. Like people, accounts are not to be read
// in an address.
func findingPath(r store.FindingRow) string {
	return "/findings/" + base64.RawURLEncoding.EncodeToString([]byte(strings.Join([]string{r.Connector, string(r.Kind), r.TargetID}, "\x00")))
}

// findingList lists findings.
type findingList struct {
	Now                              time.Time
	Filter                           findingFilter
	Connectors, Situations, Reaction []string
	Findings                         []findingView
	Next                             string // address
	Values                           bool
}

func (s *site) listFindings(v *visit) error {
	f, err := findingFilterOf(v)
	if err != nil {
		return err
	}
	p := findingList{Now: s.now(), Filter: f, Values: v.may(signin.People)}
	if p.Connectors, err = v.hub.State().ConnectorNames(v.Context()); err != nil {
		return err
	}
	for _, s := range reconcile.Situations {
		p.Situations = append(p.Situations, string(s))
	}
	for _, r := range []reconcile.Reaction{reconcile.Report, reconcile.Fix, reconcile.Adopt, reconcile.Disable} {
		p.Reaction = append(p.Reaction, string(r))
	}
	of := f.store()
	of.Limit = rowsShown
	after, err := base64.RawURLEncoding.DecodeString(v.FormValue("after"))
	if err != nil {
		return errAddress
	}
	of.After = string(after)
	found, err := v.hub.State().FindingPage(v.Context(), of)
	if err != nil {
		return err
	}
	for _, r := range found.Findings {
		p.Findings = append(p.Findings, v.finding(r))
	}
	if found.Next != "" {
		p.Next = f.Link("/findings/list", "after", base64.RawURLEncoding.EncodeToString([]byte(found.Next)))
	}
	return s.page(v, "findinglist", "Findings", p)
}

// findingDetail is what the body of a finding tells besides.
type findingDetail struct {
	Others      []identity.Key      `json:"others"`
	Differences []findingDifference `json:"differences"`
}

// findingDifference is one thing that two of ledger, target and rules have otherwise.
type findingDifference struct {
	Attribute, Grant, Text string
	Ledger, Target, Wanted connector.Values
	Unmanaged              bool
}

// findingPageView is one finding.
type findingPageView struct {
	Now time.Time
	findingView
	findingDetail
	// Operations are those of the account since it was found, the last planned first.
	Operations []store.OpRow
}

// operationsShown bounds the operations on the page of a finding.
const operationsShown = 10

func (s *site) showFinding(v *visit) error {
	raw, err := base64.RawURLEncoding.DecodeString(v.PathValue("finding"))
	parts := strings.SplitN(string(raw), "\x00", 3)
	if err != nil || len(parts) != 3 {
		return store.ErrNotFound
	}
	row, err := v.hub.State().Finding(v.Context(), parts[0], identity.Kind(parts[1]), parts[2])
	if err != nil {
		return err
	}
	p := findingPageView{Now: s.now(), findingView: v.finding(row)}
	if err := json.Unmarshal(row.Body, &p.findingDetail); err != nil {
		s.log.Warn("a finding cannot be read whole", "connector", row.Connector, "error", err)
	}
	if row.Anchor != "" {
		ops, err := v.hub.State().OperationPage(v.Context(), store.OpFilter{
			Source: row.Source, Connector: row.Connector, Anchor: row.Anchor, States: slices.Concat(store.OpenStates, finished),
			From: row.FirstSeen, Newest: true, Limit: operationsShown,
		})
		if err != nil {
			return err
		}
		p.Operations = ops.Operations
	}
	return s.page(v, "finding", wordsOf(row.Situation).Title, p)
}
