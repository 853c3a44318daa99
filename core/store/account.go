package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// Accounts returns the accounts of these identities in all connectors, with
// their grants; those deleted in the target are marked Absent.
func (o *Org) Accounts(ctx context.Context, kind identity.Kind, anchors []string) (map[identity.AccountKey]identity.Account, error) {
	return o.allAccounts(ctx, `org_id = ? AND kind = ?`, []any{o.id, string(kind)}, kind, anchors)
}

// ConnectorAccounts is Accounts of one connector.
func (o *Org) ConnectorAccounts(ctx context.Context, connector string, kind identity.Kind, anchors []string) (map[identity.AccountKey]identity.Account, error) {
	return o.allAccounts(ctx, `org_id = ? AND kind = ? AND connector = ?`, []any{o.id, string(kind), connector}, kind, anchors)
}

func (o *Org) allAccounts(ctx context.Context, where string, whereArgs []any, kind identity.Kind, anchors []string) (map[identity.AccountKey]identity.Account, error) {
	found := make(map[identity.AccountKey]identity.Account, len(anchors))
	err := o.s.dialect.inChunks(anchors, func(marks string, args []any) error {
		args = append(slices.Clone(whereArgs), args...)
		if err := o.accounts(ctx, found, kind, where+` AND anchor IN (`+marks+`)`, args); err != nil {
			return err
		}
		return o.grants(ctx, found, kind, where+` AND anchor IN (`+marks+`)`, args)
	})
	return found, o.s.fail("read accounts", err)
}

func (o *Org) accounts(ctx context.Context, into map[identity.AccountKey]identity.Account, kind identity.Kind, where string, args []any) error {
	rows, err := o.s.reader.QueryContext(ctx, o.s.rebind(`SELECT connector, anchor, ownership, enabled, absent, disabled_at, rev,
		last_success_at, last_error, ref, applied FROM account WHERE `+where), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		a := identity.Account{AccountKey: identity.AccountKey{Kind: kind}}
		var absent, disabledAt, successAt int64
		var ref, applied string
		err := rows.Scan(&a.Connector, &a.Anchor, &a.Ownership, &a.Enabled, &absent, &disabledAt, &a.Rev,
			&successAt, &a.LastError, &ref, &applied)
		if err != nil {
			return err
		}
		a.Absent, a.DisabledAt, a.LastSuccessAt = absent == 1, fromMicros(disabledAt), fromMicros(successAt)
		if err := decode(ref, &a.Ref); err != nil {
			return err
		}
		if err := decode(applied, &a.Applied); err != nil {
			return err
		}
		into[a.AccountKey] = a
	}
	return rows.Err()
}

func (o *Org) grants(ctx context.Context, into map[identity.AccountKey]identity.Account, kind identity.Kind, where string, args []any) error {
	rows, err := o.s.reader.QueryContext(ctx, o.s.rebind(`SELECT connector, anchor, entitlement, reason FROM grant_edge
		WHERE `+where+` ORDER BY entitlement`), args...)
	if err != nil {
		return err
	}
	return eachGrant(rows, kind, func(key identity.AccountKey, g identity.Grant) {
		a := into[key]
		a.AccountKey = key
		a.Grants = append(a.Grants, g)
		into[key] = a
	})
}

// eachGrant reads rows of connector, anchor, entitlement, reason.
func eachGrant(rows *sql.Rows, kind identity.Kind, fn func(identity.AccountKey, identity.Grant)) error {
	defer rows.Close()
	for rows.Next() {
		key := identity.AccountKey{Kind: kind}
		var g identity.Grant
		if err := rows.Scan(&key.Connector, &key.Anchor, &g.Entitlement, &g.Reason); err != nil {
			return err
		}
		fn(key, g)
	}
	return rows.Err()
}

// inFlight is true of an operation, of the table called o, that may have reached the target, so that
// nothing else may go out for its account.
const inFlight = `(o.state IN ('sent', 'unknown') OR o.state = 'retry' AND o.continuation IS NOT NULL)`

// openStates are the states of an operation that is not finished.
const openStates = `('ready', 'leased', 'sent', 'retry', 'unknown', 'parked')`

// OpenOperations returns the unfinished operations of these identities.
func (o *Org) OpenOperations(ctx context.Context, kind identity.Kind, anchors []string) (map[identity.AccountKey]plan.OpenOperation, error) {
	found := map[identity.AccountKey]plan.OpenOperation{}
	err := o.s.dialect.inChunks(anchors, func(marks string, args []any) error {
		rows, err := o.s.reader.QueryContext(ctx, o.s.rebind(`SELECT body, state, CASE WHEN `+inFlight+` THEN 1 ELSE 0 END FROM operation o
			WHERE org_id = ? AND kind = ? AND state IN `+openStates+` AND anchor IN (`+marks+`)`), append([]any{o.id, string(kind)}, args...)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var body, state string
			var op plan.OpenOperation
			if err := rows.Scan(&body, &state, &op.Sent); err != nil {
				return err
			}
			if err := decode(body, &op.Operation); err != nil {
				return err
			}
			op.Parked = OpState(state) == OpParked
			found[op.AccountKey] = op
		}
		return rows.Err()
	})
	return found, o.s.fail("read open operations", err)
}

// AccountsDisabledBefore calls yield for each account of connector that we
// disabled before the given time and that is still in the target.
func (o *Org) AccountsDisabledBefore(ctx context.Context, connector string, before time.Time, yield func(identity.AccountKey) error) error {
	var keys []identity.Key
	err := o.keys(ctx, &keys, "", `SELECT kind, anchor FROM account
		WHERE org_id = ? AND connector = ? AND disabled_at > 0 AND disabled_at < ? AND absent = 0 ORDER BY kind, anchor`,
		o.id, connector, micros(before))
	if err != nil {
		return o.s.fail("read disabled accounts", err)
	}
	for _, k := range keys {
		if err := yield(identity.AccountKey{Connector: connector, Kind: k.Kind, Anchor: k.Anchor}); err != nil {
			return err
		}
	}
	return nil
}
