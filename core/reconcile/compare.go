package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/plan"
)

// compare returns what obj holds otherwise than the ledger's row have. What the
// target does not tell is no difference: attributes that are write-only or were cut
// short, grants that it does not list.
func (w *walk) compare(have identity.Account, obj connector.Object) []Difference {
	var out []Difference
	if have.Enabled != connector.EnabledUnknown && obj.Enabled != connector.EnabledUnknown && have.Enabled != obj.Enabled {
		out = append(out, Difference{Ledger: connector.Values{string(have.Enabled)}, Target: connector.Values{string(obj.Enabled)}, Text: string(obj.Enabled)})
	}
	for _, a := range have.Applied {
		at, known := w.typ.Attr(a.Name)
		if !known || at.WriteOnly || at.Secret {
			continue
		}
		has, told := told(obj, a.Name)
		if told && !w.same(have.Source, at, a.Values, has) {
			out = append(out, Difference{Attribute: a.Name, Ledger: a.Values, Target: has, Text: a.Name})
		}
	}
	return append(out, grants(have, obj, func(e string) bool { return w.managed[e] })...)
}

// same reports whether the ledger's content of an attribute and the target's are one.
// The ledger names people by their anchors, the target its own ids: a reference to
// somebody whose account is not known is not judged.
func (w *walk) same(source string, at connector.Attr, ledger, target connector.Values) bool {
	if at.Type != connector.TypeReference {
		return plan.Same(at, ledger, target)
	}
	if len(ledger) != len(target) {
		return !w.resolved(source, at, ledger)
	}
	return !slices.ContainsFunc(ledger, func(v connector.Value) bool {
		id, known := w.referred(source, at, v)
		return known && !slices.ContainsFunc(target, func(t connector.Value) bool { return isID(t, id) })
	})
}

// resolved reports whether all references of the ledger lead to accounts that are known.
func (w *walk) resolved(source string, at connector.Attr, vs connector.Values) bool {
	return !slices.ContainsFunc(vs, func(v connector.Value) bool {
		_, known := w.referred(source, at, v)
		return !known
	})
}

// referred is the target's id of what a reference of the ledger names.
func (w *walk) referred(source string, at connector.Attr, v connector.Value) (id string, known bool) {
	key, named := plan.Referred(source, w.Schema, at, v)
	if !named {
		r, _ := v.(connector.Ref)
		return r.ID, r.ID != ""
	}
	id, known = w.ids[key]
	return id, known
}

// isID reports whether a value that the target told is the object called id.
func isID(v connector.Value, id string) bool {
	if r, ok := v.(connector.Ref); ok && r.ID != "" {
		return r.ID == id
	}
	return connector.Text(v) == id
}

// told returns the values of an attribute; false when the target did not tell all.
func told(obj connector.Object, name string) (connector.Values, bool) {
	for _, a := range obj.Attributes {
		if a.Name == name {
			return a.Values, !a.Incomplete
		}
	}
	return nil, true
}

// grants compares entitlements. nil in obj: the target does not tell. managed tells which
// are ours.
func grants(have identity.Account, obj connector.Object, managed func(string) bool) (out []Difference) {
	if obj.Grants == nil {
		return nil
	}
	for _, g := range have.Grants {
		if !slices.ContainsFunc(obj.Grants, func(r connector.Ref) bool { return is(r, g.Entitlement) }) {
			out = append(out, Difference{Grant: g.Entitlement, Text: "grant " + g.Entitlement + ": gone"})
		}
	}
	for _, r := range obj.Grants {
		if slices.ContainsFunc(have.Grants, func(g identity.Grant) bool { return is(r, g.Entitlement) }) {
			continue
		}
		name := entitlement(r, managed)
		out = append(out, Difference{Grant: name, Text: "grant " + name + ": extra", Unmanaged: !managed(name)})
	}
	return out
}

// is reports whether the target's reference is the entitlement that rules call so.
func is(r connector.Ref, entitlement string) bool {
	return r.ID == entitlement || r.Name != "" && strings.EqualFold(r.Name, entitlement)
}

// entitlement is what rules call the target's reference.
func entitlement(r connector.Ref, managed func(string) bool) string {
	for _, name := range []string{r.Name, r.ID} {
		if name != "" && managed(name) {
			return name
		}
	}
	return r.String()
}

// corrected is the ledger's row as the target was seen to be. The difference is
// then the next plan's to mend.
func corrected(have identity.Account, f *Finding) identity.Account {
	switch f.Situation {
	case Missing:
		have.Absent, have.Grants = true, nil
		return have
	case Returned:
		have.Absent = false
	}
	for _, d := range f.Differences {
		switch {
		case d.Attribute != "":
			have.Applied = replaced(have.Applied, d.Attribute, d.Target)
		case d.Grant != "" && !d.Unmanaged:
			have.Grants = toggled(have.Grants, d.Grant)
		}
	}
	if f.seen.Enabled != connector.EnabledUnknown {
		have.Enabled = f.seen.Enabled
	}
	return have
}

func replaced(as connector.Attributes, name string, vs connector.Values) connector.Attributes {
	out := slices.Clone(as)
	for i := range out {
		if out[i].Name == name {
			out[i].Values = vs
		}
	}
	return slices.DeleteFunc(out, func(a connector.Attribute) bool { return a.Name == name && len(vs) == 0 })
}

// toggled adds an entitlement that the ledger did not have, and takes away one
// that it had.
func toggled(gs []identity.Grant, name string) []identity.Grant {
	without := slices.DeleteFunc(slices.Clone(gs), func(g identity.Grant) bool { return g.Entitlement == name })
	if len(without) < len(gs) {
		return without
	}
	out := append(without, identity.Grant{Entitlement: name, Reason: "found in the target"})
	slices.SortFunc(out, func(a, b identity.Grant) int { return strings.Compare(a.Entitlement, b.Entitlement) })
	return out
}

// drift says in one sentence what differs.
func drift(ds []Difference) string {
	texts := make([]string, len(ds))
	for i, d := range ds {
		texts[i] = d.Text
	}
	const shown = 5
	if len(texts) > shown {
		texts = append(texts[:shown], fmt.Sprintf("%d more", len(texts)-shown))
	}
	return strings.Join(texts, ", ")
}
