package reconcile

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

// looksAtOnce bounds how many objects are read again at once.
const looksAtOnce = 8

// confirm looks at findings a second time: a listing takes a while, and what was
// done meanwhile is no drift. The ledger is read first, then the target, so that
// what differs then differs for another reason than time.
func (w *walk) confirm(ctx context.Context, fs []Finding) ([]Finding, error) {
	if len(fs) == 0 {
		return nil, nil
	}
	var keys []identity.Key
	for _, f := range fs {
		if f.have.Rev > 0 {
			keys = append(keys, f.Who())
		}
	}
	open, err := w.Ledger.OpenOperations(ctx, keys)
	if err != nil {
		return nil, err
	}
	now, err := w.Ledger.ConnectorAccounts(ctx, w.Connector, keys)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	out := make([]Finding, 0, len(fs))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(looksAtOnce)
	for _, f := range fs {
		g.Go(func() error {
			key := f.Who().Account(w.Connector)
			if f.have.Rev > 0 {
				f.have = now[key]
			}
			if op, busy := open[key]; busy && op.Sent && f.have.Rev > 0 {
				f.Situation = Busy
			} else if err := w.again(gctx, &f); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			out = append(out, f)
			return nil
		})
	}
	return out, g.Wait()
}

// again reads the object once more and judges it by that.
func (w *walk) again(ctx context.Context, f *Finding) error {
	if !w.Capabilities.Get {
		return nil // the listing is all there is
	}
	obj, err := w.Target.Get(ctx, connector.Ref{Type: w.typ.Name, ID: f.Ref.ID}, nil)
	known := map[string]identity.Account{}
	if f.have.Rev > 0 {
		known[f.Ref.ID] = f.have
	}
	switch {
	case err == nil:
		obj.Ref.Type = w.typ.Name
		g, err := w.judge(ctx, obj, known)
		*f = g
		return err
	case connector.AsError(err).Code != connector.CodeNotFound:
		return err
	case f.have.Rev > 0 && !f.have.Absent:
		f.Situation, f.Text, f.Differences = Missing, "it is not in the target any more", nil
	default:
		f.Situation = InSync // gone in the meantime, as it should be
	}
	return nil
}
