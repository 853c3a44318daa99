package scim

import (
	"context"
	"net/http"
	"slices"

	"github.com/provhub/provhub/connectors/connector"
)

// send makes the request for one batch.
func (w *memberWork) send(ctx context.Context, batch []int) error {
	r, err := w.request(batch)
	if err != nil {
		return err
	}
	if w.p.GroupUpdate != UpdatePatch || w.p.ETag == ETagRequire {
		group, err := w.c.Get(ctx, Groups, w.group, Selection{})
		if err != nil {
			return err
		}
		r.IfMatch = w.p.condition(group.Version())
		if w.p.GroupUpdate != UpdatePatch {
			r.Method, r.Body = http.MethodPut, w.merged(group, batch)
		}
	}
	_, err = w.c.Send(ctx, r)
	return err
}

// request makes the PATCH for one batch (RFC 7644 §3.5.2.1, §3.5.2.2).
func (w *memberWork) request(batch []int) (Request, error) {
	var ops []PatchOp
	var added, removed []any
	for _, i := range batch {
		ch := w.changes[i]
		switch {
		case !ch.Remove:
			added = append(added, memberOf(ch))
		case w.p.MemberRemoveStyle == RemoveValueArray:
			removed = append(removed, map[string]any{"value": ch.ID})
		default:
			at := Path{Attr: "members", Where: Compare{Path: Path{Attr: "value"}, Op: OpEqual, Value: ch.ID}}
			ops = append(ops, PatchOp{Op: w.p.op("remove"), Path: at.String(), Bare: true})
		}
	}
	if len(removed) > 0 {
		op := PatchOp{Op: w.p.op("remove"), Path: "members", Value: removed}
		if w.p.MembersWrap == WrapObject {
			op.Value = map[string]any{"members": removed}
		}
		ops = append(ops, op)
	}
	if len(added) > 0 {
		ops = append(ops, w.p.addMembers(added))
	}
	return w.p.itemRequest(OpUpdate, http.MethodPatch, Groups, w.group, patchBody(ops))
}

func (p *Profile) addMembers(added []any) PatchOp {
	op := PatchOp{Op: p.op("add"), Path: "members", Value: added}
	if p.MembersWrap != WrapNone {
		op.Value = map[string]any{"members": added}
	}
	if p.MembersWrap == WrapPathlessObject {
		op.Path = ""
	}
	return op
}

func memberOf(ch MemberChange) map[string]any {
	m := map[string]any{"value": ch.ID}
	if ch.Display != "" {
		m["display"] = ch.Display
	}
	return m
}

// merged is the whole group for a PUT, with a batch of changes made.
func (w *memberWork) merged(group Resource, batch []int) Resource {
	out := w.p.body(Groups, group)
	members := list(member(out, "members"))
	for _, i := range batch {
		ch := w.changes[i]
		is := func(m any) bool { return textOf(member(object(m), "value")) == ch.ID }
		switch {
		case ch.Remove:
			members = slices.DeleteFunc(members, is)
		case !slices.ContainsFunc(members, is):
			members = append(members, memberOf(ch))
		}
	}
	if members == nil {
		members = []any{}
	}
	out[key(out, "members")] = members
	return out
}

// memberIDs reads the members that a group shows. NOT_FOUND when there is none.
func (c *Client) memberIDs(ctx context.Context, group string) (map[string]bool, error) {
	g, err := c.Get(ctx, Groups, group, Selection{Attributes: []string{"id", "members"}})
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, m := range g.Values(Path{Attr: "members"}) {
		ids[textOf(m)], ids[textOf(member(object(m), "value"))] = true, true
	}
	delete(ids, "")
	return ids, nil
}

// HasMember tells whether a user is a member of a group, by reading the group where
// it shows its members, else by a filter. NOT_FOUND when there is no such group,
// UNSUPPORTED when the target cannot be asked.
func (c *Client) HasMember(ctx context.Context, group, id string) (bool, error) {
	p := c.Profile()
	switch p.MembersRead {
	case MembersFull:
		shown, err := c.memberIDs(ctx, group)
		return shown[id], err
	case MembersFilterOnly:
		for _, probe := range memberProbes(group, id) {
			if p.CheckFilter(probe.Type, probe.Filter) == nil {
				hits, err := c.hits(ctx, probe.Query, 1, func(r Resource) bool { return r.ID() == probe.id })
				return len(hits) > 0, err
			}
		}
	}
	return false, connector.Errorf(connector.CodeUnsupported, "profile %s: the target does not tell who is a member (members_read: %s)", p.Name, p.MembersRead)
}

// memberProbe is a query that finds exactly the resource id when somebody is a
// member.
type memberProbe struct {
	Query
	id string
}

// memberProbes lists the questions that targets understand.
func memberProbes(group, id string) []memberProbe {
	ask := func(t ResourceType, self, path, other string) memberProbe {
		return memberProbe{Query{Type: t, Filter: And{Eq("id", self), Eq(path, other)}, Selection: Selection{Attributes: []string{"id"}}}, self}
	}
	return []memberProbe{
		ask(Groups, group, "members.value", id), ask(Groups, group, "members", id),
		ask(Users, id, "groups.value", group), ask(Users, id, "groups", group),
	}
}
