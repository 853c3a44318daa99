package memory

import (
	"context"
	"fmt"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// Preview implements [connector.Planner]. It names attributes, never values.
func (t *Target) Preview(_ context.Context, op connector.Operation) (string, error) {
	switch o := op.(type) {
	case connector.Create:
		var names []string
		for _, a := range o.Attributes {
			names = append(names, a.Name)
		}
		return fmt.Sprintf("create %s with %s", o.Type, strings.Join(names, ", ")), nil
	case connector.Update:
		var names []string
		for _, c := range o.Changes {
			names = append(names, c.Name)
		}
		return fmt.Sprintf("update %s %s: %s", o.Target.Type, o.Target.ID, strings.Join(names, ", ")), nil
	case connector.Grant:
		return fmt.Sprintf("grant %s %s to %s %s", o.Entitlement.Type, o.Entitlement, o.Principal.Type, o.Principal.ID), nil
	case connector.Revoke:
		return fmt.Sprintf("revoke %s %s from %s %s", o.Entitlement.Type, o.Entitlement, o.Principal.Type, o.Principal.ID), nil
	}
	return string(op.Verb()), nil
}
