package fakescim

import (
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/query"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// members changes who is in a group.
func (e *editor) members(o patchOp) error {
	switch {
	case o.field.Sub != nil:
		return schema.Bad(schema.Mutability, "%s cannot be changed; remove the member and add it", o.field)
	case o.path.Filter != nil:
		return e.chosenMembers(o)
	case o.op == opRemove:
		return e.removeMembers(o)
	}
	given, err := e.memberList(o)
	if err != nil {
		return err
	}
	if o.op == opReplace {
		return e.server.setMembers(e.q, e.draft, given)
	}
	return e.server.join(e.q, e.draft, given)
}

// memberList reads the members in the value of an operation.
func (e *editor) memberList(o patchOp) ([]directory.Member, error) {
	value, err := e.q.rules.unwrapped(o)
	if err != nil {
		return nil, err
	}
	if m, ok := value.(map[string]any); ok {
		value = []any{m}
	}
	v, err := e.q.rules.reader().Value("members", o.field.Attr, value)
	if err != nil {
		return nil, err
	}
	list, _ := v.([]any)
	return membersOf(list)
}

// removeMembers takes out all members; where the dialect wants it so, those in
// the value. The RFC knows no value here and empties the group (RFC 7644 §3.5.2.2).
func (e *editor) removeMembers(o patchOp) error {
	if !e.q.rules.removesByValue() || !o.hasValue {
		for _, m := range e.draft.Members() {
			e.draft.RemoveMember(m.Value)
		}
		return nil
	}
	given, err := e.memberList(o)
	if err != nil {
		return err
	}
	for _, m := range given {
		e.draft.RemoveMember(m.Value)
	}
	return nil
}

// chosenMembers takes out the members that a filter chooses.
func (e *editor) chosenMembers(o patchOp) error {
	if o.op != opRemove {
		return schema.Bad(schema.Mutability, "%s cannot be changed; remove the member and add it", o.path)
	}
	if id, ok := byID(o.path.Filter); ok {
		if !e.draft.RemoveMember(id) {
			return schema.Bad(schema.NoTarget, "no member meets %s", o.path)
		}
		return nil
	}
	holds, err := directory.Element(o.field.Attr, o.path.Filter)
	if err != nil {
		return err
	}
	found := false
	for _, m := range e.draft.Members() {
		if holds(map[string]any{"value": m.Value, "type": m.Type, "display": m.Display}) {
			found = e.draft.RemoveMember(m.Value)
		}
	}
	if !found {
		return schema.Bad(schema.NoTarget, "no member meets %s", o.path)
	}
	return nil
}

// byID returns the id of a filter that is value eq "id".
func byID(e query.Expr) (id string, ok bool) {
	c, ok := e.(query.Compare)
	if !ok || c.Op != query.Equal || c.Attr.Sub != "" || c.Attr.URI != "" || !equalFold(c.Attr.Name, "value") {
		return "", false
	}
	id, ok = c.Value.(string)
	return id, ok
}
