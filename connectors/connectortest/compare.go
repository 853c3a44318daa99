package connectortest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// same reports whether two contents of an attribute are equal, as its schema
// compares them.
func same(a connector.Attr, x, y connector.Values) bool {
	xs, ys := texts(a, x), texts(a, y)
	if a.Multi && !a.Ordered {
		slices.Sort(xs)
		slices.Sort(ys)
	}
	return slices.Equal(xs, ys)
}

func texts(a connector.Attr, vs connector.Values) []string {
	out := make([]string, len(vs))
	for i, v := range vs {
		if ref, ok := v.(connector.Ref); ok {
			out[i] = ref.ID
			continue
		}
		if out[i] = connector.Text(v); !a.CaseExact {
			out[i] = strings.ToLower(out[i])
		}
	}
	return out
}

// readable reports whether reads return the attribute.
func readable(a connector.Attr) bool { return !a.WriteOnly && !a.Secret }

// holds checks that an object has the wanted attributes; those in except are
// not looked at.
func holds(t connector.ObjectType, want connector.Attributes, got connector.Object, except ...string) error {
	for _, w := range want {
		a, ok := t.Attr(w.Name)
		if !ok || !readable(a) || slices.Contains(except, w.Name) {
			continue
		}
		if g := got.Attributes.Get(w.Name); !same(a, w.Values, g) {
			return fmt.Errorf("%s %s: attribute %s is %s, want %s", t.Name, got.Ref, w.Name, show(g), show(w.Values))
		}
	}
	return nil
}

// sameObject checks that got is as want, with exceptions. What the target sets
// by itself may differ.
func sameObject(t connector.ObjectType, want, got connector.Object, except ...string) error {
	for _, a := range t.Attributes {
		if a.ReadOnly || !readable(a) || slices.Contains(except, a.Name) {
			continue
		}
		w, g := want.Attributes.Get(a.Name), got.Attributes.Get(a.Name)
		if !same(a, w, g) {
			return fmt.Errorf("%s %s: attribute %s is %s, want %s as before", t.Name, got.Ref, a.Name, show(g), show(w))
		}
	}
	if want.Enabled != got.Enabled {
		return fmt.Errorf("%s %s is %s, want %s as before", t.Name, got.Ref, orUnknown(got.Enabled), orUnknown(want.Enabled))
	}
	return sameGrants(t, want, got)
}

func sameGrants(t connector.ObjectType, want, got connector.Object) error {
	if want.Grants == nil || got.Grants == nil {
		return nil
	}
	ids := func(refs []connector.Ref) []string {
		var out []string
		for _, r := range refs {
			out = append(out, r.Type+"/"+r.ID)
		}
		slices.Sort(out)
		return out
	}
	if w, g := ids(want.Grants), ids(got.Grants); !slices.Equal(w, g) {
		return fmt.Errorf("%s %s holds %v, want %v as before", t.Name, got.Ref, g, w)
	}
	return nil
}

func orUnknown(e connector.Enabled) string {
	if e == connector.EnabledUnknown {
		return "of unknown state"
	}
	return string(e)
}

func show(vs connector.Values) string {
	if len(vs) == 0 {
		return "(nothing)"
	}
	var out []string
	for _, v := range vs {
		out = append(out, fmt.Sprintf("%q", clip(connector.Text(v), 80)))
	}
	return strings.Join(out, ", ")
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

// done checks that an operation succeeded.
func done(op connector.Operation, r connector.Result) error {
	if r.Outcome.Done() {
		return nil
	}
	return fmt.Errorf("%s of %s: want success, got %s", op.Verb(), describe(op), told(r))
}

// outcome checks that an operation ended in one of the given ways.
func outcome(op connector.Operation, r connector.Result, want ...connector.Outcome) error {
	if slices.Contains(want, r.Outcome) {
		return nil
	}
	return fmt.Errorf("%s of %s: want %s, got %s", op.Verb(), describe(op), strings.Join(words(want), " or "), told(r))
}

// failed checks that an operation failed, that nothing took effect by its own
// account, and why.
func failed(op connector.Operation, r connector.Result, want ...connector.Code) error {
	if r.Outcome == connector.OutcomeFailed && r.Err != nil && slices.Contains(want, r.Err.Code) {
		return nil
	}
	var names []string
	for _, c := range want {
		names = append(names, c.String())
	}
	return fmt.Errorf("%s of %s: want failed with %s, got %s", op.Verb(), describe(op), strings.Join(names, " or "), told(r))
}

func told(r connector.Result) string {
	if r.Err != nil {
		return fmt.Sprintf("%s, %s", r.Outcome, r.Err.Error())
	}
	return string(r.Outcome)
}
