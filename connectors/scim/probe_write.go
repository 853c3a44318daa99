package scim

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"

	client "github.com/provhub/provhub/clients/scim"
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
