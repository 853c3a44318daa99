package dispatch

import (
	"maps"
	"time"

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

// renew gives w the references of those whom it names and news knows: they are
// newer than its own. Those are not changed; other operations share them.
func (w *Work) renew(shape Shape, news func(identity.Key) (connector.Ref, bool)) {
	own := false
	for _, key := range refersTo(*w, shape) {
		ref, ok := news(key)
		if !ok || w.Refs[key].ID == ref.ID {
			continue
		}
		if !own {
			w.Refs, own = maps.Clone(w.Refs), true
		}
		if w.Refs == nil {
			w.Refs = References{}
		}
		w.Refs[key] = ref
	}
}

// landed is what the target calls an account that came into being, or goes by
// another id, since a moment.
type landed struct {
	ref connector.Ref
	at  time.Time
}

// moved remembers for operations that were taken before how the target calls an
// account now. Those taken later find it in the ledger.
func (l *loop) moved(a *identity.Account, now time.Time) {
	if len(l.made) > memory {
		var oldest time.Time
		for _, w := range l.taken {
			if oldest.IsZero() || w.Taken.Before(oldest) {
				oldest = w.Taken
			}
		}
		maps.DeleteFunc(l.made, func(_ identity.Key, x landed) bool { return oldest.IsZero() || x.at.Before(oldest) })
	}
	l.made[a.AccountKey.Identity()] = landed{a.Ref, now}
}

// madeSince tells what became of accounts since taken.
func (l *loop) madeSince(taken time.Time) func(identity.Key) (connector.Ref, bool) {
	return func(key identity.Key) (connector.Ref, bool) {
		x, ok := l.made[key]
		return x.ref, ok && !x.at.Before(taken)
	}
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
