package sftp

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sftp/outbox"
)

// continuation is what the hub gives back when it asks.
type continuation struct {
	Key    string `json:"key"`
	Create bool   `json:"create,omitempty"` // the change makes an account
}

// makes reports whether the change makes an account.
func (v *verdict) makes() bool { return v.created || v.op.Verb() == connector.VerbCreate }

func (v *verdict) ticket() []byte {
	b, err := json.Marshal(continuation{Key: v.key, Create: v.makes()})
	if err != nil {
		panic(err) // text always encodes
	}
	return b
}

// errForgotten has the hub send an operation again: an outbox that was lost does
// not know what it accepted.
var errForgotten = &connector.Error{Code: connector.CodeBusy, Scope: connector.ScopeOperation,
	Message: "the outbox does not know this change (any more); it is to be sent again"}

// poll answers what has become of changes that were accepted earlier. When
// something is due it is published first.
func (t *Target) poll(ctx context.Context, ops []connector.Operation) []connector.Result {
	vs := make([]*verdict, len(ops))
	for i, op := range ops {
		vs[i] = &verdict{op: op}
		var c continuation
		if p, ok := op.(connector.Poll); !ok || json.Unmarshal(p.Continuation, &c) != nil || c.Key == "" {
			vs[i].fail(connector.Errorf(connector.CodeInvalidValue, "the continuation is not one of this connector"))
			continue
		}
		vs[i].key, vs[i].created = c.Key, c.Create
	}
	failed := t.settle(ctx, vs)
	ctx = context.WithoutCancel(ctx)
	return complete(vs, func(v *verdict) connector.Result { return t.polled(ctx, v, failed) })
}

// settle publishes what is due and looks for responses.
func (t *Target) settle(ctx context.Context, vs []*verdict) error {
	if err := t.prepare(ctx); err != nil {
		return err
	}
	_, unpublished, err := t.box.Unpublished(ctx)
	if err != nil {
		return stateError(err)
	}
	if unpublished || t.due(time.Now()) {
		ctx, cancel := leaveTime(ctx)
		defer cancel()
		if err := t.publish(ctx, false); err != nil {
			return err
		}
	}
	return t.responses(ctx)
}

// leaveTime ends a wait a little before the call does.
func leaveTime(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-min(time.Until(end)/4, time.Second)))
}

// polled answers one question. A publication that failed concerns all: the hub
// treats it as an outage of the target, and asks again.
func (t *Target) polled(ctx context.Context, v *verdict, failed error) connector.Result {
	id := v.op.Meta().ID
	c, ok, err := t.box.Change(ctx, v.key)
	switch {
	case err != nil:
		return connector.ResultOf(id, connector.Ref{}, asOutage(stateError(err)))
	case !ok:
		return connector.ResultOf(id, connector.Ref{}, errForgotten)
	case c.State == outbox.Accepted && errors.Is(failed, errUnderWay):
		return connector.ResultOf(id, connector.Ref{}, connector.Pending(v.ticket(), time.Second))
	case c.State == outbox.Accepted && failed != nil, c.State == outbox.Published && failed != nil:
		return connector.ResultOf(id, connector.Ref{}, asOutage(failed))
	}
	return t.state(ctx, v, c)
}

// asOutage is err as an error of the whole target that is no answer to a single
// operation: only what a person must mend keeps its code.
func asOutage(err error) *connector.Error {
	e := *connector.AsError(err)
	e.Scope = connector.ScopeInstance
	if e.Code.Class() != connector.ClassInstance {
		e.Code = connector.CodeUnavailable
	}
	return &e
}
