package scim

import (
	"context"
	"slices"

	client "github.com/provhub/provhub/clients/scim"
)

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
