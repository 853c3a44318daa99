package sftp

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sftp/feed"
	"github.com/provhub/provhub/connectors/sftp/outbox"
)

// unit is what takes effect together: the steps of one account, or one operation
// that stands alone.
type unit struct{ ops []connector.Operation }

// unitsOf splits a batch, in order.
func unitsOf(ops []connector.Operation) (out []*unit) {
	groups := map[string]*unit{}
	for _, op := range ops {
		g := op.Meta().Group
		if u := groups[g]; u != nil && g != "" {
			u.ops = append(u.ops, op)
			continue
		}
		u := &unit{ops: []connector.Operation{op}}
		if g != "" {
			groups[g] = u
		}
		out = append(out, u)
	}
	return out
}

// verdict is what the outbox made of one operation.
type verdict struct {
	op  connector.Operation
	id  string // of the account
	key string // under which the change is noted; "": nothing was
	// locks: it belongs to what takes the access away, which does not wait for a response.
	locks bool
	// created: it asks after the making of an account.
	created bool
	// change is what was noted, as it was then.
	change outbox.Change
	// answer is final when it is set.
	answer *connector.Result
}

func (v *verdict) fail(err error) {
	r := connector.ResultOf(v.op.Meta().ID, connector.Ref{}, err)
	v.answer = &r
}

// accept puts operations into the outbox, each unit whole or not at all, in one
// transaction.
func (t *Target) accept(ctx context.Context, ops []connector.Operation) []*verdict {
	var out []*verdict
	err := t.box.Accept(ctx, time.Now(), func(tx *outbox.Tx) error {
		for _, u := range unitsOf(ops) {
			vs, err := t.acceptUnit(tx, u)
			if err != nil {
				return err
			}
			out = append(out, vs...)
		}
		return nil
	})
	if err != nil { // of the outbox: nothing was accepted
		out = nil
		for _, op := range ops {
			v := &verdict{op: op}
			v.fail(stateError(err))
			out = append(out, v)
		}
	}
	return out
}

// errRefused undoes a unit.
var errRefused = errors.New("refused")

func (t *Target) acceptUnit(tx *outbox.Tx, u *unit) ([]*verdict, error) {
	out := make([]*verdict, len(u.ops))
	locks := slices.ContainsFunc(u.ops, locksOut)
	for i, op := range u.ops {
		out[i] = &verdict{op: op, locks: locks}
	}
	whole := tx.Savepoint
	if len(out) == 1 { // it writes only once nothing can refuse it any more
		whole = func(f func() error) error { return f() }
	}
	err := whole(func() error {
		for i, v := range out {
			err := t.acceptOne(tx, v)
			var own *connector.Error
			switch {
			case err == nil:
			case !errors.As(err, &own):
				return err // of the outbox itself
			case own.Code == connector.CodeDependencyMissing:
				v.fail(own) // holds back only itself
			default:
				refuseAll(out, i, own)
				return errRefused
			}
		}
		return nil
	})
	if errors.Is(err, errRefused) {
		err = nil
	}
	return out, err
}

// refuseAll answers a unit that took no effect because of step i.
func refuseAll(vs []*verdict, i int, why *connector.Error) {
	for k, v := range vs {
		v.key = ""
		if k == i {
			v.fail(why)
			continue
		}
		v.answer = &connector.Result{ID: v.op.Meta().ID, Outcome: connector.OutcomeCancelled, Err: &connector.Error{
			Code: why.Code, Scope: why.Scope, Message: "not done, because the " + string(vs[i].op.Verb()) + " of the same account failed: " + why.Message}}
	}
}

// acceptOne works one operation into the outbox. A change that is there already is
// not made twice.
func (t *Target) acceptOne(tx *outbox.Tx, v *verdict) error {
	meta := v.op.Meta()
	key := meta.Key
	if key == "" {
		key = meta.ID
	}
	switch c, ok, err := tx.Change(key); {
	case err != nil:
		return err
	case ok && c.State != outbox.Rejected:
		v.key, v.id, v.change = key, c.ID, c
		return nil
	}
	var err error
	if v.id, err = t.cfg.idOf(v.op); err != nil {
		return err
	}
	held, err := tx.Load(v.id)
	if err != nil {
		return err
	}
	kept, err := decodeRow(held.Want)
	if err != nil {
		return err
	}
	is := visible(kept)
	if !proven(refOf(v.op), is) {
		is = nil
	}
	if create, ok := v.op.(connector.Create); ok && is != nil {
		return t.exists(v, create, held, is)
	}
	wanted, err := t.cfg.edit(v.op, is)
	if err == nil {
		err = t.references(tx, v.id, wanted)
	}
	if err != nil {
		return err
	}
	if _, ok := v.op.(connector.Delete); ok && is == nil {
		wanted = kept
	}
	return t.change(tx, v, key, held, wanted)
}

// locksOut reports whether op takes the access away.
func locksOut(op connector.Operation) bool {
	switch x := op.(type) {
	case connector.SetEnabled:
		return !x.Enabled
	case connector.Delete:
		return true
	}
	return false
}

// change saves what an account is to be and notes the change.
func (t *Target) change(tx *outbox.Tx, v *verdict, key string, held outbox.Held, wanted *feed.Row) error {
	r, err := t.record(v.id, wanted)
	if err != nil {
		return err
	}
	same := bytes.Equal(r.Want, held.Want)
	switch {
	case same && !held.Pending:
		v.fail(connector.Unchanged)
		return nil
	case same: // it was so already, and the receiver does not know yet
	case held.Frozen && !(v.locks && held.Sealed):
		return &connector.Error{Code: connector.CodeBusy, Scope: connector.ScopeObject,
			Message: "the last change of this account is on its way and not confirmed by the receiver yet"}
	default:
		if err := tx.Save(r); err != nil {
			return err
		}
	}
	if same && held.Frozen {
		return &connector.Error{Code: connector.CodeBusy, Scope: connector.ScopeObject,
			Message: "the same change is on its way and not confirmed by the receiver yet"}
	}
	v.key = key
	v.change, err = tx.Note(key, v.id)
	return err
}

// exists answers a create of what is there.
func (t *Target) exists(v *verdict, create connector.Create, held outbox.Held, is *feed.Row) error {
	o := t.object(v.id, is, nil)
	wanted, err := t.cfg.create(create)
	switch {
	case err != nil:
		return err
	case held.Pending:
		return &connector.Error{Code: connector.CodeAlreadyExists, Conflicting: &o.Ref, Attributes: []string{t.cfg.Key},
			Message: "an account with this " + t.cfg.Key + " was accepted under another operation and is not published yet"}
	case create.Adopt:
		v.fail(connector.Adopted(o))
		return nil
	case create.MaybeApplied && bytes.Equal(encodeRow(wanted), held.Want):
		r := connector.ResultOf(create.ID, o.Ref, connector.Unchanged)
		v.answer = &r
		return nil
	}
	return &connector.Error{Code: connector.CodeAlreadyExists, Conflicting: &o.Ref, Attributes: []string{t.cfg.Key},
		Message: "another account of the file holds this " + t.cfg.Key}
}
