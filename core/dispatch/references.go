package dispatch

import (
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

// References are the accounts in this target of identities that others name, a
// manager above all. Who is not in it has no account there yet.
type References map[identity.Key]connector.Ref

// resolve turns the values of a reference attribute, which name identities by
// anchor, into the target's references. ok is false when one has no account yet.
// Values of other attributes, and references with an id, stay as they are.
func (r References) resolve(shape Shape, attr connector.Attr, vs connector.Values) (out connector.Values, ok bool) {
	if attr.Type != connector.TypeReference {
		return vs, true
	}
	for _, v := range vs {
		key, named := referred(shape, attr, v)
		if !named {
			out = append(out, v)
			continue
		}
		ref, found := r[key]
		if !found {
			return nil, false
		}
		out = append(out, ref)
	}
	return out, true
}

// referred returns the identity that a value of a reference attribute names by
// its anchor. ok is false for a reference the target can use as it is.
func referred(shape Shape, attr connector.Attr, v connector.Value) (key identity.Key, ok bool) {
	key.Kind = identity.Person
	if t, found := shape.Type(attr.RefersTo); found && t.Kind == connector.KindGroup {
		key.Kind = identity.Group
	}
	switch x := v.(type) {
	case string:
		key.Anchor = x
	case connector.Ref:
		if x.ID != "" {
			return identity.Key{}, false
		}
		key.Anchor = x.Name
	}
	return key, key.Anchor != ""
}

// refersTo lists the identities that w's changes name.
func refersTo(w Work, shape Shape) []identity.Key {
	typ := shape.typeOf(w.AccountKey.Kind)
	var keys []identity.Key
	for _, c := range w.Changes {
		attr := attrOf(typ, c.Name)
		if attr.Type != connector.TypeReference {
			continue
		}
		for _, vs := range []connector.Values{c.Before, c.After} {
			for _, v := range vs {
				if key, ok := referred(shape, attr, v); ok {
					keys = append(keys, key)
				}
			}
		}
	}
	return keys
}

// refKey is the key of an account's identity in [References], which knows no
// sources: an anchor is unique among all that feed one connector.
func refKey(k identity.AccountKey) identity.Key { return identity.Key{Kind: k.Kind, Anchor: k.Anchor} }
