package byhand

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

func (r Request) create(t connector.ObjectType, c connector.Call) (connector.Operation, error) {
	op := connector.Create{Call: c, Type: t.Name, Adopt: r.Adopt, Credential: r.Password, Enabled: connector.EnabledIf(!r.Disabled)}
	if t.Kind != connector.KindAccount {
		op.Enabled = connector.EnabledUnknown
	}
	for _, a := range r.Attributes {
		name, vs, err := parse(t, a)
		if err != nil {
			return nil, err
		}
		op.Attributes = merged(op.Attributes, name, vs)
	}
	for _, name := range t.Correlation {
		if v := op.Attributes.Text(name); v != "" {
			op.Correlate = connector.Correlation{Attribute: name, Value: v}
			break
		}
	}
	return op, nil
}

// merged adds values to those of an attribute.
func merged(as connector.Attributes, name string, vs connector.Values) connector.Attributes {
	i := slices.IndexFunc(as, func(a connector.Attribute) bool { return a.Name == name })
	if i < 0 {
		return append(as, connector.Attribute{Name: name, Values: vs})
	}
	as[i].Values = append(as[i].Values, vs...)
	return as
}

func (r Request) update(t connector.ObjectType, c connector.Call) (connector.Operation, error) {
	ref, err := r.ref(t)
	if err != nil {
		return nil, err
	}
	op := connector.Update{Call: c, Target: ref}
	for _, part := range []struct {
		texts []string
		into  func(*connector.Change, connector.Values)
	}{
		{r.Attributes, func(c *connector.Change, vs connector.Values) { c.Replace = append(c.Replace, vs...) }},
		{r.Add, func(c *connector.Change, vs connector.Values) { c.Delta, c.Add = true, append(c.Add, vs...) }},
		{r.Remove, func(c *connector.Change, vs connector.Values) { c.Delta, c.Remove = true, append(c.Remove, vs...) }},
	} {
		for _, text := range part.texts {
			name, vs, err := parse(t, text)
			if err != nil {
				return nil, err
			}
			part.into(changeOf(&op, name), vs)
		}
	}
	for _, c := range op.Changes {
		if c.Delta && len(c.Replace) > 0 {
			return nil, fmt.Errorf("%s: either replace its values or add and remove some", c.Name)
		}
	}
	if len(op.Changes) == 0 {
		return nil, fmt.Errorf("update needs an attribute to change")
	}
	return op, nil
}

// changeOf returns the change of an attribute in op, a new one when there is none.
func changeOf(op *connector.Update, name string) *connector.Change {
	i := slices.IndexFunc(op.Changes, func(c connector.Change) bool { return c.Name == name })
	if i < 0 {
		op.Changes = append(op.Changes, connector.Change{Name: name})
		i = len(op.Changes) - 1
	}
	return &op.Changes[i]
}

// parse reads "name=value"; without a value there are none. An attribute that
// the type does not have goes through as text, for the connector to refuse.
func parse(t connector.ObjectType, text string) (name string, vs connector.Values, err error) {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return "", nil, fmt.Errorf("%q is not of the form NAME=VALUE", text)
	}
	if value == "" {
		return name, nil, nil
	}
	a, _ := t.Attr(name)
	v, err := valueOf(a, value)
	if err != nil {
		return name, nil, fmt.Errorf("attribute %s takes values of type %s: %w", name, a.Type, err)
	}
	return name, connector.Values{v}, nil
}

// valueOf reads a value of the attribute's type.
func valueOf(a connector.Attr, text string) (connector.Value, error) {
	switch a.Type {
	case connector.TypeInteger:
		return strconv.ParseInt(text, 10, 64)
	case connector.TypeDouble:
		return strconv.ParseFloat(text, 64)
	case connector.TypeBool:
		return strconv.ParseBool(text)
	case connector.TypeTimestamp:
		return time.Parse(time.RFC3339, text)
	case connector.TypeDate:
		_, err := time.Parse(time.DateOnly, text)
		return connector.Date(text), err
	case connector.TypeBytes:
		return []byte(text), nil
	case connector.TypeReference:
		return connector.Ref{Type: a.RefersTo, ID: text}, nil
	case connector.TypeObject:
		var v map[string]any
		err := json.Unmarshal([]byte(text), &v)
		return v, err
	}
	if a.Secret {
		return connector.NewSecret(text), nil
	}
	return text, nil
}
