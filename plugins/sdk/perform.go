package sdk

import (
	"context"

	"github.com/provhub/provhub/connectors/connector"
)

// perform makes the call that op asks for, UNSUPPORTED when the target does not
// implement it.
func perform(ctx context.Context, t connector.Target, op connector.Operation) connector.Result {
	id := op.Meta().ID
	switch o := op.(type) {
	case connector.Create:
		if c, ok := t.(connector.Creator); ok {
			ref, err := c.Create(ctx, o)
			if ref.Type == "" {
				ref.Type = o.Type
			}
			return withRef(connector.ResultOf(id, ref, err), ref)
		}
	case connector.Update:
		if u, ok := t.(connector.Updater); ok {
			return connector.ResultOf(id, connector.Ref{}, u.Update(ctx, o))
		}
	case connector.SetEnabled:
		if e, ok := t.(connector.Enabler); ok {
			return connector.ResultOf(id, connector.Ref{}, e.SetEnabled(ctx, o))
		}
	case connector.Delete:
		if d, ok := t.(connector.Deleter); ok {
			return connector.ResultOf(id, connector.Ref{}, d.Delete(ctx, o))
		}
	case connector.Grant:
		if g, ok := t.(connector.Granter); ok {
			return connector.ResultOf(id, connector.Ref{}, g.Grant(ctx, o))
		}
	case connector.Revoke:
		if g, ok := t.(connector.Granter); ok {
			return connector.ResultOf(id, connector.Ref{}, g.Revoke(ctx, o))
		}
	case connector.SetCredential:
		if c, ok := t.(connector.Credentialer); ok {
			return connector.ResultOf(id, connector.Ref{}, c.SetCredential(ctx, o))
		}
	case connector.Rename:
		if n, ok := t.(connector.Renamer); ok {
			ref, err := n.Rename(ctx, o)
			if ref.Type == "" {
				ref.Type = o.Target.Type
			}
			return withRef(connector.ResultOf(id, ref, err), ref)
		}
	case connector.Poll:
		if p, ok := t.(connector.Poller); ok {
			return connector.ResultOf(id, connector.Ref{}, p.Poll(ctx, o))
		}
	}
	return unsupported(id, "this connector does not do "+string(op.Verb()))
}

// withRef completes the object of an answer that says more than the reference.
func withRef(r connector.Result, ref connector.Ref) connector.Result {
	if r.Object == nil || r.Object.Ref.ID != "" || ref.ID == "" {
		return r
	}
	obj := *r.Object
	obj.Ref = ref
	r.Object = &obj
	return r
}

// located follows the object of a group: where it is after a create or a
// rename, so that later steps find it.
type located struct {
	made connector.Ref         // by a create
	by   connector.Correlation // how the steps name it until then
	old  string                // id before a rename
	lost bool                  // it could not be made or moved
}

// learn takes note of the answer to a step.
func (l *located) learn(op connector.Operation, r connector.Result) {
	switch o := op.(type) {
	case connector.Create:
		l.by, l.lost = o.Correlate, !r.Outcome.Done()
	case connector.Rename:
		l.old, l.lost = o.Target.ID, !r.Outcome.Done()
	default:
		return
	}
	if r.Object != nil {
		l.made = r.Object.Ref
	}
}

// in returns op with its object's present id.
func (l *located) in(op connector.Operation) connector.Operation {
	if l.made.ID == "" {
		return op
	}
	switch o := op.(type) {
	case connector.Update:
		o.Target = l.ref(o.Target)
		return o
	case connector.SetEnabled:
		o.Target = l.ref(o.Target)
		return o
	case connector.Delete:
		o.Target = l.ref(o.Target)
		return o
	case connector.Grant:
		o.Principal = l.ref(o.Principal)
		return o
	case connector.Revoke:
		o.Principal = l.ref(o.Principal)
		return o
	case connector.SetCredential:
		o.Target = l.ref(o.Target)
		return o
	case connector.Rename:
		o.Target = l.ref(o.Target)
		return o
	}
	return op
}

func (l *located) ref(r connector.Ref) connector.Ref {
	madeHere := r.ID == "" && (r.By.IsZero() || r.By == l.by)
	moved := l.old != "" && r.ID == l.old
	if madeHere || moved {
		r.ID = l.made.ID
	}
	return r
}
