package hub

import (
	"fmt"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/config"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/mapping"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/wording"
)

// unmatchable says why existing accounts cannot be found as match.by of a connector
// wants it; nil: they can. Such a connector makes no accounts, as whoever has one there
// already would be given a second; leavers are disabled all the same.
func unmatchable(c *config.Connector, k known) (faults []string) {
	for _, r := range c.Rules {
		by := c.Policy.Match
		if r.Kind == identity.Group {
			by = c.GroupPolicy.Match
		}
		object, ok := plan.ObjectType(plan.Narrow(k.Schema, k.Capabilities), r.Kind)
		if !ok {
			continue
		}
		for _, name := range by {
			if text := unfindable(object, r, name, k.Capabilities); text != "" {
				faults = append(faults, "match.by: "+text)
			}
		}
	}
	return faults
}

// unfindable says why nobody is found by the attribute called name; "": they are, by
// asking for it or in a listing.
func unfindable(object connector.ObjectType, r mapping.Rules, name string, caps connector.Capabilities) string {
	attr, there := object.Attr(name)
	listed := there && caps.List && !attr.WriteOnly
	if !slices.Contains(object.Correlation, name) && !listed {
		return fmt.Sprintf("the target cannot look a %s up by %q%s; it can by %s", r.Kind, name, wording.DidYouMean(name, object.Correlation), strings.Join(object.Correlation, ", "))
	}
	if !slices.ContainsFunc(r.Attributes, func(a mapping.AttributeRule) bool { return a.To == name }) {
		return fmt.Sprintf("no rule gives %q, so there is nothing to look a %s up by", name, r.Kind)
	}
	return ""
}
