package fakescim

import (
	"net/http"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/query"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// memberChanges holds the changes of members in a PATCH against the dialect.
func (r *rules) memberChanges(ops []patchOp) error {
	adds, removes, others, addOps := 0, 0, 0, 0
	for i := range ops {
		o := &ops[i]
		switch {
		case !o.about("members"):
			others++
			continue
		case o.op == opReplace && r.declared("member_replace") && !r.MemberReplace:
			return schema.Bad(schema.InvalidValue, "members cannot be replaced")
		case o.op == opRemove:
			n, err := r.removing(o)
			if err != nil {
				return err
			}
			removes += n
		default:
			n, err := r.adding(o)
			if err != nil {
				return err
			}
			adds += n
			addOps++
		}
	}
	switch {
	case r.MemberAddMax > 0 && adds > r.MemberAddMax:
		return tooManyMembers(r.MemberAddMax)
	case r.MemberRemoveMax > 0 && removes > r.MemberRemoveMax:
		return tooManyMembers(r.MemberRemoveMax)
	case r.memberMax > 0 && adds+removes > r.memberMax:
		return tooManyMembers(r.memberMax)
	case r.MemberMix:
		return nil
	case adds > 0 && (removes > 0 || others > 0), removes > 0 && others > 0, addOps > 1:
		return schema.Bad(schema.InvalidSyntax, "members are added in one operation, and by a request of its own")
	}
	return nil
}

func tooManyMembers(most int) error {
	return schema.Bad(schema.TooMany, "at most %d members are changed by one request", most)
}

// adding counts the members that an operation adds, and looks at its form.
func (r *rules) adding(o *patchOp) (int, error) {
	value := o.value
	if o.path == nil {
		value, _ = fieldOf(value.(map[string]any), "members")
		if r.declared("members_wrap") && r.MembersWrap != scim.WrapPathlessObject {
			return 0, schema.Bad(schema.InvalidPath, "the path members is needed")
		}
	} else {
		if r.MembersWrap == scim.WrapPathlessObject {
			return 0, schema.Bad(schema.InvalidPath, "members are added without a path")
		}
		var err error
		if value, err = r.unwrapped(*o); err != nil {
			return 0, err
		}
	}
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	for _, x := range list {
		m, _ := x.(map[string]any)
		if display, _ := field(m, "display").(string); r.MemberDisplayRequired && display == "" {
			return 0, schema.Refused(http.StatusUnprocessableEntity, "members: display is required")
		}
	}
	return len(list), nil
}

// removing counts the members that an operation names, and looks at its form.
func (r *rules) removing(o *patchOp) (int, error) {
	byValue := o.path.Filter == nil && o.hasValue
	if r.declared("member_remove_style") && byValue != r.removesByValue() {
		return 0, schema.Bad(schema.InvalidPath, "members are not removed this way")
	}
	if o.path.Filter == nil && !o.hasValue && r.declared("member_replace") && !r.MemberReplace {
		return 0, schema.Bad(schema.InvalidValue, "members cannot be removed all at once")
	}
	if byValue {
		value, err := r.unwrapped(*o)
		list, _ := value.([]any)
		return max(1, len(list)), err
	}
	return len(query.Disjuncts(o.path.Filter)), nil
}

func (r *rules) removesByValue() bool { return r.MemberRemoveStyle == scim.RemoveValueArray }

// unwrapped returns the members in the value of an operation: a list, or where
// the dialect wraps it in an object, what that holds.
func (r *rules) unwrapped(o patchOp) (any, error) {
	if r.MembersWrap != scim.WrapObject {
		return o.value, nil
	}
	m, _ := o.value.(map[string]any)
	list, ok := fieldOf(m, "members")
	if !ok {
		return nil, schema.Bad(schema.InvalidValue, "members: an object with members is needed")
	}
	return list, nil
}

// replacesMembers says whether a PUT may set these members.
func (r *rules) replacesMembers(members []directory.Member) error {
	if r.MemberAddMax > 0 && len(members) > r.MemberAddMax {
		return tooManyMembers(r.MemberAddMax)
	}
	return r.displays(members)
}

// displays says whether each member has a display, where the dialect insists.
func (r *rules) displays(members []directory.Member) error {
	for _, m := range members {
		if r.MemberDisplayRequired && m.Display == "" {
			return schema.Refused(http.StatusUnprocessableEntity, "members: display is required")
		}
	}
	return nil
}
