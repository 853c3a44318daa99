package scim

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	client "github.com/provhub/provhub/clients/scim"
)

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
