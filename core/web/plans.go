package web

import (
	"slices"
	"strconv"
	"time"

	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/signin"
	"github.com/provhub/provhub/core/store"
)

// rowsShown is how many rows a page of a list has.
const rowsShown = 50

// plansPage lists plans: those that wait for a decision, then the others.
type plansPage struct {
	Now   time.Time
	Held  []store.PlanHead
	Plans []store.PlanHead
	All   bool // those without operations too
	Older string
}

func (s *site) showPlans(v *visit) error {
	p := plansPage{Now: s.now(), All: v.FormValue("all") != ""}
	before, err := momentOf(v.FormValue("before"))
	if err != nil {
		return err
	}
	org := v.hub.State()
	if before.IsZero() {
		if p.Held, err = org.PlanList(v.Context(), store.PlanFilter{Status: store.PlanHeld}); err != nil {
			return err
		}
	}
	p.Plans, err = org.PlanList(v.Context(), store.PlanFilter{NotEmpty: !p.All, Before: before, Limit: rowsShown + 1})
	if err != nil {
		return err
	}
	if len(p.Plans) > rowsShown {
		p.Plans = p.Plans[:rowsShown]
		p.Older = moment(p.Plans[rowsShown-1].CreatedAt)
	}
	return s.page(v, "plans", "Plans", p)
}

// moment writes a time as the cursor of a list; "" for the zero time.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMicro(), 10)
}

// momentOf reads what moment wrote.
func momentOf(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	n, err := cursorOf(text)
	return time.UnixMicro(n), err
}

// cursorOf reads a number that a page put into the address of the next one.
func cursorOf(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, errAddress
	}
	return n, nil
}

// planPage is one plan with its operations.
type planPage struct {
	Now time.Time
	store.PlanRow
	Operations []store.OpRow
	Next, Prev string // addresses of pages of the operations
	Open       bool   // it waits for a decision
	RanOut     bool   // it was approved, and the approval has run out
	// Newest is the newest plan of the source, where another one took the place of this.
	Newest string
	// BySource: a guard of the source trips, which an approval does not answer.
	BySource  bool
	MayDecide bool
	Values    bool // the visitor may see values
	Hours     []int
}

// allStates are the states of the operations of a plan.
var allStates = slices.Concat([]store.OpState{store.OpPlanned}, store.OpenStates, finished)

func (s *site) showPlan(v *visit) error {
	row, err := v.hub.State().Plan(v.Context(), v.PathValue("hash"))
	if err != nil {
		return err
	}
	p := planPage{Now: s.now(), PlanRow: row, Values: v.may(signin.People), Hours: []int{1, 4, 24, 72}}
	p.Open = row.Status == store.PlanHeld || row.Status == store.PlanApproved && !row.Until.After(p.Now)
	p.RanOut = p.Open && row.Status == store.PlanApproved
	if row.Status == store.PlanSuperseded {
		newest, err := v.hub.State().PlanList(v.Context(), store.PlanFilter{Source: row.Inputs.Source, Limit: 1})
		if err != nil {
			return err
		}
		if len(newest) > 0 && newest[0].Hash != row.Hash {
			p.Newest = newest[0].Hash
		}
	}
	p.BySource = slices.ContainsFunc(row.Verdicts, func(g plan.Verdict) bool { return g.Connector == "" })
	p.MayDecide = v.may(signin.Decide)
	ops, err := operationPage(v, store.OpFilter{Plan: row.Hash, States: allStates, Limit: rowsShown})
	if err != nil {
		return err
	}
	p.Operations = ops.Operations
	p.Next, p.Prev = turn("/plans/"+row.Hash+"#operations", ops)
	return s.page(v, "plan", "Plan "+short(row.Hash), p)
}

// approvalMax bounds how long an approval holds, as for `provhub plan approve`.
const approvalMax = 168

// approve releases a plan. The address has its whole hash: what was looked at is
// what is released.
func (s *site) approve(v *visit) error {
	why, err := reason(v)
	if err != nil {
		return err
	}
	hours, err := strconv.Atoi(v.PostFormValue("hours"))
	if err != nil || hours < 1 || hours > approvalMax {
		return &inputError{"Say for how many hours the approval holds, up to 168."}
	}
	hash, err := wholeHash(v)
	if err != nil {
		return err
	}
	now := s.now()
	a := store.Approval{By: v.hub.Actor(), Reason: why, At: now, Until: now.Add(time.Duration(hours) * time.Hour)}
	if err := v.hub.State().ApprovePlan(v.Context(), hash, a); err != nil {
		return err
	}
	return s.done(v, "/plans/"+hash, "Approved until "+stamp(a.Until)+". It is carried out if nothing has changed until then.")
}

// reject ends a plan for good.
func (s *site) reject(v *visit) error {
	why, err := reason(v)
	if err != nil {
		return err
	}
	hash, err := wholeHash(v)
	if err != nil {
		return err
	}
	if err := v.hub.State().RejectPlan(v.Context(), hash, v.hub.Actor(), why, s.now()); err != nil {
		return err
	}
	return s.done(v, "/plans/"+hash, "Rejected: this plan is never carried out.")
}

// wholeHash is the hash in the address of a page. A decision is about one plan: the
// beginning of a hash, which might fit another one tomorrow, does not do.
func wholeHash(v *visit) (string, error) {
	row, err := v.hub.State().Plan(v.Context(), v.PathValue("hash"))
	if err == nil && row.Hash != v.PathValue("hash") {
		err = store.ErrNotFound
	}
	return row.Hash, err
}
