package plan

import (
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

// anchorAttribute is what a reference that a rule gives finds its identity by.
const anchorAttribute = "anchor"

// Referred returns the identity of source that a value of a reference attribute names by
// its anchor. ok is false for a reference the target can use as it is.
func Referred(source string, schema connector.Schema, attr connector.Attr, v connector.Value) (key identity.Key, ok bool) {
	key.Source, key.Kind = source, identity.Person
	if t, found := schema.Type(attr.RefersTo); found && t.Kind == connector.KindGroup {
		key.Kind = identity.Group
	}
	switch x := v.(type) {
	case string:
		key.Anchor = x
	case connector.Ref:
		if x.ID != "" {
			return identity.Key{}, false
		}
		// A rule's ref() names an identity by its anchor, and says of which kind.
		if key.Anchor = x.Name; x.By.Attribute == anchorAttribute {
			key.Anchor, key.Kind = x.By.Value, identity.Kind(x.Type)
		}
	}
	return key, key.Anchor != ""
}
