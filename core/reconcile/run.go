package reconcile

import (
	"context"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// Target is what a run reads. Its errors are [*connector.Error]s.
type Target interface {
	Get(ctx context.Context, ref connector.Ref, attributes []string) (connector.Object, error)
	List(ctx context.Context, q connector.ListQuery, yield func(connector.Object) error) (connector.ListEnd, error)
}

// Ledger is what is known of the target; [*store.Org] is one.
type Ledger interface {
	// AccountsByTarget returns the accounts of one kind, those that are gone too, by
	// their id in the target.
	AccountsByTarget(ctx context.Context, connector string, kind identity.Kind, ids []string) (map[string]identity.Account, error)
	// EachTargetID calls yield for each account of one kind that is in the target.
	EachTargetID(ctx context.Context, connector string, kind identity.Kind, yield func(key identity.Key, id string) error) error
	ConnectorAccounts(ctx context.Context, connector string, keys []identity.Key) (map[identity.AccountKey]identity.Account, error)
	OpenOperations(ctx context.Context, keys []identity.Key) (map[identity.AccountKey]plan.OpenOperation, error)
	// Entitlements returns every entitlement that an account of the connector has from us.
	Entitlements(ctx context.Context, connector string) (map[string]bool, error)
}

// Owners tells who would be matched with an account that is in no ledger.
type Owners interface {
	// Of returns the people whose account obj could be, and whether they have another
	// one.
	Of(ctx context.Context, kind identity.Kind, obj *connector.Object) (who []identity.Key, taken bool, err error)
}

// Run compares one connector's target with what is known of it. All fields but
// Owners and Progress are required.
type Run struct {
	Connector    string
	Schema       connector.Schema
	Capabilities connector.Capabilities
	Target       Target
	Ledger       Ledger
	Owners       Owners // nil: what is in no ledger is nobody's
	Kinds        []identity.Kind
	// React says what is done; a situation that is not in it is reported.
	React map[Situation]Reaction
	Now   func() time.Time
	// Found is told every finding, with Reaction set, and what the ledger shall hold
	// where that is [Fix].
	Found func(ctx context.Context, f Finding, correct *identity.Account) error
	// Fine is told the target ids of what was in sync.
	Fine     func(ctx context.Context, kind identity.Kind, ids []string) error
	Progress func(listed int)

	seed    maphash.Seed
	managed map[string]bool
	report  Result
}

// Result says what a run saw.
type Result struct {
	// Complete: every account of the target was seen, and absence was judged.
	Complete bool `json:"complete"`
	// Reason says why not.
	Reason string            `json:"reason,omitempty"`
	Listed int               `json:"listed"`
	Counts map[Situation]int `json:"counts"`
}

// batch is how many objects are compared at once: so many are in memory.
const batch = 500

// Do runs. A listing that is not complete is compared as far as it went, and infers
// nothing from absence (QUIRKS SCIM-17). The error is that target or ledger could
// not be read; what was found until then was told.
func (r *Run) Do(ctx context.Context) (Result, error) {
	r.seed, r.report = maphash.MakeSeed(), Result{Complete: true, Counts: map[Situation]int{}}
	if !r.Capabilities.List {
		r.report.Complete, r.report.Reason = false, "the target cannot be listed; what it holds was not looked at"
		return r.report, nil
	}
	var err error
	if r.managed, err = r.Ledger.Entitlements(ctx, r.Connector); err != nil {
		return r.report, err
	}
	for _, kind := range r.Kinds {
		typ, ok := plan.ObjectType(r.Schema, kind)
		if !ok {
			continue
		}
		if err := r.kind(ctx, kind, &typ); err != nil {
			r.report.Complete = false
			return r.report, err
		}
	}
	return r.report, nil
}

// kind compares the objects of one kind.
func (r *Run) kind(ctx context.Context, kind identity.Kind, typ *connector.ObjectType) error {
	w := &walk{Run: r, kind: kind, typ: typ, seen: map[uint64]struct{}{}}
	var page []connector.Object
	end, err := r.Target.List(ctx, connector.ListQuery{Type: typ.Name}, func(o connector.Object) error {
		if page = append(page, o); len(page) < batch {
			return nil
		}
		full := page
		page = nil
		return w.page(ctx, full)
	})
	if err == nil {
		err = w.page(ctx, page)
	}
	if err != nil {
		return fmt.Errorf("list the %ss: %w", typ.Name, err)
	}
	if !end.Complete {
		r.report.Complete = false
		r.report.Reason = "the target did not list everything; nothing follows from what was not in it"
		return nil
	}
	return w.missing(ctx)
}

// ReactionOf is what is done about a situation.
func ReactionOf(react map[Situation]Reaction, s Situation) Reaction {
	if re, ok := react[s]; ok {
		return re
	}
	return Report
}
