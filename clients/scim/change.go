package scim

import (
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// Change is the new content of one attribute: either Replace is the whole content
// (empty: clear it), or Add and Remove hold a delta. Values are as JSON has them:
// string, bool, number, map[string]any.
//
// A path that ends in .value of an attribute with many values, without a filter,
// means all of them: emails.value takes a list of addresses. The manager of the
// enterprise extension is its id, or {value: id}.
type Change struct {
	Path    Path
	Multi   bool // it holds a list, also with one value; known for the attributes of the RFCs
	Delta   bool
	Replace []any
	Add     []any
	Remove  []any
}

// managerValue is where the id of a manager stands (RFC 7643 §4.3).
var managerValue = Path{Schema: EnterpriseUser, Attr: "manager", Sub: "value"}

// normal returns the change in the one form that the rest of the package knows:
// the manager by its id, Multi where the attribute holds a list, no Delta for what
// holds one value. INVALID_VALUE or UNSUPPORTED, naming the attribute, when it
// cannot be.
func (a *AttributeIndex) normal(p *Profile, ch Change) (Change, error) {
	if ch.Path.Bare().Names(managerValue.Bare()) && (ch.Path.Sub == "" || ch.Path.Names(managerValue)) {
		ch.Path = managerValue
		for i, v := range ch.Replace {
			if o := object(v); o != nil {
				ch.Replace = slices.Clone(ch.Replace)
				ch.Replace[i] = member(o, "value")
			}
		}
	}
	ch.Multi = ch.Multi || a.MultiValued(ch.Path)
	switch {
	case ch.Path.in(p.Immutable):
		return ch, refused(connector.CodePolicy, ch.Path, "cannot be changed later on this target (profile %s, immutable)", p.Name)
	case ch.Path.Bare().Names(Path{Attr: "members"}):
		return ch, refused(connector.CodeUnsupported, ch.Path, "is changed member by member")
	case ch.Multi && ch.Path.Where == nil && ch.Path.Sub != "" && !strings.EqualFold(ch.Path.Sub, "value"):
		return ch, refused(connector.CodeUnsupported, ch.Path, "needs a filter that says whose %s, such as [type eq \"work\"]", ch.Path.Sub)
	}
	if many := ch.Multi && ch.Path.Where == nil; !many {
		if ch.Delta {
			ch.Delta, ch.Replace, ch.Add, ch.Remove = false, ch.Add, nil, nil
		}
		if len(ch.Replace) > 1 {
			return ch, refused(connector.CodeInvalidValue, ch.Path, "takes one value")
		}
	} else if single := ch.Path.in(p.SingleValued); single && len(ch.Replace) > 1 {
		return ch, refused(connector.CodeInvalidValue, ch.Path, "takes one value on this target (profile %s, single_valued)", p.Name)
	}
	return ch, nil
}

func refused(code connector.Code, path Path, format string, args ...any) *connector.Error {
	e := connector.Errorf(code, "attribute "+path.String()+" "+format, args...)
	e.Attributes = []string{path.String()}
	return e
}

// clears reports whether the change leaves the attribute without a value.
func (ch Change) clears() bool { return !ch.Delta && len(ch.Replace) == 0 }

// reads reports whether a PATCH of the change depends on what is there: whether a
// row exists, which one is primary, what else a list holds.
func (p *Profile) reads(ch Change) bool {
	switch {
	case ch.Path.Where != nil:
		return p.PatchStyle != PatchDotted || strings.EqualFold(ch.Path.Sub, "primary") || slices.ContainsFunc(ch.Replace, isPrimary)
	case !ch.Multi:
		return false
	case ch.Delta:
		return len(ch.Remove) > 0 && p.PathFilters != PathFiltersFull || p.PatchStyle == PatchPathlessObject || p.PatchStyle == PatchPathlessSingle ||
			slices.ContainsFunc(ch.Add, isPrimary)
	}
	return strings.EqualFold(ch.Path.Sub, "value") // rows keep their type
}

func isPrimary(row any) bool {
	primary, _ := boolOf(member(object(row), "primary"))
	return primary
}
