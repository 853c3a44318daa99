package memory

import (
	"context"
	"slices"

	"github.com/provhub/provhub/connectors/connector"
)

// atomic is a target that takes the steps of one account together.
type atomic struct{ *Target }

// Verbs implements [connector.Batcher].
func (atomic) Verbs() []connector.Verb {
	return []connector.Verb{connector.VerbCreate, connector.VerbUpdate, connector.VerbEnable, connector.VerbDisable,
		connector.VerbDelete, connector.VerbGrant, connector.VerbRevoke, connector.VerbSetCredential, connector.VerbRename, connector.VerbPoll}
}

// ApplyBatch implements [connector.Batcher].
func (a atomic) ApplyBatch(ctx context.Context, ops []connector.Operation) []connector.Result {
	var out []connector.Result
	for len(ops) > 0 {
		n := 1
		for g := ops[0].Meta().Group; g != "" && n < len(ops) && ops[n].Meta().Group == g; {
			n++
		}
		out = append(out, a.group(ctx, ops[:n])...)
		ops = ops[n:]
	}
	return out
}

// group carries out the steps of one account, all or nothing.
func (a atomic) group(ctx context.Context, ops []connector.Operation) []connector.Result {
	results := make([]connector.Result, len(ops))
	var faults []Fault
	for i, op := range ops {
		if p, ok := op.(connector.Poll); ok {
			results[i] = connector.ResultOf(p.ID, connector.Ref{}, a.Poll(ctx, p))
			continue
		}
		fs, err := a.begin(ctx, a.occasionOf(op))
		if err != nil {
			return notDone(ops, i, err)
		}
		faults = append(faults, fs...)
	}
	failed := -1
	err := a.store.do(func(tx *tx) error {
		for i, op := range ops {
			if op.Verb() == connector.VerbPoll {
				continue
			}
			mark := tx.mark()
			ref, answer, err := a.perform(tx, op)
			if err != nil && !connector.IsCode(err, connector.CodeDependencyMissing) {
				failed = i
				return err
			}
			if err != nil {
				tx.rollback(mark)
				answer = err
			}
			results[i] = connector.ResultOf(op.Meta().ID, ref, answer)
		}
		return nil
	})
	if err != nil {
		return notDone(ops, failed, err)
	}
	if err := after(ctx, faults); err != nil {
		for i, op := range ops {
			results[i] = connector.ResultOf(op.Meta().ID, connector.Ref{}, err)
		}
	}
	return misanswered(results, faults)
}

// notDone answers a group that was rolled back because of the operation at
// failed; -1: because of them all.
func notDone(ops []connector.Operation, failed int, err error) []connector.Result {
	out := make([]connector.Result, len(ops))
	for i, op := range ops {
		out[i] = connector.ResultOf(op.Meta().ID, connector.Ref{}, err)
		if failed >= 0 && i != failed {
			out[i] = connector.Result{ID: op.Meta().ID, Outcome: connector.OutcomeCancelled,
				Err: connector.Errorf(connector.CodeDependencyMissing, "another step of the same account failed; nothing was done")}
		}
	}
	return out
}

// misanswered breaks the contract, when it is asked to.
func misanswered(results []connector.Result, faults []Fault) []connector.Result {
	if _, ok := find(faults, Twice); ok {
		results = append(slices.Clone(results), results[0])
	}
	if _, ok := find(faults, WrongID); ok {
		results[0].ID = "nobody-asked-for-this"
	}
	return results
}
