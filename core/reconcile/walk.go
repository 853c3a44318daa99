package reconcile

import (
	"context"
	"fmt"
	"hash/maphash"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// walk is the way through the objects of one kind.
type walk struct {
	*Run
	kind identity.Kind
	typ  *connector.ObjectType
	seen map[uint64]struct{} // hashes of target ids: some 20 bytes an account
	// ids are the target's ids of those whom the accounts of this page refer to.
	ids map[identity.Key]string
}

func (w *walk) hash(id string) uint64 { return maphash.String(w.seed, id) }

// page judges objects of the listing.
func (w *walk) page(ctx context.Context, objs []connector.Object) error {
	ids := make([]string, 0, len(objs))
	for _, o := range objs {
		w.seen[w.hash(o.Ref.ID)] = struct{}{}
		ids = append(ids, o.Ref.ID)
	}
	if w.report.Listed += len(objs); w.Progress != nil {
		w.Progress(w.report.Listed)
	}
	known, err := w.Ledger.AccountsByTarget(ctx, w.Connector, w.kind, ids)
	if err != nil {
		return err
	}
	if err := w.referTo(ctx, known); err != nil {
		return err
	}
	var fine []string
	var odd []Finding
	for _, o := range objs {
		f, err := w.judge(ctx, o, known)
		switch {
		case err != nil:
			return err
		case f.Situation == InSync:
			fine = append(fine, o.Ref.ID)
		default:
			odd = append(odd, f)
		}
	}
	confirmed, err := w.confirm(ctx, odd)
	if err != nil {
		return err
	}
	w.report.Counts[InSync] += len(fine)
	if len(fine) > 0 && w.Fine != nil {
		if err := w.Fine(ctx, w.kind, fine); err != nil {
			return err
		}
	}
	return w.tell(ctx, confirmed)
}

// referTo looks up the accounts of those whom accounts refer to, such as managers.
func (w *walk) referTo(ctx context.Context, known map[string]identity.Account) error {
	w.ids = map[identity.Key]string{}
	var keys []identity.Key
	for _, a := range known {
		for _, v := range a.Applied {
			at, ok := w.typ.Attr(v.Name)
			if !ok || at.Type != connector.TypeReference {
				continue
			}
			for _, x := range v.Values {
				if key, named := plan.Referred(a.Source, w.Schema, at, x); named {
					keys = append(keys, key)
				}
			}
		}
	}
	if len(keys) == 0 {
		return nil
	}
	accounts, err := w.Ledger.ConnectorAccounts(ctx, w.Connector, keys)
	for _, a := range accounts {
		if !a.Absent && a.Ref.ID != "" {
			w.ids[a.Identity()] = a.Ref.ID
		}
	}
	return err
}

// judge says how one object stands.
func (w *walk) judge(ctx context.Context, o connector.Object, known map[string]identity.Account) (Finding, error) {
	f := Finding{Connector: w.Connector, Kind: w.kind, Ref: o.Ref, Situation: InSync, seen: o}
	have, ok := known[o.Ref.ID]
	if !ok {
		return f, w.stranger(ctx, &f)
	}
	f.Source, f.Anchor, f.have = have.Source, have.Anchor, have
	if have.Ownership == identity.Observed {
		return f, nil // not ours to judge
	}
	f.Differences = w.compare(have, o)
	switch {
	case have.Absent:
		f.Situation, f.Text = Returned, "we deleted it, and it is there"
	case have.Enabled == connector.IsDisabled && o.Enabled == connector.IsEnabled:
		f.Situation, f.Text = Enabled, "we disabled it, and somebody enabled it"
	case len(f.Differences) > 0:
		f.Situation, f.Text = Drifted, "changed in the target: "+drift(f.Differences)
	}
	return f, nil
}

// stranger judges an object that is in no ledger.
func (w *walk) stranger(ctx context.Context, f *Finding) error {
	f.Situation, f.Text = Orphan, "it belongs to nobody we know"
	if w.Owners == nil {
		return nil
	}
	who, taken, err := w.Owners.Of(ctx, w.kind, &f.seen)
	if err != nil || len(who) == 0 {
		return err
	}
	f.Source, f.Anchor, f.Others = who[0].Source, who[0].Anchor, who[1:]
	switch {
	case len(f.Others) > 0:
		f.Situation, f.Text = Ambiguous, fmt.Sprintf("it matches %d people", len(who))
	case taken:
		f.Situation, f.Text = Ambiguous, "it matches somebody who has another account"
	default:
		f.Situation, f.Text = Unlinked, "it matches somebody who has no account"
	}
	return nil
}

// missing finds the accounts that a complete listing did not have.
func (w *walk) missing(ctx context.Context) error {
	var gone []identity.Key
	flush := func() error {
		fs, err := w.gone(ctx, gone)
		gone = gone[:0]
		if err != nil {
			return err
		}
		return w.tell(ctx, fs)
	}
	// Collected first: the ledger is not read and written at once.
	err := w.Ledger.EachTargetID(ctx, w.Connector, w.kind, func(key identity.Key, id string) error {
		if _, seen := w.seen[w.hash(id)]; !seen {
			gone = append(gone, key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	all := gone
	for len(all) > 0 {
		n := min(len(all), batch)
		gone, all = all[:n:n], all[n:]
		if err := flush(); err != nil {
			return err
		}
	}
	return nil
}

// gone judges accounts that were not listed.
func (w *walk) gone(ctx context.Context, keys []identity.Key) ([]Finding, error) {
	have, err := w.Ledger.ConnectorAccounts(ctx, w.Connector, keys)
	if err != nil {
		return nil, err
	}
	var odd []Finding
	for _, a := range have {
		if a.Absent || a.Ownership == identity.Observed {
			continue
		}
		odd = append(odd, Finding{Connector: w.Connector, Kind: w.kind, Ref: a.Ref, Source: a.Source, Anchor: a.Anchor, have: a, Situation: Missing, Text: "it is not in the target any more"})
	}
	return w.confirm(ctx, odd)
}

// tell counts findings and reacts.
func (w *walk) tell(ctx context.Context, fs []Finding) error {
	for _, f := range fs {
		w.report.Counts[f.Situation]++
		if f.Situation == InSync || f.Situation == Busy {
			continue
		}
		if f.Reaction = ReactionOf(w.React, f.Situation); f.Reaction == Ignore {
			continue
		}
		var correct *identity.Account
		if f.Reaction == Fix {
			a := corrected(f.have, &f)
			correct = &a
		}
		if err := w.Found(ctx, f, correct); err != nil {
			return err
		}
	}
	return nil
}
