package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/provhub/provhub/connectors/connector"
)

// Canonical returns attributes as the target's schema has them: every value in
// the attribute's type, text without surrounding blanks, values of a closed list
// in the schema's spelling, sets sorted and each value once. Case stays as it
// is; only comparing folds it. Blank text is no value, and an attribute without
// values is left out. The result is sorted by name.
//
// An error names the attribute that does not fit and why, and no value.
func Canonical(ot connector.ObjectType, a connector.Attributes) (connector.Attributes, error) {
	out := make(connector.Attributes, 0, len(a))
	for _, x := range a {
		at := attr(&ot, x.Name)
		vs, err := canonical(at, x.Values)
		if err != nil {
			return nil, fmt.Errorf("attribute %q: %w", x.Name, err)
		}
		if len(vs) > 0 {
			out = append(out, connector.Attribute{Name: x.Name, Values: vs})
		}
	}
	slices.SortFunc(out, func(x, y connector.Attribute) int { return strings.Compare(x.Name, y.Name) })
	return out, nil
}

// canonical is Canonical for one attribute. It may return vs itself.
func canonical(at *connector.Attr, vs connector.Values) (connector.Values, error) {
	if isPlainText(at, vs) {
		return vs, nil
	}
	out := make(connector.Values, 0, len(vs))
	for _, v := range vs {
		w, err := convert(at.Type, v)
		if err != nil {
			return nil, err
		}
		if w == nil {
			continue
		}
		if w, err = bounded(at, w); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	if !at.Multi {
		if len(out) > 1 {
			return nil, errors.New("holds one value, and the rule gives several")
		}
		return out, nil
	}
	if !at.Ordered {
		slices.SortStableFunc(out, func(x, y connector.Value) int { return strings.Compare(key(at, x), key(at, y)) })
		out = slices.CompactFunc(out, func(x, y connector.Value) bool { return key(at, x) == key(at, y) })
	}
	return out, nil
}

// isPlainText finds the usual case, one text that is canonical as it stands,
// without any work.
func isPlainText(at *connector.Attr, vs connector.Values) bool {
	if len(vs) != 1 || at.Type != connector.TypeString && at.Type != "" || len(at.Canonical) > 0 {
		return false
	}
	s, ok := vs[0].(string)
	return ok && s != "" && len(strings.TrimSpace(s)) == len(s) && (at.MaxLength == 0 || len(s) <= at.MaxLength)
}

// bounded checks a value against the schema's limits (QUIRKS HR-28).
func bounded(at *connector.Attr, v connector.Value) (connector.Value, error) {
	s, ok := v.(string)
	if !ok {
		return v, nil
	}
	if at.MaxLength > 0 && utf8.RuneCountInString(s) > at.MaxLength {
		return nil, fmt.Errorf("longer than the %d characters the target takes", at.MaxLength)
	}
	if len(at.Canonical) == 0 {
		return v, nil
	}
	for _, c := range at.Canonical {
		if c == s || !at.CaseExact && strings.EqualFold(c, s) {
			return c, nil
		}
	}
	return nil, fmt.Errorf("not one of the values the target takes: %s", strings.Join(at.Canonical, ", "))
}
