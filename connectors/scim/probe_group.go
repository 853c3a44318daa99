package scim

import (
	"context"
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
		p.note("no further accounts are made, because of what happens to them: %s", why)
		return false, nil
	}
	m.ended = true
	return true, nil
}
