package cycle

import (
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

// holders knows whose the accounts of one target are, of whatever source: by id, and
// by the values that accounts are found by.
type holders map[holding][]identity.Key

// holding is what an account is known by: a folded value of attribute, or its id
// in the target where attribute is "".
type holding struct {
	kind             identity.Kind
	attribute, value string
}

// add takes in an account that is known by these attributes; those in the ledger come
// before those still to come.
func (h *holders) add(a identity.Account, known []string) {
	if *h == nil {
		*h = holders{}
	}
	if a.Ref.ID != "" {
		h.hold(holding{kind: a.Kind, value: a.Ref.ID}, a.Identity())
	}
	for _, name := range known {
		for _, v := range a.Applied.Get(name) {
			h.hold(holding{a.Kind, name, fold(connector.Text(v))}, a.Identity())
		}
	}
}

func (h *holders) hold(k holding, by identity.Key) { (*h)[k] = append((*h)[k], by) }

// other returns who holds k besides self, the zero Key when nobody does. Of several,
// whoever came last: an account that somebody is about to take over from its former
// owner is nobody else's to take.
func (h *holders) other(k holding, self identity.Key) (found identity.Key) {
	for _, x := range (*h)[k] {
		if x != self {
			found = x
		}
	}
	return found
}
