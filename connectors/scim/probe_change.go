package scim

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// me reads the account that the steps work on.
func (p *prober) me(ctx context.Context) (*answer, error) {
	path, err := p.Profile().Item(client.Users, p.made[0].id)
	if err != nil {
		return nil, err
	}
	return p.send(ctx, client.Request{Op: client.OpRead, Type: client.Users, Method: http.MethodGet, Path: path})
}

// patch sends PATCH operations for the account.
func (p *prober) patch(ctx context.Context, ifMatch string, ops ...map[string]any) (*answer, error) {
	return p.patchItem(ctx, p.made[0], ifMatch, ops...)
}

func (p *prober) patchItem(ctx context.Context, m *synthetic, ifMatch string, ops ...map[string]any) (*answer, error) {
	path, err := p.Profile().Item(m.t, m.id)
	if err != nil {
		return nil, err
	}
	a, err := p.send(ctx, client.Request{Op: client.OpUpdate, Type: m.t, Method: http.MethodPatch, Path: path, IfMatch: ifMatch,
		Body: map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": ops}})
	if err == nil {
		a.Request += " " + asJSON(ops)
	}
	return a, err
}

// took sends operations and reports whether the attribute at path then is want.
// "" means that it has no value.
func (p *prober) took(ctx context.Context, path, want string, ops ...map[string]any) (evidence, bool, error) {
	a, err := p.patch(ctx, "", ops...)
	if err != nil {
		return evidence{}, false, err
	}
	if !a.ok() {
		return a.says("refused"), false, nil
	}
	got, err := p.me(ctx)
	if err != nil {
		return a.evidence, false, err
	}
	if is := got.Text(path); is != want {
		return a.says("accepted without effect"), false, nil
	}
	return a.says("took effect"), true, nil
}

// versions finds out whether a stale version is refused (RFC 7644 §3.14).
func (p *prober) versions(ctx context.Context) error {
	before, err := p.me(ctx)
	if err != nil || !before.ok() {
		return err
	}
	version := before.Version()
	if version == "" {
		version = before.header.Get("ETag")
	}
	if version == "" {
		p.set("etag", client.ETagNone, before.says("no version"))
		return nil
	}
	if _, _, err := p.took(ctx, "title", "Probe V1", map[string]any{"op": p.op("replace"), "path": "title", "value": "Probe V1"}); err != nil {
		return err
	}
	stale, err := p.patch(ctx, version, map[string]any{"op": p.op("replace"), "path": "title", "value": "Probe V2"})
	if err != nil {
		return err
	}
	if stale.Status == http.StatusPreconditionFailed {
		p.set("etag", client.ETagAuto, stale.says("a stale version is refused"))
	} else {
		p.set("etag", client.ETagNone, stale.says("a stale version is not refused"))
	}
	return nil
}

// puts finds out what PUT does with what it leaves out (RFC 7644 §3.5.1).
func (p *prober) puts(ctx context.Context) error {
	before, err := p.me(ctx)
	if err != nil || !before.ok() {
		return err
	}
	body := client.Resource(maps.Clone(before.Resource))
	maps.DeleteFunc(body, func(name string, _ any) bool {
		return slices.ContainsFunc([]string{"meta", "groups", "title"}, func(drop string) bool { return strings.EqualFold(name, drop) })
	})
	body["displayName"] = "Provhub Probe PUT"
	path, err := p.Profile().Item(client.Users, p.made[0].id)
	if err != nil {
		return err
	}
	a, err := p.send(ctx, client.Request{Op: client.OpUpdate, Type: client.Users, Method: http.MethodPut, Path: path, Body: body})
	if err != nil {
		return err
	}
	after, err := p.me(ctx)
	if err != nil {
		return err
	}
	patches := p.is("user_update", client.UpdatePatch) == client.UpdatePatch
	switch worked := a.ok() && after.Text("displayName") == "Provhub Probe PUT"; {
	case !worked:
		p.note("PUT does not work (%d)", a.Status)
		if !patches {
			p.set("user_update", client.UpdateNone, a.says("neither PATCH nor PUT changes an account"))
		}
	case before.Text("title") == "":
		p.note("PUT works; whether it clears what is left out is not known")
	case after.Text("title") == "":
		p.note("PUT clears what is left out")
		if !patches {
			p.set("user_update", client.UpdatePutMerge, a.says("what is left out is cleared"))
		}
	default:
		p.note("PUT keeps what is left out")
		if !patches {
			p.set("user_update", client.UpdatePutPartial, a.says("what is left out stays"))
		}
	}
	return nil
}

// deleting finds out what is left of a group and of an account after DELETE.
func (p *prober) deleting(ctx context.Context) error {
	if g := p.group(); g != nil {
		if err := p.deleteGroup(ctx, g); err != nil {
			return err
		}
	}
	m := p.made[0]
	path, err := p.Profile().Item(m.t, m.id)
	if err != nil {
		return err
	}
	a, err := p.send(ctx, client.Request{Op: client.OpDelete, Type: m.t, Method: http.MethodDelete, Path: path})
	if err != nil {
		return err
	}
	if !a.ok() && !errors.Is(a.err, connector.Unchanged) {
		p.set("delete", client.DeleteForbidden, a.says("refused"))
		return nil
	}
	after, err := p.me(ctx)
	if err != nil {
		return err
	}
	if active, known := after.Active(); after.ok() && known && !active {
		p.set("delete", client.DeleteSoft, a.says("the account stays, deactivated"))
		return nil
	}
	anew, b, err := p.post(ctx, client.Users, p.user(0))
	switch {
	case err != nil:
		return err
	case b.ok():
		m.ended = true
		p.set("delete", client.DeleteHard, a.says("gone"), b.says("it can be made again"))
		if anew.id == m.id {
			p.note("an account that is made again gets the id of the deleted one")
		}
	default:
		p.set("delete", client.DeleteSoft, a.says("not readable any more"), b.says("its userName is still taken"))
		p.note("after a delete the userName stays taken: if the vendor says that this is for ever, set delete to irreversible")
	}
	return nil
}
