package store

import (
	"context"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

// AccountRefs calls yield for each account of connector that is in the target,
// with where it is there, in no promised order.
func (o *Org) AccountRefs(ctx context.Context, name string, yield func(identity.AccountKey, connector.Ref) error) error {
	rows, err := o.s.reader.QueryContext(ctx, o.s.rebind(`SELECT kind, anchor, ref FROM account
		WHERE org_id = ? AND connector = ? AND absent = 0`), o.id, name)
	if err != nil {
		return o.s.fail("read accounts", err)
	}
	defer rows.Close()
	for rows.Next() {
		key, text := identity.AccountKey{Connector: name}, ""
		var ref connector.Ref
		if err := rows.Scan(&key.Kind, &key.Anchor, &text); err != nil {
			return o.s.fail("read accounts", err)
		}
		if err := decode(text, &ref); err != nil {
			return o.s.fail("read accounts", err)
		}
		if err := yield(key, ref); err != nil {
			return err
		}
	}
	return o.s.fail("read accounts", rows.Err())
}
