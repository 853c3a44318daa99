package store

import (
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// writeAudit says what was done to whom and why, without values.
func (b *batch) writeAudit() error {
	var entries []AuditEntry
	for _, f := range b.fs {
		if f.State == OpReady || f.State == OpRetry || f.State == OpUnknown && len(f.Continuation) > 0 {
			continue // the attempt tells it; an outage, or a target that is asked again, must not flood the trail
		}
		op := b.ops[f.ID]
		detail := operationDetail(*f.Operation)
		detail["plan"], detail["attempts"] = op.Plan, op.Tries
		if f.Err != nil {
			detail["code"] = f.Err.Code.String()
		}
		entries = append(entries, entry(f.Now, Hub, "operation."+string(f.State), objectOf(op.accountKey()), detail))
	}
	return b.t.audit(b.org, entries...)
}

// objectOf names an account in the audit trail: "crm/1001". Of which source that is,
// the detail tells.
func objectOf(k identity.AccountKey) string { return k.Connector + "/" + k.Anchor }

// operationDetail is what the audit trail tells of an operation: names, no values.
func operationDetail(op plan.Operation) map[string]any {
	d := map[string]any{"operation": op.ID, "source": op.Source, "kind": op.AccountKey.Kind, "op": op.Kind, "reason": op.Reason}
	var changed, added, removed []string
	for _, c := range op.Changes {
		changed = append(changed, c.Name)
	}
	for _, g := range op.Grants {
		if g.Remove {
			removed = append(removed, g.Entitlement)
		} else {
			added = append(added, g.Entitlement)
		}
	}
	for name, list := range map[string][]string{"changed": changed, "grants_added": added, "grants_removed": removed} {
		if list != nil {
			d[name] = list
		}
	}
	return d
}
