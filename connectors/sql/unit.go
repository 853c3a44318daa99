package sql

import (
	"github.com/provhub/provhub/connectors/connector"
)

// unit is what takes effect together: the steps of one account, or one operation
// that stands alone.
type unit struct {
	ops []connector.Operation
}

// lanes splits a batch into units. The units of one lane share an ordering key
// and run one after the other; lanes run side by side.
func lanes(ops []connector.Operation) [][]*unit {
	var out [][]*unit
	laneOf, unitOf := map[string]int{}, map[string]*unit{}
	for _, op := range ops {
		meta := op.Meta()
		if u := unitOf[meta.Group]; u != nil && meta.Group != "" {
			u.ops = append(u.ops, op)
			continue
		}
		u := &unit{ops: []connector.Operation{op}}
		if meta.Group != "" {
			unitOf[meta.Group] = u
		}
		at, known := laneOf[meta.OrderingKey]
		if !known || meta.OrderingKey == "" {
			at = len(out)
			out = append(out, nil)
			laneOf[meta.OrderingKey] = at
		}
		out[at] = append(out[at], u)
	}
	return out
}

// answers is the answer to every operation of a unit, in order.
type answers []connector.Result

func (u *unit) answers() answers {
	out := make(answers, len(u.ops))
	for i, op := range u.ops {
		out[i].ID = op.Meta().ID
	}
	return out
}

// failAt answers a unit that took no effect because of step i. The other steps
// were not attempted, or were rolled back with it.
func (u *unit) failAt(i int, err error) answers {
	out := u.answers()
	e := connector.AsError(err)
	for k := range out {
		out[k].Outcome = connector.OutcomeCancelled
		if k != i {
			out[k].Err = &connector.Error{Code: e.Code, NativeCode: e.NativeCode, Scope: e.Scope, RetryAfter: e.RetryAfter,
				Message: "not done, because the " + string(u.ops[i].Verb()) + " of the same account failed: " + e.Message}
		}
	}
	out[i].Outcome, out[i].Err = connector.OutcomeFailed, e
	return out
}

// failAll answers a unit none of whose steps took effect.
func (u *unit) failAll(err error) answers {
	out := u.answers()
	for i := range out {
		out[i].Outcome, out[i].Err = connector.OutcomeFailed, connector.AsError(err)
	}
	return out
}

// unknown answers a unit that may or may not have taken effect.
func (u *unit) unknown(err error) answers {
	out := u.answers()
	for i := range out {
		out[i].Outcome, out[i].Err = connector.OutcomeUnknown, connector.AsError(err)
	}
	return out
}
