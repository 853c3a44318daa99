package connectortest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// hostileTexts are what filters, statements, names and spreadsheets trip over.
var hostileTexts = []string{
	`a*)(|(cn=*`, `a\2a,+"<>;=#`, `#a `, ` a`, `O'Brien'; DROP TABLE users; --`, "`a` \"b\" [c] %d %s $1 ?",
	"=1+1", "+49 40 1", "@a", "-2", `../../etc/passwd`, "a\\b/c", "Zoe\u0308", "Zoë", "İIıi", "ß", "Ж山田", "🧑‍🚀", "\u202eabc\u202c", "a\tb", "NULL", "null", "true", "0", "<b>&amp;</b>",
}

// hostile gives hostile texts to an ordinary attribute, and as part of the name
// by which objects are found.
func hostile(ctx context.Context, e *Env, t connector.ObjectType) error {
	_, bystander, err := e.create(ctx, t, true)
	if err != nil {
		return err
	}
	before, err := e.read(ctx, bystander)
	if err != nil {
		return err
	}
	tried := 0
	if a, ok := e.updatable(t); ok && e.takesAnyText(t, a) {
		tried++
		texts := hostileTexts
		if a.MaxLength > 0 {
			texts = append(slices.Clone(texts), strings.Repeat("x", a.MaxLength), strings.Repeat("ü", a.MaxLength))
		}
		for _, text := range texts {
			if err := e.hostileOne(ctx, t, a, text, false); err != nil {
				return fmt.Errorf("%s %q: %w", a.Name, clip(text, 40), err)
			}
		}
	}
	if a, ok := e.nameOf(t); ok {
		tried++
		for _, text := range hostileTexts {
			if err := e.hostileOne(ctx, t, a, fmt.Sprintf("%s%d%s", e.prefix, e.nextNumber(), text), true); err != nil {
				return fmt.Errorf("%s ending in %q: %w", a.Name, clip(text, 40), err)
			}
		}
	}
	if tried == 0 {
		return skip("no attribute of %s takes any text", t.Name)
	}
	return e.untouched(ctx, t, bystander, before)
}

// takesAnyText reports whether nothing is known that limits an attribute to
// certain texts.
func (e *Env) takesAnyText(t connector.ObjectType, a connector.Attr) bool {
	return (a.Type == "" || a.Type == connector.TypeString) && len(a.Canonical) == 0 && !a.Secret && readable(a) &&
		e.Target.Values[t.Name+"."+a.Name] == nil && e.Target.Values[a.Name] == nil
}

// nameOf returns the attribute by which objects are created and found.
func (e *Env) nameOf(t connector.ObjectType) (connector.Attr, bool) {
	for _, name := range t.Correlation {
		a, _ := t.Attr(name)
		if a.Required && settable(a) && !a.Multi && e.takesAnyText(t, a) {
			return a, true
		}
	}
	return connector.Attr{}, false
}

// hostileOne creates an object with a text: it must come back as it was, or be
// refused. With find the object must be found by it, too.
func (e *Env) hostileOne(ctx context.Context, t connector.ObjectType, a connector.Attr, text string, find bool) error {
	c, err := e.creation(ctx, t, false)
	if err != nil {
		return err
	}
	c.Attributes = append(slices.DeleteFunc(c.Attributes, func(x connector.Attribute) bool { return x.Name == a.Name }),
		connector.Attribute{Name: a.Name, Values: connector.Values{text}})
	c.Correlate = correlate(t, c.Attributes)
	r, err := e.one(ctx, c)
	if err != nil {
		return err
	}
	if !r.Outcome.Done() {
		return failed(c, r, connector.CodeInvalidValue)
	}
	obj, err := e.read(ctx, connector.Ref{Type: t.Name, ID: r.Object.Ref.ID})
	if err != nil {
		return err
	}
	exact := a
	exact.CaseExact = true // exactly what was sent
	if got := obj.Attributes.Get(a.Name); !same(exact, connector.Values{text}, got) {
		return fmt.Errorf("came back as %s", show(got))
	}
	if !find {
		return nil
	}
	found, err := e.read(ctx, connector.Ref{Type: t.Name, By: connector.Correlation{Attribute: a.Name, Value: text}})
	switch {
	case connector.IsCode(err, connector.CodeNotFound), connector.IsCode(err, connector.CodeAmbiguous):
		return fmt.Errorf("it is not found by it: %w", err) // who is not found is made again
	case err != nil: // the target says that it cannot look for such a name
		e.leftOut("finding a %s by a %s that ends in %q: %v", t.Name, a.Name, clip(text, 20), err)
		return nil
	}
	if found.Ref.ID != obj.Ref.ID {
		return fmt.Errorf("another object is found by it: %s in place of %s", found.Ref.ID, obj.Ref.ID)
	}
	return nil
}
