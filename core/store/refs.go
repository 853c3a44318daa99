package store

import (
	"context"
	"database/sql"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// Holdings calls yield for each account of connector that is in the target, with
// where it is there and what it holds, and then for each that an open operation
// will make or take over, as it will be. The order within each is not promised.
func (o *Org) Holdings(ctx context.Context, name string, yield func(identity.Account) error) error {
	err := o.eachRow(ctx, func(rows *sql.Rows) error {
		a := identity.Account{AccountKey: identity.AccountKey{Connector: name}}
		var ref, applied string
		if err := rows.Scan(&a.Source, &a.Kind, &a.Anchor, &ref, &applied); err != nil {
			return err
		}
		if err := decode(ref, &a.Ref); err != nil {
			return err
		}
		if err := decode(applied, &a.Applied); err != nil {
			return err
		}
		return yielded(yield(a))
	}, `SELECT source, kind, anchor, ref, applied FROM account WHERE org_id = ? AND connector = ? AND absent = 0`, o.id, name)
	if err != nil {
		return o.s.fail("read accounts", err)
	}
	return o.s.fail("read accounts to come", o.eachRow(ctx, func(rows *sql.Rows) error {
		var body string
		var op plan.Operation
		if err := rows.Scan(&body); err != nil {
			return err
		}
		if err := decode(body, &op); err != nil {
			return err
		}
		return yielded(yield(toCome(op)))
	}, `SELECT body FROM operation WHERE org_id = ? AND connector = ? AND op IN ('create', 'adopt') AND state IN `+openStates, o.id, name))
}

// toCome is the account as op will leave it.
func toCome(op plan.Operation) identity.Account {
	a := identity.Account{AccountKey: op.AccountKey, Ref: op.Target}
	for _, c := range op.Changes {
		a.Applied = append(a.Applied, connector.Attribute{Name: c.Name, Values: c.After})
	}
	return a
}

// eachRow calls read for each row of a query.
func (o *Org) eachRow(ctx context.Context, read func(*sql.Rows) error, q string, args ...any) error {
	rows, err := o.s.reader.QueryContext(ctx, o.s.rebind(q), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := read(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
