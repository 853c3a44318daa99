package dispatch

import (
	"cmp"
	"context"

	"github.com/provhub/provhub/connectors/connector"
)

// lookup finds the operation's account in the target: by the ids in hand, then
// by correlation.
func (a *attempt) lookup(ctx context.Context, hints ...connector.Ref) Sighting {
	if !a.shape.Get {
		return Sighting{Blind: true}
	}
	typ := a.shape.typeOf(a.w.AccountKey.Kind)
	var refs []connector.Ref
	for _, h := range hints {
		if h.ID != "" {
			h.Type = typ.Name
			refs = append(refs, h)
		}
	}
	if c := correlation(a.w, typ); !c.IsZero() {
		refs = append(refs, connector.Ref{Type: typ.Name, Name: c.Value, By: c})
	}
	seen := Sighting{Blind: true}
	for _, ref := range refs {
		obj, err := a.get(ctx, ref)
		switch {
		case err == nil:
			return Sighting{Object: obj}
		case err.Code == connector.CodeUnsupported:
		case err.Code == connector.CodeNotFound:
			seen = Sighting{Err: err}
		default:
			return Sighting{Err: err}
		}
	}
	return seen
}

func (a *attempt) get(ctx context.Context, ref connector.Ref) (connector.Object, *connector.Error) {
	call, cancel := context.WithTimeout(ctx, a.d.opts.Retry.Timeout)
	defer cancel()
	obj, err := a.d.opts.Target.Get(call, ref, nil)
	return obj, spare(connector.AsError(err), &a.w)
}

// settle looks up what became of an operation in doubt and decides.
func (a *attempt) settle(ctx context.Context) {
	var ids []connector.Ref
	if exists(a.w.Account) {
		ids = append(ids, a.w.Account.Ref)
	}
	seen := a.lookup(ctx, ids...)
	seen.Lagged = a.lagged
	v, account := Settle(a.w, a.shape, seen, a.d.opts.Now())
	switch v.Next {
	case NextDone:
		a.w.Account, a.cleared = account, true
		a.confirmed()
	case NextGone:
		vanish(&a.w.Account)
		a.confirmed()
	case NextRetry: // send it again
	case NextSettle:
		v.Wait, v.Err = a.d.opts.ReadLag, cmp.Or(a.w.LastError, v.Err)
		a.raise(v, "")
	default:
		a.raise(v, "")
	}
}

// lookTaken deals with a create that was refused because something is there
// already: our own account is gone on with, another's is for a person.
func (a *attempt) lookTaken(ctx context.Context, err *connector.Error) {
	var ids []connector.Ref
	if err.Conflicting != nil {
		ids = append(ids, *err.Conflicting)
	}
	seen := a.lookup(ctx, ids...)
	switch {
	case !seen.Blind && seen.Err == nil:
		v, account := Settle(a.w, a.shape, seen, a.d.opts.Now())
		if v.Next == NextDone {
			a.w.Account = account
			a.confirmed()
			return
		}
		a.raise(v, connector.OutcomeFailed)
	case seen.Err != nil && later(seen.Err):
		a.raise(Verdict{Next: NextRetry, Err: err}, connector.OutcomeFailed)
	default:
		a.raise(Verdict{Next: NextPark, Err: taken(err.Conflicting)}, connector.OutcomeFailed)
	}
}

// lookMoved reads an account that somebody else has changed meanwhile, so that
// the next attempt starts from what is there now.
func (a *attempt) lookMoved(ctx context.Context, err *connector.Error) {
	again := Verdict{Next: NextRetry, Err: err}
	seen := a.lookup(ctx, a.w.Account.Ref)
	if seen.Blind || seen.Err != nil && later(seen.Err) {
		a.raise(again, connector.OutcomeFailed)
		return
	}
	v, account := Settle(a.w, a.shape, seen, a.d.opts.Now())
	switch v.Next {
	case NextDone:
		a.w.Account = account
		a.confirmed()
		v = again
	case NextGone:
		vanish(&a.w.Account)
		a.confirmed()
		return
	}
	a.raise(v, connector.OutcomeFailed)
}

// confirmGone reads the account before NOT_FOUND is believed: it may have been
// said of something else, and who is taken for gone may be made a second time.
func (a *attempt) confirmGone(ctx context.Context, v Verdict) Verdict {
	seen := a.lookup(ctx, a.w.Account.Ref)
	if seen.Blind || seen.Err != nil && seen.Err.Code == connector.CodeNotFound {
		return v
	}
	return Verdict{Next: NextRetry, Err: v.Err}
}

// later reports whether a failed lookup may well work another time.
func later(err *connector.Error) bool {
	return err.Code != connector.CodeNotFound && settleFailed(err).Next != NextPark
}
