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
	listed, err := p.get(ctx, client.Groups, query("startIndex", "1", "count", "1"))
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
	// Whether it can be deleted shows when it is removed; until then it is hoped.
	ops = append(ops, client.GroupDelete)
	p.set("group_ops", slices.Sorted(slices.Values(ops)), a.says("made"), renamed.says("renamed"), listed.says("read"))
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

// members finds out how members are added and removed (QUIRKS SCIM-28 to 30).
func (p *prober) members(ctx context.Context) error {
	g := p.group()
	if g == nil {
		return nil
	}
	ids := []string{p.made[0].id}
	for n := 1; n < p.args.Members; n++ {
		m, a, err := p.post(ctx, client.Users, p.user(n))
		if err != nil {
			return err
		}
		if a.ok() && m.id != "" {
			ids = append(ids, m.id)
		}
	}
	held, known, err := p.adds(ctx, g, ids)
	if err != nil || held == 0 {
		return err
	}
	if err := p.removes(ctx, g, ids[:held], known); err != nil {
		return err
	}
	return p.badMember(ctx, g, ids[0])
}

// values is a list of members as a request has it.
func values(ids []string) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = map[string]any{"value": id}
	}
	return out
}

// inGroup returns how many of ids the group shows as members. known is false
// when it shows none at all, which may mean that it never does.
func (p *prober) inGroup(ctx context.Context, g *synthetic, ids []string) (n int, a *answer, err error) {
	path, err := p.Profile().Item(client.Groups, g.id)
	if err != nil {
		return 0, nil, err
	}
	a, err = p.send(ctx, client.Request{Op: client.OpRead, Type: client.Groups, Method: http.MethodGet, Path: path})
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

// adds adds all ids in one request, and fewer while that is refused. It returns
// how many are members then, and whether the group shows them.
func (p *prober) adds(ctx context.Context, g *synthetic, ids []string) (held int, known bool, err error) {
	var refused []evidence
	wraps := []struct {
		is client.MembersWrap
		op func([]string) map[string]any
	}{
		{client.WrapNone, func(ids []string) map[string]any {
			return map[string]any{"op": p.op("add"), "path": "members", "value": values(ids)}
		}},
		{client.WrapPathlessObject, func(ids []string) map[string]any {
			return map[string]any{"op": p.op("add"), "value": map[string]any{"members": values(ids)}}
		}},
		{client.WrapObject, func(ids []string) map[string]any {
			return map[string]any{"op": p.op("add"), "path": "members", "value": map[string]any{"members": values(ids)}}
		}},
	}
	for n := len(ids); n > 0; n /= 2 {
		for _, w := range wraps {
			a, err := p.patchItem(ctx, g, "", w.op(ids[:n]))
			if err != nil {
				return 0, false, err
			}
			if !a.ok() {
				refused = append(refused, a.says("%d members refused", n))
				continue
			}
			shown, read, err := p.inGroup(ctx, g, ids[:n])
			if err != nil {
				return 0, false, err
			}
			p.set("members_wrap", w.is, a.says("%d members added", n))
			if n < len(ids) {
				p.set("member_add_max", n, append(refused, a.says("%d members taken", n))...)
			}
			return n, shown > 0, p.membersRead(ctx, g, ids[0], shown, n, read)
		}
	}
	p.note("no member can be added to a group")
	return 0, false, nil
}

// membersRead notes whether the group shows its members, or tells when asked.
func (p *prober) membersRead(ctx context.Context, g *synthetic, member string, shown, added int, read *answer) error {
	if shown > 0 {
		p.set("members_read", client.MembersFull, read.says("%d of %d members shown", shown, added))
		return nil
	}
	a, err := p.get(ctx, client.Groups, query("filter", fmt.Sprintf("id eq %q and members.value eq %q", g.id, member)))
	if err != nil {
		return err
	}
	if a.ok() && len(a.resources()) == 1 {
		p.set("members_read", client.MembersFilterOnly, read.says("no member shown"), a.says("found by its member"))
	} else {
		p.set("members_read", client.MembersNone, read.says("no member shown"), a.says("not found by its member"))
	}
	return nil
}

// removes finds out how members are removed.
func (p *prober) removes(ctx context.Context, g *synthetic, ids []string, known bool) error {
	styles := []struct {
		is  client.MemberRemoveStyle
		ops func([]string) []map[string]any
	}{
		{client.RemoveFilterPath, func(ids []string) (ops []map[string]any) {
			for _, id := range ids {
				ops = append(ops, map[string]any{"op": p.op("remove"), "path": fmt.Sprintf("members[value eq %q]", id)})
			}
			return ops
		}},
		{client.RemoveValueArray, func(ids []string) []map[string]any {
			return []map[string]any{{"op": p.op("remove"), "path": "members", "value": values(ids)}}
		}},
	}
	var because []evidence
	for n := len(ids); n > 0; n /= 2 {
		for _, s := range styles {
			a, err := p.patchItem(ctx, g, "", s.ops(ids[:n])...)
			if err != nil {
				return err
			}
			left, _, err := p.inGroup(ctx, g, ids[:n])
			if err != nil {
				return err
			}
			if !a.ok() || known && left > 0 {
				because = append(because, a.says("%d members not removed", n))
				continue
			}
			because = append(because, a.says("%d members removed", n))
			p.set("member_remove_style", s.is, because...)
			if n < len(ids) {
				p.set("member_remove_max", n, because...)
			}
			return p.mixed(ctx, g, ids, s.ops)
		}
	}
	p.note("no member can be removed from a group")
	return nil
}

// mixed finds out whether members are added and removed in one request.
func (p *prober) mixed(ctx context.Context, g *synthetic, ids []string, remove func([]string) []map[string]any) error {
	if len(ids) < 2 {
		return nil
	}
	if _, err := p.patchItem(ctx, g, "", map[string]any{"op": p.op("add"), "path": "members", "value": values(ids[:1])}); err != nil {
		return err
	}
	add := map[string]any{"op": p.op("add"), "path": "members", "value": values(ids[1:2])}
	a, err := p.patchItem(ctx, g, "", append([]map[string]any{add}, remove(ids[:1])...)...)
	if err != nil {
		return err
	}
	p.set("member_mix", a.ok(), a.says("one added, one removed"))
	return nil
}

// badMember finds out what a member that does not exist does to a request.
func (p *prober) badMember(ctx context.Context, g *synthetic, good string) error {
	a, err := p.patchItem(ctx, g, "", map[string]any{"op": p.op("add"), "path": "members", "value": values([]string{good, "provhub-no-such-" + p.token})})
	if err != nil {
		return err
	}
	switch {
	case a.ok():
		p.set("bad_member", client.BadMemberIgnored, a.says("taken"))
	case a.Status >= 500:
		p.set("bad_member", client.BadMemberError500, a.says("refused"))
	default:
		p.set("bad_member", client.BadMemberFailsAll, a.says("refused"))
	}
	return nil
}
