package connectortest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// nextNumber returns a number that no other object of the check has.
func (e *Env) nextNumber() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seq++
	return e.seq
}

// settable reports whether an attribute can be given on create.
func settable(a connector.Attr) bool { return !a.ReadOnly }

// attributes makes the attributes of object n: all that can be given, or only
// the required ones. Objects that it refers to are made first.
func (e *Env) attributes(ctx context.Context, t connector.ObjectType, n int, all bool) (connector.Attributes, error) {
	var out connector.Attributes
	for _, a := range t.Attributes {
		if !settable(a) || !all && !a.Required {
			continue
		}
		vs, err := e.values(ctx, t, a, n)
		if err != nil {
			return nil, err
		}
		if vs != nil {
			out = append(out, connector.Attribute{Name: a.Name, Values: vs})
		}
	}
	return out, nil
}

// values makes the values of one attribute of object n; nil when there can be
// none, such as a reference to a type without objects.
func (e *Env) values(ctx context.Context, t connector.ObjectType, a connector.Attr, n int) (connector.Values, error) {
	if a.Type == connector.TypeReference {
		ref, err := e.helper(ctx, a.RefersTo)
		if err != nil || ref.ID == "" {
			return nil, err
		}
		return connector.Values{ref}, nil
	}
	vs := connector.Values{e.value(t, a, n)}
	if a.Multi && a.Type != connector.TypeBool && len(a.Canonical) == 0 {
		vs = append(vs, e.value(t, a, n+100_000))
	}
	return vs, nil
}

// value makes value n of an attribute. Different n give different values where
// the attribute allows it.
func (e *Env) value(t connector.ObjectType, a connector.Attr, n int) connector.Value {
	if v, ok := e.override(t, a, n); ok {
		return v
	}
	switch a.Type {
	case connector.TypeInteger:
		return int64(n)
	case connector.TypeDouble:
		return float64(n) + 0.5
	case connector.TypeBool:
		return n%2 == 0
	case connector.TypeTimestamp:
		return time.Date(2026, 3, 31, 10, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Minute)
	case connector.TypeDate:
		return connector.Date(time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n).Format(time.DateOnly))
	case connector.TypeBytes:
		return []byte{0, byte(n >> 8), byte(n), 0xff}
	case connector.TypeObject:
		return map[string]any{"n": float64(n)}
	}
	return e.textValue(a, n)
}

func (e *Env) textValue(a connector.Attr, n int) connector.Value {
	if len(a.Canonical) > 0 {
		return a.Canonical[n%len(a.Canonical)]
	}
	s := fmt.Sprintf("%s-%s-%d", e.prefix, strings.ToLower(e.host.name()[:2]), n)
	switch name := strings.ToLower(a.Name); {
	case strings.Contains(name, "mail"):
		s += "@example.com"
	case strings.Contains(name, "phone"), strings.Contains(name, "mobile"):
		s = fmt.Sprintf("+49401%09d", n)
	}
	if a.MaxLength > 0 && len(s) > a.MaxLength {
		keep := min(len(e.Target.prefix), a.MaxLength) // by which it is found again
		s = s[:keep] + s[len(s)-a.MaxLength+keep:]
	}
	if a.Secret {
		return connector.NewSecret(s)
	}
	return s
}

// override returns the value that the target's description gives.
func (e *Env) override(t connector.ObjectType, a connector.Attr, n int) (connector.Value, bool) {
	vs := e.Target.Values[t.Name+"."+a.Name]
	if vs == nil {
		vs = e.Target.Values[a.Name]
	}
	if len(vs) == 0 {
		return nil, false
	}
	switch v := vs[n%len(vs)].(type) {
	case string:
		return strings.ReplaceAll(v, "%d", strings.TrimPrefix(e.prefix, "zz")+fmt.Sprint(n)), true
	case int:
		return int64(v), true
	default:
		return v, true
	}
}

// creation makes the operation that creates a new object.
func (e *Env) creation(ctx context.Context, t connector.ObjectType, all bool) (connector.Create, error) {
	as, err := e.attributes(ctx, t, e.nextNumber(), all)
	c := connector.Create{Call: e.call(), Type: t.Name, Attributes: as, Correlate: correlate(t, as)}
	if t.Kind == connector.KindAccount {
		c.Enabled = connector.IsEnabled
	}
	c.OrderingKey = c.ID
	return c, err
}

// creations makes n operations that create a new object each.
func (e *Env) creations(ctx context.Context, t connector.ObjectType, n int) ([]connector.Operation, error) {
	ops := make([]connector.Operation, n)
	for i := range ops {
		c, err := e.creation(ctx, t, false)
		if err != nil {
			return nil, err
		}
		ops[i] = c
	}
	return ops, nil
}

// newcomer makes an operation for sender to send: it creates an object of the type
// that checks make. sender's own target may be in no state to tell of its types.
func (e *Env) newcomer(ctx context.Context, sender *Env) (connector.ObjectType, connector.Create, error) {
	t, err := e.creatable()
	if err != nil {
		return t, connector.Create{}, err
	}
	c, err := sender.creation(ctx, t, false)
	return t, c, err
}

// correlate returns how an object with these attributes is found again.
func correlate(t connector.ObjectType, as connector.Attributes) connector.Correlation {
	for _, name := range t.Correlation {
		if v := as.Text(name); v != "" {
			return connector.Correlation{Attribute: name, Value: v}
		}
	}
	return connector.Correlation{}
}

// create makes an object and returns the operation and the reference.
func (e *Env) create(ctx context.Context, t connector.ObjectType, all bool) (connector.Create, connector.Ref, error) {
	c, err := e.creation(ctx, t, all)
	if err != nil {
		return c, connector.Ref{}, err
	}
	r, err := e.must(ctx, c)
	if err != nil {
		return c, connector.Ref{}, err
	}
	if r.Object == nil || r.Object.Ref.ID == "" {
		return c, connector.Ref{}, fmt.Errorf("create of a %s: the result has no id", t.Name)
	}
	return c, connector.Ref{Type: t.Name, ID: r.Object.Ref.ID}, nil
}

// helper returns an object of a type for others to refer to, the same each time
// in one check; the zero Ref when there is none and none can be made.
func (e *Env) helper(ctx context.Context, typ string) (connector.Ref, error) {
	if ref, ok := e.helpers[typ]; ok {
		return ref, nil
	}
	t, ok := e.Schema.Type(typ)
	if !ok {
		return connector.Ref{}, nil
	}
	e.helpers[typ] = connector.Ref{} // a type that refers to itself ends here
	if !e.can(typ, connector.VerbCreate) {
		ref, err := e.anyOf(ctx, typ)
		e.helpers[typ] = ref
		return ref, err
	}
	_, ref, err := e.create(ctx, t, false)
	e.helpers[typ] = ref
	return ref, err
}

// anyOf returns an object that is there already.
func (e *Env) anyOf(ctx context.Context, typ string) (connector.Ref, error) {
	if !e.Caps.List {
		return connector.Ref{}, nil
	}
	all, _, err := e.list(ctx, connector.ListQuery{Type: typ})
	if err != nil || len(all) == 0 {
		return connector.Ref{}, err
	}
	return connector.Ref{Type: typ, ID: all[0].Ref.ID}, nil
}
