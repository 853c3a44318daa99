package scim

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	client "github.com/provhub/provhub/clients/scim"
)

// groups finds out what can be done with groups.
func (p *prober) groups(ctx context.Context) error {
	name := "Provhub Probe " + p.token
	m, a, err := p.post(ctx, client.Groups, client.Resource{"schemas": []any{groupSchema}, "displayName": name, "externalId": "provhub-probe-" + p.token})
	if err != nil {
		return err
	}
	ops := []client.GroupOp{}
	listed, err := p.get(ctx, client.Groups, query("count", "1"))
	if err != nil {
		return err
	}
	if listed.ok() {
		ops = append(ops, client.GroupRead)
	}
	if !a.ok() {
		p.set("group_ops", ops, a.says("a group cannot be made"), listed.says("groups can be read"))
		return nil
	}
	if m.id == "" {
		r, err := p.lookUp(ctx, m)
		if err != nil {
			return err
		}
		m.id = r.ID()
	}
	renamed, err := p.patchItem(ctx, m, "", map[string]any{"op": p.op("replace"), "path": "displayName", "value": name + " B"})
	if err != nil {
		return err
	}
	ops = append(ops, client.GroupCreate)
	if renamed.ok() {
		m.name = name + " B"
		ops = append(ops, client.GroupUpdate)
	}
	p.set("group_ops", ops, a.says("made"), renamed.says("renamed"), listed.says("read"))
	return nil
}

// deleteGroup finds out what DELETE does to a group.
func (p *prober) deleteGroup(ctx context.Context, g *synthetic) error {
	path, err := p.Profile().Item(g.t, g.id)
	if err != nil {
		return err
	}
	a, err := p.send(ctx, client.Request{Op: client.OpDelete, Type: g.t, Method: http.MethodDelete, Path: path})
	if err != nil {
		return err
	}
	after, err := p.send(ctx, client.Request{Op: client.OpRead, Type: g.t, Method: http.MethodGet, Path: path})
	if err != nil {
		return err
	}
	if !a.ok() || after.ok() {
		p.set("group_delete", client.DeleteForbidden, a.says("the group is still there"))
		return nil
	}
	g.ended = true
	p.set("group_delete", client.DeleteHard, a.says("gone"))
	if f := p.found["group_ops"]; f != nil {
		if ops, ok := f.Value.([]client.GroupOp); ok {
			p.set("group_ops", append(ops, client.GroupDelete), append(f.Evidence, a.says("deleted"))...)
		}
	}
	return nil
}

// group is the synthetic group, nil when there is none.
func (p *prober) group() *synthetic {
	i := slices.IndexFunc(p.made, func(m *synthetic) bool { return m.t == client.Groups && m.id != "" && !m.ended })
	if i < 0 {
		return nil
	}
	return p.made[i]
}

// members finds out how members are added and removed, and how many at once
// (QUIRKS SCIM-28 to 30).
func (p *prober) members(ctx context.Context) error {
	g := p.group()
	if g == nil {
		return nil
	}
	w := &memberProbe{prober: p, group: g, ids: []string{p.made[0].id}}
	more, err := p.removable(ctx)
	if err != nil {
		return err
	}
	for n := 1; more && n < p.args.Members; n++ {
		m, a, err := p.post(ctx, client.Users, p.user(n))
		if err != nil {
			return err
		}
		if a.ok() && m.id != "" {
			w.ids = append(w.ids, m.id)
		}
	}
	for _, step := range []func(context.Context) error{w.adds, w.removes, w.mixes, w.badMember} {
		if err := step(ctx); err != nil || w.stuck {
			return err
		}
	}
	return nil
}

// removable reports whether accounts can be deleted again: where they stay, a
// probe makes no more than it must.
func (p *prober) removable(ctx context.Context) (bool, error) {
	if p.args.Members < 2 {
		return false, nil
	}
	m, a, err := p.post(ctx, client.Users, p.user(p.args.Members))
	if err != nil || !a.ok() {
		return false, err
	}
	if why := p.remove(ctx, m); why != "" {
		p.note("groups are tried with one member, because of what happens to accounts: %s", why)
		return false, nil
	}
	m.ended = true
	return true, nil
}

// memberProbe tries the members of one group.
type memberProbe struct {
	*prober
	group  *synthetic
	ids    []string // of accounts that can be members
	stuck  bool     // no member can be added, or removed: nothing more to try
	shows  bool     // the group shows its members
	wrap   client.MembersWrap
	style  client.MemberRemoveStyle
	addMax int
}

// add is the operation that adds members.
func (w *memberProbe) add(ids []string) map[string]any {
	op := map[string]any{"op": w.op("add"), "path": "members", "value": memberValues(ids)}
	if w.wrap != client.WrapNone {
		op["value"] = map[string]any{"members": memberValues(ids)}
	}
	if w.wrap == client.WrapPathlessObject {
		delete(op, "path")
	}
	return op
}

// remove is the operations that remove members.
func (w *memberProbe) remove(ids []string) (ops []map[string]any) {
	if w.style == client.RemoveValueArray {
		return []map[string]any{{"op": w.op("remove"), "path": "members", "value": memberValues(ids)}}
	}
	for _, id := range ids {
		ops = append(ops, map[string]any{"op": w.op("remove"), "path": fmt.Sprintf("members[value eq %q]", id)})
	}
	return ops
}

func memberValues(ids []string) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = map[string]any{"value": id}
	}
	return out
}

// change sends operations for the group.
func (w *memberProbe) change(ctx context.Context, ops ...map[string]any) (*answer, error) {
	a, err := w.patchItem(ctx, w.group, "", ops...)
	if err == nil && len(a.Request) > longRequest {
		a.Request = a.Request[:longRequest] + "…"
	}
	return a, err
}

// longRequest is how much of a request the evidence keeps.
const longRequest = 200

// held returns how many of ids the group shows as members.
func (w *memberProbe) held(ctx context.Context, ids []string) (n int, a *answer, err error) {
	path, err := w.Profile().Item(client.Groups, w.group.id)
	if err != nil {
		return 0, nil, err
	}
	a, err = w.send(ctx, client.Request{Op: client.OpRead, Type: client.Groups, Method: http.MethodGet, Path: path})
	if err != nil {
		return 0, a, err
	}
	for _, v := range a.Values(client.Path{Attr: "members", Sub: "value"}) {
		if slices.Contains(ids, text(v)) {
			n++
		}
	}
	return n, a, nil
}

// adds finds out how a member is added, and how many in one request.
func (w *memberProbe) adds(ctx context.Context) error {
	var because []evidence
	for _, w.wrap = range []client.MembersWrap{client.WrapNone, client.WrapPathlessObject, client.WrapObject} {
		a, err := w.change(ctx, w.add(w.ids[:1]))
		if err != nil {
			return err
		}
		if !a.ok() {
			because = append(because, a.says("refused"))
			continue
		}
		w.set("members_wrap", w.wrap, append(because, a.says("a member added"))...)
		if err := w.membersRead(ctx); err != nil {
			return err
		}
		limit, because, err := w.most(ctx, func(ids []string) (*answer, bool, error) {
			a, err := w.change(ctx, w.add(ids))
			return a, err == nil && a.ok(), err
		})
		w.addMax = limit
		if limit < len(w.ids) {
			w.set("member_add_max", limit, because...)
		}
		return err
	}
	w.stuck = true
	w.note("no member can be added to a group")
	return nil
}

// most returns how many members one request takes: all, or what a binary search
// finds. try sends a request for so many.
func (w *memberProbe) most(ctx context.Context, try func(ids []string) (*answer, bool, error)) (limit int, because []evidence, err error) {
	low, high := 1, len(w.ids)+1 // low works, high does not
	var taken, refused evidence
	for n := len(w.ids); high-low > 1; n = (low + high) / 2 {
		a, ok, err := try(w.ids[:n])
		if err != nil {
			return low, nil, err
		}
		if ok {
			low, taken = n, a.says("%d at once taken", n)
		} else {
			high, refused = n, a.says("%d at once refused", n)
		}
	}
	for _, e := range []evidence{refused, taken} {
		if e.Request != "" {
			because = append(because, e)
		}
	}
	return low, because, nil
}

// membersRead finds out whether the group shows its members, or tells when asked.
func (w *memberProbe) membersRead(ctx context.Context) error {
	n, read, err := w.held(ctx, w.ids[:1])
	if err != nil {
		return err
	}
	if w.shows = n > 0; w.shows {
		w.set("members_read", client.MembersFull, read.says("the member is shown"))
		return nil
	}
	because := []evidence{read.says("no member is shown")}
	for _, q := range []struct {
		t                  client.ResourceType
		self, other, where string
	}{
		{client.Groups, w.group.id, w.ids[0], "members.value"}, {client.Groups, w.group.id, w.ids[0], "members"},
		{client.Users, w.ids[0], w.group.id, "groups.value"}, {client.Users, w.ids[0], w.group.id, "groups"},
	} {
		a, err := w.get(ctx, q.t, query("filter", fmt.Sprintf("id eq %q and %s eq %q", q.self, q.where, q.other)))
		if err != nil {
			return err
		}
		if a.ok() && len(a.resources()) == 1 {
			w.set("members_read", client.MembersFilterOnly, append(because, a.says("found by its member"))...)
			w.understands("and", a.says("found"))
			return nil
		}
		because = append(because, a.says("not found by its member"))
	}
	w.set("members_read", client.MembersNone, because...)
	return nil
}

// understands notes that a filter operator works after all.
func (p *prober) understands(op string, because evidence) {
	f := p.found["filter_ops"]
	if f == nil {
		return
	}
	if ops, ok := f.Value.([]string); ok && !slices.Contains(ops, op) {
		p.set("filter_ops", append(ops, op), append(f.Evidence, because)...)
	}
}

// removes finds out how members are removed, and how many in one request.
func (w *memberProbe) removes(ctx context.Context) error {
	var because []evidence
	for _, w.style = range []client.MemberRemoveStyle{client.RemoveFilterPath, client.RemoveValueArray} {
		a, ok, err := w.removed(ctx, w.ids[:1])
		if err != nil {
			return err
		}
		if !ok {
			because = append(because, a.says("not removed"))
			continue
		}
		w.set("member_remove_style", w.style, append(because, a.says("removed"))...)
		limit, because, err := w.most(ctx, func(ids []string) (*answer, bool, error) {
			for chunk := range slices.Chunk(ids, w.addMax) {
				if _, err := w.change(ctx, w.add(chunk)); err != nil {
					return nil, false, err
				}
			}
			return w.removed(ctx, ids)
		})
		if limit < len(w.ids) {
			w.set("member_remove_max", limit, because...)
		}
		return err
	}
	w.stuck = true
	w.note("no member can be removed from a group")
	return nil
}

// removed removes members and reports whether they are gone, as far as the group shows.
func (w *memberProbe) removed(ctx context.Context, ids []string) (*answer, bool, error) {
	a, err := w.change(ctx, w.remove(ids)...)
	if err != nil || !a.ok() || !w.shows {
		return a, err == nil && a.ok(), err
	}
	left, _, err := w.held(ctx, ids)
	return a, left == 0, err
}

// mixes finds out whether members are added and removed in one request.
func (w *memberProbe) mixes(ctx context.Context) error {
	if len(w.ids) < 2 {
		return nil
	}
	if _, err := w.change(ctx, w.add(w.ids[:1])); err != nil {
		return err
	}
	a, err := w.change(ctx, append([]map[string]any{w.add(w.ids[1:2])}, w.remove(w.ids[:1])...)...)
	if err != nil {
		return err
	}
	w.set("member_mix", a.ok(), a.says("one added, one removed"))
	return nil
}

// badMember finds out what a member that does not exist does to a request.
func (w *memberProbe) badMember(ctx context.Context) error {
	if w.addMax < 2 {
		return nil
	}
	a, err := w.change(ctx, w.add([]string{w.ids[0], "provhub-no-such-" + w.token}))
	if err != nil {
		return err
	}
	switch {
	case a.ok():
		w.set("bad_member", client.BadMemberIgnored, a.says("taken"))
	case a.Status >= 500:
		w.set("bad_member", client.BadMemberError500, a.says("refused"))
	default:
		w.set("bad_member", client.BadMemberFailsAll, a.says("refused"))
	}
	return nil
}
