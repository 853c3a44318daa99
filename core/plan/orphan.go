package plan

import (
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

// OrphanPrefix begins the anchors of accounts that belong to nobody; behind it
// stands the target's id.
const OrphanPrefix = "orphan:"

// Orphan is the operation that disables an account which belongs to nobody. From
// then on the ledger has it, adopted, so that it is noticed when somebody enables
// it again. source is what its plan is filed under.
func Orphan(source, name string, kind identity.Kind, ref connector.Ref) Operation {
	op := Operation{
		AccountKey: identity.AccountKey{Source: source, Connector: name, Kind: kind, Anchor: OrphanPrefix + ref.ID}, Kind: Disable, Cause: CauseOrphan,
		Target: ref, Enabled: connector.IsDisabled,
	}
	op.Reason, op.Lane = reasonOf(&op), laneOf(&op)
	return op
}
