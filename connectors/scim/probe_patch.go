package scim

import (
	"context"
	"net/http"

	client "github.com/provhub/provhub/clients/scim"
)

// op is an operation's name in the case that works.
func (p *prober) op(word string) string {
	if p.is("op_case", p.Profile().OpCase) == client.OpCapital {
		return map[string]string{"add": "Add", "replace": "Replace", "remove": "Remove"}[word]
	}
	return word
}

// patches finds out which shapes of PATCH work (RFC 7644 §3.5.2). A path for each
// attribute says most precisely what is meant, so it is preferred.
func (p *prober) patches(ctx context.Context) error {
	if err := p.cases(ctx); err != nil {
		return err
	}
	var because []evidence
	style := client.PatchStyle("")
	for _, shape := range []struct {
		style client.PatchStyle
		path  string
		want  string
		op    map[string]any
	}{
		{client.PatchPerPath, "displayName", "Probe A", map[string]any{"path": "displayName", "value": "Probe A"}},
		{client.PatchPathlessObject, "title", "Probe B", map[string]any{"value": map[string]any{"displayName": "Probe B", "title": "Probe B"}}},
		{client.PatchDotted, "name.givenName", "Probe C", map[string]any{"value": map[string]any{"name.givenName": "Probe C"}}},
		{client.PatchPathlessSingle, "displayName", "Probe D", map[string]any{"value": map[string]any{"displayName": "Probe D"}}},
	} {
		shape.op["op"] = p.op("replace")
		e, ok, err := p.took(ctx, shape.path, shape.want, shape.op)
		if err != nil {
			return err
		}
		because = append(because, e)
		if ok && style == "" {
			style = shape.style
		}
	}
	if style == "" {
		p.set("user_update", client.UpdatePutMerge, because...)
		p.note("no shape of PATCH works")
		return nil
	}
	p.set("user_update", client.UpdatePatch, because...)
	p.set("patch_style", style, because...)
	if err := p.pathFilters(ctx); err != nil {
		return err
	}
	return p.extension(ctx)
}

// cases finds out how operations are written.
func (p *prober) cases(ctx context.Context) error {
	for _, c := range []struct {
		is client.OpCase
		op string
	}{{client.OpLower, "replace"}, {client.OpCapital, "Replace"}} {
		e, ok, err := p.took(ctx, "displayName", "Probe "+c.op, map[string]any{"op": c.op, "path": "displayName", "value": "Probe " + c.op})
		if err != nil {
			return err
		}
		if ok {
			p.set("op_case", c.is, e)
			return nil
		}
	}
	return nil
}

// pathFilters finds out which filters a path may hold.
func (p *prober) pathFilters(ctx context.Context) error {
	full := "full-" + p.token + "@" + p.args.Domain
	typed := "type-" + p.token + "@" + p.args.Domain
	me, err := p.me(ctx)
	if err != nil {
		return err
	}
	byValue, okValue, err := p.took(ctx, "emails.value", full,
		map[string]any{"op": p.op("replace"), "path": `emails[value eq "` + me.Text("emails.value") + `"].value`, "value": full})
	if err != nil {
		return err
	}
	byType, okType, err := p.took(ctx, "emails.value", typed, map[string]any{"op": p.op("replace"), "path": `emails[type eq "work"].value`, "value": typed})
	if err != nil {
		return err
	}
	switch {
	case okValue && okType:
		p.set("path_filters", client.PathFiltersFull, byValue, byType)
	case okType:
		p.set("path_filters", client.PathFiltersTypeOnly, byValue, byType)
	default:
		p.set("path_filters", client.PathFiltersNone, byValue, byType)
	}
	return nil
}

// extension finds out what stands between a schema's URI and an attribute.
func (p *prober) extension(ctx context.Context) error {
	for _, s := range []struct {
		is  client.Separator
		sep string
	}{{client.SepColon, ":"}, {client.SepDot, "."}} {
		e, ok, err := p.took(ctx, enterpriseSchema+":department", "Probe "+string(s.is),
			map[string]any{"op": p.op("add"), "path": enterpriseSchema + s.sep + "department", "value": "Probe " + string(s.is)})
		if err != nil {
			return err
		}
		if ok {
			p.set("ext_sep", s.is, e)
			return nil
		}
	}
	p.note("attributes of the enterprise extension cannot be changed by PATCH")
	return nil
}

// clears finds out how an attribute is emptied (QUIRKS SCIM-26).
func (p *prober) clears(ctx context.Context) error {
	if p.is("user_update", client.UpdatePatch) != client.UpdatePatch {
		return nil
	}
	var because []evidence
	for _, c := range []struct {
		is client.ClearStyle
		op map[string]any
	}{
		{client.ClearRemove, map[string]any{"op": p.op("remove"), "path": "nickName"}},
		{client.ClearNull, map[string]any{"op": p.op("replace"), "path": "nickName", "value": nil}},
		{client.ClearEmptyString, map[string]any{"op": p.op("replace"), "path": "nickName", "value": ""}},
	} {
		if _, ok, err := p.took(ctx, "nickName", "probe", map[string]any{"op": p.op("add"), "path": "nickName", "value": "probe"}); err != nil || !ok {
			return err // an attribute that the service does not hold cannot be cleared either
		}
		e, ok, err := p.took(ctx, "nickName", "", c.op)
		if err != nil {
			return err
		}
		because = append(because, e)
		if ok {
			p.set("clear_style", c.is, because...)
			return nil
		}
	}
	p.set("clear_style", client.ClearUnsupported, because...)
	return nil
}

// disabling finds out how an account is disabled, and what is seen of it then.
func (p *prober) disabling(ctx context.Context) error {
	if p.is("user_update", client.UpdatePatch) != client.UpdatePatch {
		return nil
	}
	var because []evidence
	for _, s := range []struct {
		style   client.BoolStyle
		off, on any
	}{{client.BoolJSON, false, true}, {client.BoolStringTrue, "False", "True"}, {client.BoolStringLow, "false", "true"}} {
		a, err := p.patch(ctx, "", map[string]any{"op": p.op("replace"), "path": "active", "value": s.off})
		if err != nil {
			return err
		}
		because = append(because, a.says("active to %v", s.off))
		if !a.ok() {
			continue
		}
		after, err := p.me(ctx)
		if err != nil {
			return err
		}
		active, known := after.Active()
		hidden := after.Status == http.StatusNotFound
		if !hidden && (!known || active) {
			continue
		}
		p.set("bool_style", s.style, because...)
		p.set("disable", client.DisableActive, because...)
		p.visibility(after, hidden)
		return p.reactivation(ctx, s.on)
	}
	p.note("no form of active disables an account")
	return nil
}

// visibility notes what is seen of the disabled account.
func (p *prober) visibility(after *answer, hidden bool) {
	if hidden {
		p.set("disabled_visible", client.DisabledHidden, after.says("not found while disabled"))
		return
	}
	p.set("disabled_visible", client.DisabledVisible, after.says("shown while disabled"))
	var obfuscated []string
	for _, path := range []string{"userName", "emails.value", "displayName"} {
		if want := p.user(0).Text(path); path == "userName" && after.Text(path) != want {
			obfuscated = append(obfuscated, path)
		}
	}
	if obfuscated != nil {
		p.set("obfuscated_when_disabled", obfuscated, after.says("another value while disabled"))
	}
}

// reactivation enables the account again.
func (p *prober) reactivation(ctx context.Context, on any) error {
	a, err := p.patch(ctx, "", map[string]any{"op": p.op("replace"), "path": "active", "value": on})
	if err != nil {
		return err
	}
	after, err := p.me(ctx)
	if err != nil {
		return err
	}
	if active, _ := after.Active(); a.ok() && active {
		p.set("reactivate", client.ReactivateActive, a.says("active again"))
	} else {
		p.set("reactivate", client.ReactivateCreate, a.says("it stays disabled"))
	}
	return nil
}
