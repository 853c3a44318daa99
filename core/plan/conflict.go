package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/provhub/provhub/core/identity"
)

// claim names an account in a target before we have it: by its id, or by the
// value that finds it.
type claim struct{ connector, object, attribute, value string }

// Conflicts takes out the creations and adoptions in which two identities claim
// the same account in a target (QUIRKS HR-2). It returns the operations that
// stay, in their order, and one note for each that was taken out. None of the
// rivals wins: whose account it is, a person must say.
func Conflicts(ops []Operation) (kept []Operation, notes []Note) {
	rivals := map[claim][]identity.AccountKey{}
	for i := range ops {
		for _, c := range claims(&ops[i]) {
			rivals[c] = append(rivals[c], ops[i].AccountKey)
		}
	}
	out := map[identity.AccountKey]string{}
	for c, keys := range rivals {
		if len(keys) < 2 {
			continue
		}
		slices.SortFunc(keys, compareAccounts)
		for _, k := range keys {
			out[k] = min(cmp.Or(out[k], "\xff"), rivalText(c, k, keys))
		}
	}
	if len(out) == 0 {
		return ops, nil
	}
	for i := range ops {
		if _, rival := out[ops[i].AccountKey]; !rival {
			kept = append(kept, ops[i])
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(out), compareAccounts) {
		notes = append(notes, Note{AccountKey: k, Code: NoteConflict, Text: out[k]})
	}
	return kept, notes
}

// Claimed returns a note for each of ops that claims an account in a target which one
// of theirs, that came first, claims for somebody else.
func Claimed(ops, theirs []Operation) (notes []Note) {
	by := map[claim]identity.AccountKey{}
	for i := range theirs {
		for _, c := range claims(&theirs[i]) {
			by[c] = theirs[i].AccountKey
		}
	}
	for i := range ops {
		self := ops[i].AccountKey
		for _, c := range claims(&ops[i]) {
			if owner, taken := by[c]; taken && owner != self {
				notes = append(notes, Note{AccountKey: self, Code: NoteConflict, Text: rivalText(c, self, []identity.AccountKey{owner})})
				break
			}
		}
	}
	return notes
}

func claims(op *Operation) []claim {
	var out []claim
	if op.Kind != Create && op.Kind != Adopt {
		return nil
	}
	if op.Kind == Adopt && op.Target.ID != "" {
		out = append(out, claim{connector: op.Connector, object: string(op.AccountKey.Kind), value: op.Target.ID})
	}
	if c := op.Correlate; !c.IsZero() {
		out = append(out, claim{connector: op.Connector, object: string(op.AccountKey.Kind), attribute: c.Attribute, value: fold(c.Value)})
	}
	return out
}

func rivalText(c claim, self identity.AccountKey, keys []identity.AccountKey) string {
	var others []string
	for _, k := range keys {
		if k != self && len(others) < 3 {
			others = append(others, k.Identity().In(self.Source))
		}
	}
	by := "the same existing account"
	if c.attribute != "" {
		by = "the same value of " + c.attribute
	}
	return "claims " + by + " as " + strings.Join(others, ", ") + "; two people cannot share an account: make the source tell them apart"
}
