package store

import (
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// targetAccount is one account as its target names it.
type targetAccount struct{ connector, kind, id string }

// refuseOwned parks what came back with an account of the target that is another
// identity's in the ledger: no account is owned twice, whatever a plan did not see and
// a target answers (QUIRKS HR-2).
func (b *batch) refuseOwned() error {
	var makes []int
	for i, f := range b.fs {
		op := b.ops[f.ID]
		if f.Account != nil && !f.Account.Absent && f.Account.Ref.ID != "" && (op.Op == string(plan.Create) || op.Op == string(plan.Adopt)) {
			makes = append(makes, i)
		}
	}
	owners, err := b.owners(makes)
	if err != nil {
		return err
	}
	for _, i := range makes {
		f, self := &b.fs[i], b.ops[b.fs[i].ID].accountKey()
		at := targetAccount{self.Connector, string(self.Kind), f.Account.Ref.ID}
		owner, owned := owners[at]
		if !owned || owner == self.Identity() || owner == f.Operation.Replaces {
			owners[at] = self.Identity() // also for those after it in this batch
			continue
		}
		f.State, f.Account, f.Continuation = OpParked, nil, nil
		f.Err = connector.Errorf(connector.CodeAlreadyExists,
			"the target answered with the account of %s; two people cannot share an account: make rules or sources tell them apart, then retry", owner.In(self.Source))
	}
	return nil
}

// owners returns who has the accounts that these of b.fs came back with.
func (b *batch) owners(makes []int) (map[targetAccount]identity.Key, error) {
	found := map[targetAccount]identity.Key{}
	err := b.t.s.dialect.eachChunk(len(makes), 3, func(from, to int) error {
		var args []any
		for _, i := range makes[from:to] {
			op := b.ops[b.fs[i].ID]
			args = append(args, op.Connector, op.Kind, b.fs[i].Account.Ref.ID)
		}
		var rows []struct {
			Connector, Source, Kind, Anchor string
			ID                              string `db:"target_id"`
		}
		err := b.t.all(&rows, `WITH v(connector, kind, target_id) AS (`+values(to-from, "TEXT", "TEXT", "TEXT")+`)
			SELECT a.connector, a.source, a.kind, a.anchor, v.target_id FROM v CROSS JOIN account a
			WHERE a.org_id = ? AND a.connector = v.connector AND a.kind = v.kind AND a.ref <> '' AND `+b.t.s.dialect.targetID+` = v.target_id AND a.absent = 0`, append(args, b.org)...)
		for _, r := range rows {
			found[targetAccount{r.Connector, r.Kind, r.ID}] = identity.Key{Source: r.Source, Kind: identity.Kind(r.Kind), Anchor: r.Anchor}
		}
		return err
	})
	return found, err
}
