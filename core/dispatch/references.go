package dispatch

import (
	"maps"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// References are the accounts in this target of identities that others name, a
// manager above all. Who is not in it has no account there yet.
type References map[identity.Key]connector.Ref

// resolve turns the values of a reference attribute of somebody of source, which name
// identities of that source by anchor, into the target's references. ok is false when one has no account yet.
// Values of other attributes, and references with an id, stay as they are.
func (r References) resolve(source string, shape Shape, attr connector.Attr, vs connector.Values) (out connector.Values, ok bool) {
	if attr.Type != connector.TypeReference {
		return vs, true
	}
	for _, v := range vs {
		key, named := plan.Referred(source, shape.Schema, attr, v)
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

// addTo returns w's references and with them those of r that w names and does
// not have. Neither is changed; other operations share them.
func (r References) addTo(w Work, shape Shape) References {
	refs := w.Refs
	for _, key := range refersTo(w, shape) {
		ref, there := r[key]
		if _, has := refs[key]; !there || has {
			continue
		}
		refs = maps.Clone(refs)
		if refs == nil {
			refs = References{}
		}
		refs[key] = ref
	}
	return refs
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
				if key, ok := plan.Referred(w.Source, shape.Schema, attr, v); ok {
					keys = append(keys, key)
				}
			}
		}
	}
	return keys
}
