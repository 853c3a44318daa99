package scim

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	client "github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
)

// user is the resource of synthetic account n: what most products ask for.
func (p *prober) user(n int) client.Resource {
	name := fmt.Sprintf("provhub-probe-%s-%d", p.token, n)
	r := client.Resource{
		"schemas":  []any{userSchema},
		"userName": name + "@" + p.args.Domain, "externalId": name, "displayName": "Provhub Probe " + p.token,
		"name":   map[string]any{"givenName": "Provhub", "familyName": "Probe", "formatted": "Provhub Probe"},
		"emails": []any{map[string]any{"type": "work", "value": name + "@" + p.args.Domain, "primary": true}},
		"title":  "Probe", "nickName": "probe",
	}
	if p.active != nil {
		r["active"] = p.active
	}
	if in(p.Profile().RequiredOnCreate, client.Path{Attr: "password"}) {
		r["password"] = rand.Text() + "-aZ9"
	}
	if in(p.Profile().RequiredOnCreate, client.Path{Attr: "mailNickname"}) {
		r["mailNickname"] = name
	}
	if in(p.Profile().SingleValued, client.Path{Attr: "emails"}) {
		r["emails"] = []any{map[string]any{"value": name + "@" + p.args.Domain, "primary": true}}
	}
	return r
}

// post makes a resource and remembers it.
func (p *prober) post(ctx context.Context, t client.ResourceType, r client.Resource) (*synthetic, *answer, error) {
	m := p.remember(t, r.Text(naming(t)))
	a, err := p.send(ctx, client.Request{Op: client.OpCreate, Type: t, Method: http.MethodPost, Path: p.Profile().Collection(t), Body: r})
	switch {
	case err != nil:
		return m, a, err
	case a.ok():
		m.id = a.ID()
	case !isUnknown(a.err):
		m.ended = true // refused: there is none
	}
	return m, a, nil
}

// create makes the account that the other steps work on.
func (p *prober) create(ctx context.Context) error {
	m, a, err := p.first(ctx)
	if err != nil {
		return err
	}
	if m.id == "" {
		p.note("a create is answered with %d and tells no id", a.Status)
		r, err := p.lookUp(ctx, m)
		if err != nil {
			return err
		}
		m.id = r.ID()
	}
	p.note("an account is made with %d", a.Status)
	if got := a.Text("externalId"); a.Resource != nil && got == "" {
		p.set("external_id", client.ExternalIDUnsupported, a.says("it does not come back"))
	} else if got == m.id && m.id != "" {
		p.set("id_source", client.IDFromExternalID, a.says("the id is the externalId"))
	}
	return p.again(ctx)
}

// first makes an account, with active in the form that is taken: not every
// product has a boolean there (QUIRKS SCIM-63).
func (p *prober) first(ctx context.Context) (*synthetic, *answer, error) {
	var refused error
	for _, p.active = range []any{true, "true", "True", nil} {
		m, a, err := p.post(ctx, client.Users, p.user(0))
		switch {
		case err != nil:
			return nil, nil, err
		case a.ok():
			return m, a, nil
		case refused == nil:
			refused = a.err
		}
		p.made = p.made[:len(p.made)-1] // there is none
	}
	return nil, nil, fmt.Errorf("no account can be made, so nothing more can be tried: %w", refused)
}

// again makes the same account a second time, which must be refused.
func (p *prober) again(ctx context.Context) error {
	m, a, err := p.post(ctx, client.Users, p.user(0))
	switch {
	case err != nil:
		return err
	case a.ok() && m.id != "" && m.id == p.made[0].id:
		m.ended = true
		p.note("a second account of the same userName is answered with the first (%d)", a.Status)
	case a.ok():
		p.note("two accounts of the same userName can be made: set lookup to always")
	case a.Status != http.StatusConflict:
		p.note("a second account of the same userName is refused with %d in place of 409", a.Status)
		if a.Status == http.StatusBadRequest || a.Status == http.StatusInternalServerError {
			p.set("status_map", []any{map[string]any{"op": "create", "status": a.Status, "class": "conflict"}}, a.says("the account is there already"))
		}
	}
	return nil
}

// visibleTime is how long a new account may take to show.
const visibleTime = 30 * time.Second

// lookups finds the new account by what it was made with, and measures how long
// it takes until it is found.
func (p *prober) lookups(ctx context.Context) error {
	me := p.user(0)
	began := time.Now()
	delay := time.Duration(-1)
	var at *answer
	for wait := 100 * time.Millisecond; time.Since(began) < visibleTime; wait = min(2*wait, 4*time.Second) {
		a, err := p.get(ctx, client.Users, query("filter", fmt.Sprintf("userName eq %q", me.Text("userName"))))
		if err != nil {
			return err
		}
		if at = a; a.ok() && len(a.resources()) > 0 {
			delay = time.Since(began)
			break
		}
		if !a.ok() && a.Status != http.StatusNotFound {
			break
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
	switch {
	case delay < 0:
		p.note("the new account was not found by userName within %v", visibleTime)
	case delay < time.Second:
		p.set("read_after_write", "0s", at.says("found at once"))
	default:
		p.set("read_after_write", (2 * delay).Round(time.Second).String(), at.says("found after %v; doubled to be safe", delay.Round(time.Millisecond)))
	}
	return p.findable(ctx, me)
}

// findable corrects what was measured without an account: a filter that finds
// nobody may find nobody ever.
func (p *prober) findable(ctx context.Context, me client.Resource) error {
	var works []string
	var because []evidence
	all := true
	me["id"] = p.made[0].id
	for _, attr := range p.filterable(client.Users) {
		values := me.Values(client.MustPath(attr))
		if len(values) == 0 {
			continue // the account has no such value to be found by
		}
		a, err := p.get(ctx, client.Users, query("filter", client.Eq(attr, values[0]).String()))
		if err != nil {
			return err
		}
		found := slices.ContainsFunc(a.resources(), func(r client.Resource) bool { return r.ID() == p.made[0].id })
		if found {
			works = append(works, attr)
		}
		all = all && found
		because = append(because, a.says("%d found", len(a.resources())))
	}
	if all {
		works = []string{}
	}
	groups := []string{}
	if f := p.found["filter_attrs"]; f != nil {
		if m, ok := f.Value.(map[client.ResourceType][]string); ok {
			groups = m[client.Groups]
		}
	}
	p.set("filter_attrs", map[client.ResourceType][]string{client.Users: works, client.Groups: groups}, because...)
	return nil
}

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
