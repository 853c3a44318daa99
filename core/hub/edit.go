package hub

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/plan"
	"github.com/provhub/provhub/core/store"
)

// Edit is another value for one attribute that an operation sends.
type Edit struct {
	Name string
	// Values as a person types them; none clears the attribute.
	Values []string
}

// Edit changes what a parked operation sends and puts it back into the queue, in the
// name of [Hub.Actor]. id may be the beginning of one. Values are read as the type
// that the attribute has in the operation.
func (h *Hub) Edit(ctx context.Context, id string, edits []Edit) (store.OpRow, error) {
	op, _, err := h.org.Operation(ctx, id)
	if err != nil {
		return op, err
	}
	changes, err := edited(op.Changes, edits)
	if err != nil {
		return op, err
	}
	return op, h.org.EditOperation(ctx, op.ID, h.opt.Actor, changes, h.now())
}

// edited returns the changes with other values.
func edited(changes []plan.Change, edits []Edit) ([]plan.Change, error) {
	out := slices.Clone(changes)
	for _, e := range edits {
		i := slices.IndexFunc(out, func(c plan.Change) bool { return c.Name == e.Name })
		if i < 0 {
			names := make([]string, len(out))
			for j, c := range out {
				names[j] = c.Name
			}
			return nil, &UsageError{fmt.Sprintf("the operation does not change %q; it changes %s", e.Name, strings.Join(names, ", "))}
		}
		like := append(slices.Clone(out[i].After), out[i].Before...)
		out[i].After = nil
		for _, text := range e.Values {
			v, err := typed(text, like)
			if err != nil {
				return nil, &UsageError{fmt.Sprintf("%s: %v", e.Name, err)}
			}
			out[i].After = append(out[i].After, v)
		}
	}
	return out, nil
}

// typed reads text as the type of the values it replaces.
func typed(text string, like connector.Values) (any, error) {
	if len(like) == 0 {
		return text, nil
	}
	switch like[0].(type) {
	case string:
		return text, nil
	case bool:
		v, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Errorf("%q is neither true nor false", text)
		}
		return v, nil
	case int64:
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a whole number", text)
		}
		return v, nil
	case float64:
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", text)
		}
		return v, nil
	case connector.Date:
		return connector.Date(text), nil
	}
	return nil, fmt.Errorf("its value is no text and no number: correct it in the source")
}
