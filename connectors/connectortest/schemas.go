package connectortest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/schemas/gen/pluginv1"
)

var schemaChecks = []Check{
	{ID: "D1", Title: "the schema is coherent, and the same twice", Func: coherent},
	{ID: "D2", Title: "everything that is returned fits the schema", Func: fits},
}

func coherent(ctx context.Context, e *Env) error {
	var replies [2]*pluginv1.DiscoverSchemaResponse
	for i := range replies {
		var err error
		if replies[i], err = e.run.rpc().DiscoverSchema(ctx, &pluginv1.DiscoverSchemaRequest{InstanceId: e.instance}); err != nil {
			return fmt.Errorf("DiscoverSchema: %w", err)
		}
	}
	if !proto.Equal(replies[0], replies[1]) {
		return fmt.Errorf("the schema differs the second time")
	}
	if replies[0].GetEtag() == "" {
		return fmt.Errorf("the schema has no etag")
	}
	if len(e.Schema) == 0 {
		return fmt.Errorf("the schema has no object type")
	}
	seen := map[string]bool{}
	for _, t := range e.Schema {
		if t.Name == "" || seen[t.Name] {
			return fmt.Errorf("the object type %q has no name or is there twice", t.Name)
		}
		seen[t.Name] = true
		if err := e.coherentType(t); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	return nil
}

func (e *Env) coherentType(t connector.ObjectType) error {
	names := map[string]bool{}
	for _, a := range t.Attributes {
		switch {
		case a.Name == "" || names[a.Name]:
			return fmt.Errorf("the attribute %q has no name or is there twice", a.Name)
		case a.Type == connector.TypeReference:
			if _, ok := e.Schema.Type(a.RefersTo); !ok {
				return fmt.Errorf("%s refers to %q, which is no object type", a.Name, a.RefersTo)
			}
		case a.Required && a.ReadOnly:
			return fmt.Errorf("%s is required and cannot be written", a.Name)
		}
		names[a.Name] = true
	}
	if len(t.Correlation) == 0 && (t.Kind == connector.KindAccount || t.Kind == connector.KindGroup) {
		return fmt.Errorf("no attribute is named by which an object is found again (correlation)")
	}
	for _, c := range t.Correlation {
		if a, ok := t.Attr(c); !ok || !a.Unique {
			return fmt.Errorf("the correlation attribute %q is not there or not unique", c)
		}
	}
	for _, v := range t.Verbs {
		if !e.Caps.Can(v) {
			return fmt.Errorf("%s is named, and the connector does not declare it", v)
		}
	}
	for _, g := range t.Grants {
		if to, ok := e.Schema.Type(g); !ok || to.Kind != connector.KindGroup && to.Kind != connector.KindEntitlement {
			return fmt.Errorf("accounts are said to hold %q, which is neither a group nor an entitlement", g)
		}
	}
	return nil
}

func fits(ctx context.Context, e *Env) error {
	types, err := e.types(connector.VerbCreate)
	if err != nil {
		return err
	}
	for _, t := range types {
		if err := e.fitsType(ctx, t); err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	return nil
}

// fitsType looks at every object of one type that the plugin returns.
func (e *Env) fitsType(ctx context.Context, t connector.ObjectType) error {
	c, err := e.creation(ctx, t, true)
	if err != nil {
		return err
	}
	r, err := e.must(ctx, c)
	if err != nil {
		return err
	}
	if r.Object != nil {
		if err := fitsObject(t, *r.Object); err != nil {
			return fmt.Errorf("the result of a create: %w", err)
		}
	}
	if e.Caps.Get {
		obj, err := e.get(ctx, connector.Ref{Type: t.Name, ID: r.Object.Ref.ID})
		if err != nil {
			return err
		}
		if err := fitsObject(t, obj); err != nil {
			return fmt.Errorf("Get: %w", err)
		}
	}
	if !e.Caps.List {
		return nil
	}
	all, _, err := e.list(ctx, connector.ListQuery{Type: t.Name})
	if err != nil {
		return err
	}
	for _, obj := range all {
		if err := fitsObject(t, obj); err != nil {
			return fmt.Errorf("List: %w", err)
		}
	}
	return nil
}

func fitsObject(t connector.ObjectType, o connector.Object) error {
	if o.Ref.ID == "" {
		return fmt.Errorf("an object has no id")
	}
	if o.Ref.Type != "" && o.Ref.Type != t.Name {
		return fmt.Errorf("%s is of type %s", o.Ref, o.Ref.Type)
	}
	for _, x := range o.Attributes {
		a, ok := t.Attr(x.Name)
		switch {
		case !ok:
			return fmt.Errorf("the attribute %s is not in the schema", x.Name)
		case !readable(a):
			return fmt.Errorf("the attribute %s is returned, and it is never to be read", x.Name)
		case !a.Multi && len(x.Values) > 1:
			return fmt.Errorf("the attribute %s has %d values and is not multi-valued", x.Name, len(x.Values))
		}
		for _, v := range x.Values {
			if !fitsType(a, v) {
				return fmt.Errorf("the attribute %s has a value of type %T, and is of type %s", x.Name, v, a.Type)
			}
		}
	}
	for _, g := range o.Grants {
		if g.Type != "" && !slices.Contains(t.Grants, g.Type) {
			return fmt.Errorf("%s holds a %s, which the schema does not provide for", o.Ref, g.Type)
		}
	}
	return nil
}

// fitsType reports whether v is a value of the attribute's type.
func fitsType(a connector.Attr, v connector.Value) bool {
	switch v.(type) {
	case string:
		return a.Type == "" || a.Type == connector.TypeString
	case int64:
		return a.Type == connector.TypeInteger
	case float64:
		return a.Type == connector.TypeDouble
	case bool:
		return a.Type == connector.TypeBool
	case time.Time:
		return a.Type == connector.TypeTimestamp
	case connector.Date:
		return a.Type == connector.TypeDate
	case []byte:
		return a.Type == connector.TypeBytes
	case connector.Ref:
		return a.Type == connector.TypeReference
	case map[string]any:
		return a.Type == connector.TypeObject
	}
	return false
}
