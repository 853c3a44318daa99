package dispatch

import (
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

func seen(id string, with ...func(*connector.Object)) Sighting {
	o := connector.Object{Ref: connector.Ref{ID: id}, Enabled: connector.IsEnabled}
	for _, w := range with {
		w(&o)
	}
	return Sighting{Object: o}
}

func shows(name, values string) func(*connector.Object) {
	return func(o *connector.Object) { o.Attributes = set(o.Attributes, name, texts(values)) }
}

func showsGrants(names ...string) func(*connector.Object) {
	return func(o *connector.Object) {
		o.Grants = []connector.Ref{}
		for _, n := range names {
			o.Grants = append(o.Grants, connector.Ref{ID: "g-" + n, Name: n})
		}
	}
}

func notSeen(lagged bool) Sighting {
	return Sighting{Err: &connector.Error{Code: connector.CodeNotFound}, Lagged: lagged}
}

func idempotency(i connector.Idempotency) Shape { s := crm(); s.Idempotency = i; return s }

func TestSettle(t *testing.T) {
	joiner := work(op(plan.Create, change("externalId", "", "1001"), change("login", "", "jane"), change("mail", "", "a@x"), gain("it")), identity.Account{})
	// byLogin has no attribute that carries the anchor.
	byLogin := work(op(plan.Create, change("login", "", "jane"), change("mail", "", "a@x")), identity.Account{})
	byLogin.Correlate = connector.Correlation{Attribute: "login", Value: "jane"}
	mover := work(op(plan.Update, change("mail", "a@x", "b@x"), lose("sales"), gain("it")), account(has("mail", "a@x"), holding("sales")))
	for _, c := range []struct {
		name string
		work Work
		in   Shape
		seen Sighting
		next Next
		left []string // the steps after it
	}{
		{name: "created whole", work: joiner, in: crm(), seen: seen("7", shows("externalId", "1001"), shows("login", "jane"), shows("mail", "a@x"), showsGrants("it")), next: NextDone},
		{name: "created, and the grants were not reached", work: joiner, in: crm(), seen: seen("7", shows("externalId", "1001"), shows("login", "jane"), shows("mail", "a@x"), showsGrants()), next: NextDone,
			left: []string{"grant #7 role by name=it"}},
		{name: "created, and the target does not tell grants", work: joiner, in: crm(), seen: seen("7", shows("externalId", "1001"), shows("login", "jane"), shows("mail", "a@x")), next: NextDone,
			left: []string{"grant #7 role by name=it"}},
		{name: "created with our anchor, changed by somebody since", work: joiner, in: crm(), seen: seen("7", shows("externalId", "1001"), shows("login", "jane"), shows("mail", "evil@x"), showsGrants("it")), next: NextDone,
			left: []string{"update #7 mail=a@x"}},
		{name: "somebody else's anchor", work: joiner, in: crm(), seen: seen("7", shows("externalId", "2002"), shows("login", "jane")), next: NextPark},
		{name: "a namesake is not taken over", work: byLogin, in: crm(), seen: seen("7", shows("login", "jane"), shows("mail", "other@x")), next: NextPark},
		{name: "without an anchor everything must be as asked", work: byLogin, in: crm(), seen: seen("7", shows("login", "JANE"), shows("mail", "A@x")), next: NextDone},
		{name: "not there, and the target may be slow to show it", work: joiner, in: crm(), seen: notSeen(false), next: NextSettle},
		{name: "not there after the read lag", work: joiner, in: crm(), seen: notSeen(true), next: NextRetry},
		{name: "several match", work: joiner, in: crm(), seen: Sighting{Err: &connector.Error{Code: connector.CodeAmbiguous}}, next: NextPark},
		{name: "the target is down", work: joiner, in: crm(), seen: Sighting{Err: &connector.Error{Code: connector.CodeUnavailable}}, next: NextDown},
		{name: "the lookup was too slow", work: joiner, in: crm(), seen: Sighting{Err: &connector.Error{Code: connector.CodeTimeout}}, next: NextSettle},
		{name: "a wrong password", work: joiner, in: crm(), seen: Sighting{Err: &connector.Error{Code: connector.CodeAuthentication}}, next: NextStop},
		{name: "blind, nothing recognises a repeated create", work: joiner, in: idempotency(connector.IdempotencyNone), seen: Sighting{Blind: true}, next: NextPark},
		{name: "blind, the target knows the key again", work: joiner, in: idempotency(connector.IdempotencyKeyed), seen: Sighting{Blind: true}, next: NextRetry},
		{name: "blind, an update can be repeated", work: mover, in: idempotency(connector.IdempotencyNone), seen: Sighting{Blind: true}, next: NextRetry},
		{name: "updated, grants not told", work: mover, in: crm(), seen: seen("7", shows("mail", "b@x")), next: NextDone,
			left: []string{"revoke #7 role by name=sales", "grant #7 role by name=it"}},
		{name: "a revoke is repeated rather than believed", work: mover, in: crm(), seen: seen("7", shows("mail", "b@x"), showsGrants("it")), next: NextDone,
			left: []string{"revoke #7 role by name=sales"}},
		{name: "vanished meanwhile", work: mover, in: crm(), seen: notSeen(false), next: NextReplan},
		{name: "gone, and a namesake found by correlation", work: work(op(plan.Update, change("externalId", "", "1001")), account()), in: crm(), seen: seen("8", shows("externalId", "2002")), next: NextReplan},
		{name: "a leaver vanished", work: work(op(plan.Disable), account()), in: crm(), seen: notSeen(false), next: NextGone},
		{name: "a leaver was disabled", work: work(op(plan.Disable), account()), in: crm(), seen: seen("7", func(o *connector.Object) { o.Enabled = connector.IsDisabled }), next: NextDone},
		{name: "a leaver is enabled still", work: work(op(plan.Disable), account()), in: crm(), seen: seen("7"), next: NextDone, left: []string{"disable #7"}},
		{name: "a deleted account is there still", work: work(op(plan.Delete), account()), in: crm(), seen: seen("7"), next: NextDone, left: []string{"delete #7"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, a := Settle(c.work, c.in, c.seen, time.Unix(0, 0))
			if v.Next != c.next {
				t.Fatalf("next %d, want %d (%v)", v.Next, c.next, v.Err)
			}
			if v.Err == nil && (v.Next == NextPark || v.Next == NextReplan) {
				t.Error("there is no reason for people")
			}
			if v.Next != NextDone {
				return
			}
			c.work.Account = a
			steps, _, err := Steps(c.work, c.in)
			if err != nil {
				t.Fatal(err)
			}
			if len(steps) != len(c.left) {
				t.Errorf("%d steps are left, want %q", len(steps), c.left)
			}
			for i := range min(len(steps), len(c.left)) {
				if got := show(steps[i]); got != c.left[i] {
					t.Errorf("left: %s, want %s", got, c.left[i])
				}
			}
		})
	}
}

func TestSettleDoesNotClaimWhatItTakesOver(t *testing.T) {
	w := work(op(plan.Create, change("login", "", "jane"), func(o *plan.Operation) { o.AdoptExisting = true }), account(absent, holding("old")))
	_, a := Settle(w, crm(), seen("9", shows("login", "jane")), time.Unix(0, 0))
	if a.Ownership != identity.Adopted || a.Ref.ID != "9" || a.Absent || len(a.Grants) > 0 {
		t.Errorf("the account is %+v", a)
	}
}
