package cycle

import (
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
)

// holders knows whose the accounts of one target are: by id, and by the values
// that accounts are matched by.
type holders map[holding][]string

// holding is what an account is known by: a folded value of attribute, or its id
// in the target where attribute is "".
type holding struct {
	kind             identity.Kind
	attribute, value string
}

// add takes in an account; those in the ledger come before those still to come.
func (h *holders) add(a identity.Account, match []string) {
	if *h == nil {
		*h = holders{}
	}
	if a.Ref.ID != "" {
		h.hold(holding{kind: a.Kind, value: a.Ref.ID}, a.Anchor)
	}
	for _, name := range match {
		for _, v := range a.Applied.Get(name) {
			h.hold(holding{a.Kind, name, fold(connector.Text(v))}, a.Anchor)
		}
	}
}

func (h *holders) hold(k holding, anchor string) { (*h)[k] = append((*h)[k], anchor) }

// other returns the anchor of who holds k besides anchor, "" when nobody does. Of
// several, whoever came last: an account that somebody is about to take over from
// its former owner is nobody else's to take.
func (h *holders) other(k holding, anchor string) (found string) {
	for _, x := range (*h)[k] {
		if x != anchor {
			found = x
		}
	}
	return found
}
