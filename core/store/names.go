package store

import "context"

// NameTaken reports whether another identity than anchor has value, folded to
// lower case, reserved for attribute in connector (QUIRKS HR-17). A name that was
// given up counts as taken for as long as it is kept (QUIRKS HR-18).
func (o *Org) NameTaken(ctx context.Context, connector, attribute, value, anchor string) (bool, error) {
	var n int
	err := o.get(ctx, &n, `SELECT COUNT(*) FROM name_reservation
		WHERE org_id = ? AND connector = ? AND attribute = ? AND value = ? AND anchor <> ?`, o.id, connector, attribute, value, anchor)
	return n > 0, o.s.fail("look up a name", err)
}
