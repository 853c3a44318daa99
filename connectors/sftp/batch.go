package sftp

import (
	"context"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sftp/outbox"
)

// ApplyBatch implements [connector.Batcher]. Changes are accepted into the outbox;
// where files are made at once, they are published before they are answered.
func (t *Target) ApplyBatch(ctx context.Context, ops []connector.Operation) []connector.Result {
	var polls, writes []connector.Operation
	for _, op := range ops {
		if op.Verb() == connector.VerbPoll {
			polls = append(polls, op)
		} else {
			writes = append(writes, op)
		}
	}
	var out []connector.Result
	if len(writes) > 0 {
		out = t.apply(ctx, writes)
	}
	if len(polls) > 0 {
		out = append(out, t.poll(ctx, polls)...)
	}
	return out
}

// apply accepts changes.
func (t *Target) apply(ctx context.Context, ops []connector.Operation) []connector.Result {
	if err := t.begin(ctx); err != nil {
		return refuse(ops, err)
	}
	verdicts := t.accept(ctx, ops)
	var failed error
	if t.cfg.atOnce() {
		failed = t.publishAll(ctx, verdicts)
	}
	return t.answers(ctx, verdicts, failed)
}

// begin makes sure that something can be accepted: the outbox holds what the
// receiver has, and where files are made at once the server can be reached.
func (t *Target) begin(ctx context.Context) error {
	if err := t.prepare(ctx); err != nil {
		return err
	}
	if !t.cfg.atOnce() {
		return nil
	}
	srv, release := t.server()
	defer release()
	if _, err := srv.Stat(ctx, t.cfg.Folder); err != nil {
		return folderError(t.cfg.Folder, err)
	}
	return nil
}

func folderError(dir string, err error) error {
	if connector.IsCode(err, connector.CodeNotFound) {
		return &connector.Error{Code: connector.CodeConfiguration, NativeCode: "SFTP 2", Message: "the folder " + dir + " is not on the server; make it, or correct the config"}
	}
	return err
}

// refuse answers operations of which nothing was accepted.
func refuse(ops []connector.Operation, err error) []connector.Result {
	out := make([]connector.Result, len(ops))
	for i, op := range ops {
		out[i] = connector.Result{ID: op.Meta().ID, Outcome: connector.OutcomeFailed, Err: connector.AsError(err)}
	}
	return out
}

// publishAll publishes until all changes are, or it cannot be done.
func (t *Target) publishAll(ctx context.Context, vs []*verdict) error {
	for range 3 { // a publication that was under way may have begun before ours
		open, err := t.anyOpen(ctx, vs)
		if err != nil || !open {
			return err
		}
		if err := t.publish(ctx, true); err != nil {
			return err
		}
	}
	return nil
}

// anyOpen reports whether a change is not published yet.
func (t *Target) anyOpen(ctx context.Context, vs []*verdict) (bool, error) {
	for _, v := range vs {
		if v.answer != nil || v.key == "" {
			continue
		}
		c, _, err := t.box.Change(ctx, v.key)
		if err != nil || c.State == outbox.Accepted {
			return true, stateError(err)
		}
	}
	return false, nil
}

// answers says what has become of changes. failed is why the publication did not
// come about.
func (t *Target) answers(ctx context.Context, vs []*verdict, failed error) []connector.Result {
	ctx = context.WithoutCancel(ctx)
	return complete(vs, func(v *verdict) connector.Result { return t.answer(ctx, v, failed) })
}

// complete returns the answers of vs; answer gives those that are open.
func complete(vs []*verdict, answer func(*verdict) connector.Result) []connector.Result {
	out := make([]connector.Result, len(vs))
	for i, v := range vs {
		if v.answer == nil {
			r := answer(v)
			v.answer = &r
		}
		out[i] = *v.answer
	}
	return out
}

func (t *Target) answer(ctx context.Context, v *verdict, failed error) connector.Result {
	id, c := v.op.Meta().ID, v.change
	var err error
	if t.cfg.atOnce() {
		c, _, err = t.box.Change(ctx, v.key)
	}
	switch {
	case err != nil:
		return connector.ResultOf(id, connector.Ref{}, connector.Unknown(stateError(err)))
	case c.State == outbox.Accepted && failed != nil && inDoubt(failed):
		return connector.ResultOf(id, connector.Ref{}, connector.Unknown(failed))
	case c.State == outbox.Accepted && failed != nil:
		// It is in the outbox for good; the hub's next question gets the reason.
		return connector.ResultOf(id, connector.Ref{}, connector.Pending(v.ticket(), time.Millisecond))
	}
	return t.state(ctx, v, c)
}

// state answers from the state of a change.
func (t *Target) state(ctx context.Context, v *verdict, c outbox.Change) connector.Result {
	id := v.op.Meta().ID
	switch c.State {
	case outbox.Confirmed:
		return t.confirmed(ctx, v, c)
	case outbox.Rejected:
		return connector.Result{ID: id, Outcome: connector.OutcomeFailed, Err: &connector.Error{
			Code: connector.Code(c.Code), Message: c.Message, NativeCode: "response"}}
	case outbox.Published:
		if a := t.cfg.Acks; a != nil {
			if late := time.Since(c.PublishedAt); late > orDefault(a.Wait, 24*time.Hour) {
				return connector.Result{ID: id, Outcome: connector.OutcomeFailed, Err: connector.Errorf(connector.CodeTimeout,
					"publication %d is without a response for %v; ask the receiver whether it was read, then retry", c.Seq, late.Round(time.Minute))}
			}
			return connector.ResultOf(id, connector.Ref{}, connector.Pending(v.ticket(), orDefault(a.Poll, time.Minute)))
		}
	}
	return connector.ResultOf(id, connector.Ref{}, connector.Pending(v.ticket(), t.patience(c)))
}

// confirmed is the answer to a change that the receiver has. The account is told
// where it was made: the other steps do not make one.
func (t *Target) confirmed(ctx context.Context, v *verdict, c outbox.Change) connector.Result {
	r := connector.Result{ID: v.op.Meta().ID, Outcome: connector.OutcomeApplied, RequestID: requestID(c.Seq)}
	if !v.makes() {
		return r
	}
	shown, err := t.box.Shown(ctx, c.ID)
	if err != nil {
		return connector.ResultOf(r.ID, connector.Ref{}, connector.Unknown(stateError(err)))
	}
	o := connector.Object{Ref: connector.Ref{Type: t.cfg.typeName(), ID: c.ID}}
	if row, err := decodeRow(shown); err == nil && visible(row) != nil {
		o = t.object(c.ID, row, nil)
	}
	r.Object = &o
	return r
}

// patience is when to ask again after a change that waits to be published. It is
// as long as others have been coming in by now, so that those who ask do not keep
// out those that are still to be accepted, and all of them get into one file.
func (t *Target) patience(c outbox.Change) time.Duration {
	now, since := time.Now(), c.At
	if w := t.box.Waiting(); w.Changes > 0 && w.First.Before(since) {
		since = w.First
	}
	return max(min(now.Sub(since), t.cfg.within()), min(t.dueIn(now), t.cfg.within()), 50*time.Millisecond)
}
