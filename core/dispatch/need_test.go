package dispatch

import (
	"fmt"
	"testing"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// groups makes the lab's target one with groups: a grant needs its group.
func groups(b *bench) {
	b.shape.Schema = append(connector.Schema{}, b.shape.Schema...)
	b.shape.Schema = append(b.shape.Schema, connector.ObjectType{Name: "team", Kind: connector.KindGroup,
		Attributes: []connector.Attr{{Name: "externalId"}, {Name: "login"}}, Correlation: []string{"externalId"}})
	b.before = func(op connector.Operation, _ int) *connector.Result {
		if g, ok := op.(connector.Grant); ok && b.find(connector.Ref{By: connector.Correlation{Attribute: "externalId", Value: g.Entitlement.Name}}) == nil {
			r := fail(connector.CodeDependencyMissing)
			return &r
		}
		return nil
	}
}

// team is the create of a group.
func team(anchor string) plan.Operation {
	o := joiner(anchor)
	o.AccountKey.Kind = identity.Group
	return o
}

func TestAMissingGroupCostsNoAttempts(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.Retry.Attempts = 2 })
		groups(b)
		b.enqueue(joiner("1001", gain("it")))
		for range 12 { // one run each hour, each a new process
			b.restart()
			if s := b.drain(); s.Retrying != 1 || s.ParkedTotal() != 0 {
				t.Fatalf("summary %v", s)
			}
			time.Sleep(time.Hour)
		}
		if r := b.state("1001", store.OpRetry); r.Attempts != 0 || r.LastError.Code != connector.CodeDependencyMissing {
			t.Errorf("%d attempts, %v", r.Attempts, r.LastError)
		}
		b.enqueue(team("it"))
		if s := b.drain(); s.Done != 2 {
			t.Errorf("summary %v", s)
		}
		b.wants("create 1001", "create it", "grant u1 it")
	})
}

// A person who joins brings no group: those that wait for one are not tried again.
func TestAGrantIsWokenByAGroupAlone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.Patience = -1 })
		groups(b)
		b.enqueue(joiner("1001", gain("it")))
		b.drain()
		for i := range 5 {
			b.enqueue(joiner(fmt.Sprint(2000 + i)))
			b.drain()
		}
		if n := b.counts[connector.VerbGrant]; n != 1 {
			t.Errorf("the grant was tried %d times", n)
		}
	})
}

// Another fault of the same operation uses up its attempts all the same.
func TestWaitingHidesNoOtherFault(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.Patience, o.Retry.Attempts = time.Hour, 3 })
		b.before = func(op connector.Operation, _ int) *connector.Result {
			var r connector.Result
			switch g, _ := op.(connector.Grant); g.Entitlement.Name {
			case "it":
				r = fail(connector.CodeDependencyMissing)
			case "vpn":
				r = fail(connector.CodeBusy)
			default:
				return nil
			}
			return &r
		}
		b.enqueue(joiner("1001", gain("it"), gain("vpn")))
		b.drain()
		if r := b.state("1001", store.OpParked); r.Attempts != 3 || r.LastError.Code != connector.CodeBusy {
			t.Errorf("%d attempts, %v", r.Attempts, r.LastError)
		}
	})
}

func TestNoSeatHoldsJoinersAndNobodyElse(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		b := newBench(t, func(o *Options) { o.Retry.Attempts, o.InFlight = 2, 1 })
		b.enqueue(joiner("1001"), joiner("1002"))
		b.drain()
		seats := 2
		b.before = func(op connector.Operation, _ int) *connector.Result {
			used := 0
			for _, o := range b.objects {
				if o.Enabled != connector.IsDisabled {
					used++
				}
			}
			if op.Verb() == connector.VerbCreate && used >= seats {
				r := fail(connector.CodeQuota)
				return &r
			}
			return nil
		}
		var joiners []plan.Operation
		for i := range 20 {
			joiners = append(joiners, joiner(fmt.Sprint(2000+i)))
		}
		b.enqueue(append(joiners, of("1002", plan.Update, change("title", "", "Boss")))...)
		if s := b.drain(); s.Done != 1 || s.Retrying != 20 || s.Stopped != "" {
			t.Errorf("summary %v", s)
		}
		if n := b.counts[connector.VerbCreate]; n != 3 {
			t.Errorf("%d creates were sent, want the two that worked and one that did not", n)
		}
		for range 5 { // runs that change nothing
			time.Sleep(time.Hour)
			b.restart()
			b.drain()
		}
		if r := b.state("2000", store.OpRetry); r.Attempts != 0 || r.LastError.Code != connector.CodeQuota {
			t.Errorf("%d attempts, %v", r.Attempts, r.LastError)
		}
		if r := b.state("2019", store.OpRetry); r.LastError == nil || r.LastError.Code != connector.CodeQuota {
			t.Errorf("one that was not sent says %v", r.LastError)
		}
		// A leaver frees a seat, and the next joiner gets it in the same run.
		b.enqueue(of("1001", plan.Disable))
		if s := b.drain(); s.Done != 2 || s.Retrying != 19 {
			t.Errorf("summary %v", s)
		}
	})
}
