package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// Accounts returns the accounts of these identities of source in all connectors,
// with their grants; those deleted in the target are marked Absent.
func (o *Org) Accounts(ctx context.Context, source string, kind identity.Kind, anchors []string) (map[identity.AccountKey]identity.Account, error) {
	return o.allAccounts(ctx, `org_id = ? AND source = ? AND kind = ?`, []any{o.id, source, string(kind)}, anchors)
}

// ConnectorAccounts is Accounts of one connector, for identities of whatever sources.
func (o *Org) ConnectorAccounts(ctx context.Context, connector string, keys []identity.Key) (map[identity.AccountKey]identity.Account, error) {
	found := make(map[identity.AccountKey]identity.Account, len(keys))
	for of, anchors := range bySource(keys) {
		some, err := o.allAccounts(ctx, `org_id = ? AND source = ? AND kind = ? AND connector = ?`, []any{o.id, of.Source, string(of.Kind), connector}, anchors)
		if err != nil {
			return nil, err
		}
		maps.Copy(found, some)
	}
	return found, nil
}

// bySource returns the anchors of keys by their source and kind.
func bySource(keys []identity.Key) map[identity.Key][]string {
	out := map[identity.Key][]string{}
	for _, k := range keys {
		of := identity.Key{Source: k.Source, Kind: k.Kind}
		out[of] = append(out[of], k.Anchor)
	}
	return out
}

func (o *Org) allAccounts(ctx context.Context, where string, whereArgs []any, anchors []string) (map[identity.AccountKey]identity.Account, error) {
	found := make(map[identity.AccountKey]identity.Account, len(anchors))
	err := o.s.dialect.inChunks(anchors, func(marks string, args []any) error {
		args = append(slices.Clone(whereArgs), args...)
		if err := o.accounts(ctx, found, where+` AND anchor IN (`+marks+`)`, args); err != nil {
			return err
		}
		return o.grants(ctx, found, where+` AND anchor IN (`+marks+`)`, args)
	})
	return found, o.s.fail("read accounts", err)
}

func (o *Org) accounts(ctx context.Context, into map[identity.AccountKey]identity.Account, where string, args []any) error {
	rows, err := o.s.reader.QueryContext(ctx, o.s.rebind(`SELECT source, connector, kind, anchor, ownership, enabled, absent, disabled_at, rev,
		last_success_at, last_error, ref, applied FROM account WHERE `+where), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var a identity.Account
		var absent, disabledAt, successAt int64
		var ref, applied string
		err := rows.Scan(&a.Source, &a.Connector, &a.Kind, &a.Anchor, &a.Ownership, &a.Enabled, &absent, &disabledAt, &a.Rev,
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

func (o *Org) grants(ctx context.Context, into map[identity.AccountKey]identity.Account, where string, args []any) error {
	rows, err := o.s.reader.QueryContext(ctx, o.s.rebind(`SELECT source, connector, kind, anchor, entitlement, reason FROM grant_edge
		WHERE `+where+` ORDER BY entitlement`), args...)
	if err != nil {
		return err
	}
	return eachGrant(rows, func(key identity.AccountKey, g identity.Grant) {
		a := into[key]
		a.AccountKey = key
		a.Grants = append(a.Grants, g)
		into[key] = a
	})
}

// eachGrant reads rows of source, connector, kind, anchor, entitlement, reason.
func eachGrant(rows *sql.Rows, fn func(identity.AccountKey, identity.Grant)) error {
	defer rows.Close()
	for rows.Next() {
		var key identity.AccountKey
		var g identity.Grant
		if err := rows.Scan(&key.Source, &key.Connector, &key.Kind, &key.Anchor, &g.Entitlement, &g.Reason); err != nil {
			return err
		}
		fn(key, g)
	}
	return rows.Err()
}

// inFlight is true of an operation, of the table called o, that may have reached the target, so that
// nothing else may go out for its account.
const inFlight = `(o.state IN ('sent', 'unknown') OR o.state = 'retry' AND o.continuation IS NOT NULL)`

// accepted is true of an operation, of the table called o, that the target has accepted and not
// finished: it is to be asked later, and is there for a disable that comes after.
const accepted = `(o.state IN ('unknown', 'retry') AND COALESCE(length(o.continuation), 0) > 0)`

// inDoubt is true of an operation, of the table called o, of which an attempt may have had
// an effect that nobody has seen: another operation may take its place, and has to lead
// somewhere; none may not.
const inDoubt = `(` + inFlight + ` OR o.maybe_applied = 1)`

// openStates are the states of an operation that is not finished.
const openStates = `('ready', 'leased', 'sent', 'retry', 'unknown', 'parked')`

// OpenOperations returns the unfinished operations of these identities.
func (o *Org) OpenOperations(ctx context.Context, keys []identity.Key) (map[identity.AccountKey]plan.OpenOperation, error) {
	found := map[identity.AccountKey]plan.OpenOperation{}
	for of, anchors := range bySource(keys) {
		if err := o.openOperations(ctx, found, of.Source, of.Kind, anchors); err != nil {
			return nil, o.s.fail("read open operations", err)
		}
	}
	return found, nil
}

func (o *Org) openOperations(ctx context.Context, found map[identity.AccountKey]plan.OpenOperation, source string, kind identity.Kind, anchors []string) error {
	return o.s.dialect.inChunks(anchors, func(marks string, args []any) error {
		rows, err := o.s.reader.QueryContext(ctx, o.s.rebind(`SELECT body, state, CASE WHEN `+inFlight+` THEN 1 ELSE 0 END, CASE WHEN `+accepted+` THEN 1 ELSE 0 END, CASE WHEN `+inDoubt+` THEN 1 ELSE 0 END FROM operation o
			WHERE org_id = ? AND source = ? AND kind = ? AND state IN `+openStates+` AND anchor IN (`+marks+`)`), append([]any{o.id, source, string(kind)}, args...)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var body, state string
			var op plan.OpenOperation
			if err := rows.Scan(&body, &state, &op.Sent, &op.Pending, &op.Doubt); err != nil {
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
}

// AccountsDisabledBefore calls yield for each account in connector of somebody of
// source that we disabled before the given time and that is still in the target.
func (o *Org) AccountsDisabledBefore(ctx context.Context, connector, source string, before time.Time, yield func(identity.AccountKey) error) error {
	var keys []identity.Key
	err := o.keys(ctx, &keys, source, `SELECT kind, anchor FROM account
		WHERE org_id = ? AND connector = ? AND source = ? AND disabled_at > 0 AND disabled_at < ? AND absent = 0 ORDER BY kind, anchor`,
		o.id, connector, source, micros(before))
	if err != nil {
		return o.s.fail("read disabled accounts", err)
	}
	for _, k := range keys {
		if err := yield(k.Account(connector)); err != nil {
			return err
		}
	}
	return nil
}

// AccountCount counts the accounts of a connector that are in the target and not
// disabled, up to most.
func (o *Org) AccountCount(ctx context.Context, connector string, most int) (n int, err error) {
	err = o.get(ctx, &n, `SELECT COUNT(*) FROM (SELECT 1 FROM account
		WHERE org_id = ? AND connector = ? AND absent = 0 AND enabled <> 'disabled' LIMIT ?) a`, o.id, connector, most)
	return n, o.s.fail("count accounts", err)
}
