package scim

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	client "github.com/provhub/provhub/clients/scim"
)

// discovery asks the service about itself, at the addresses in use.
func (p *prober) discovery(ctx context.Context) error {
	told := 0
	var asked []evidence
	for _, part := range []struct {
		key   string
		paths []string
	}{
		{"spc_path", []string{p.Profile().SPCPath, "/ServiceProviderConfig", "/ServiceProviderConfigs"}},
		{"schemas_path", []string{p.Profile().SchemasPath, "/Schemas"}},
		{"resource_types_path", []string{p.Profile().ResourceTypesPath, "/ResourceTypes"}},
	} {
		for _, path := range slices.Compact(part.paths) {
			a, err := p.send(ctx, client.Request{Op: client.OpRead, Method: http.MethodGet, Path: path})
			if err != nil {
				return err
			}
			if a.ok() && a.Resource != nil {
				p.set(part.key, path, a.says("answered"))
				told++
				break
			}
			asked = append(asked, a.says("not told"))
		}
	}
	if told == 0 {
		p.set("discovery", client.DiscoveryNone, asked...)
		p.note("the service tells nothing of itself: the profile must")
	}
	return nil
}

// usuallyFilterable are the attributes that filters are tried on, besides those
// that the profile in use names.
var usuallyFilterable = map[client.ResourceType][]string{
	client.Users:  {"userName", "externalId", "id", "displayName", "emails.value", "groups.value", enterpriseSchema + ":employeeNumber"},
	client.Groups: {"displayName", "externalId", "id", "members.value"},
}

func (p *prober) filterable(t client.ResourceType) []string {
	out := slices.Clone(usuallyFilterable[t])
	for _, name := range p.Profile().FilterAttrs.Of(t) {
		if path, err := client.ParsePath(name); err == nil && !in(out, path) {
			out = append(out, name)
		}
	}
	return out
}

// filters finds out which filters are understood. A filter for something that
// nobody has finds nothing; one that finds all was not looked at.
func (p *prober) filters(ctx context.Context) error {
	works := map[client.ResourceType][]string{client.Users: {}, client.Groups: {}}
	all := true
	var because []evidence
	for _, t := range []client.ResourceType{client.Users, client.Groups} {
		for _, attr := range p.filterable(t) {
			if attr == "active" { // somebody is: only an account of its own shows whether that works
				works[t] = append(works[t], attr)
				continue
			}
			a, ok, err := p.filter(ctx, t, fmt.Sprintf("%s eq %q", attr, "provhub-"+p.token))
			if err != nil {
				return err
			}
			if ok {
				works[t] = append(works[t], attr)
			} else {
				all = false
			}
			because = append(because, a)
		}
	}
	if all { // none is known that does not work, so none is ruled out
		works = map[client.ResourceType][]string{client.Users: {}, client.Groups: {}}
	}
	p.set("filter_attrs", works, because...)
	return p.operators(ctx)
}

// filter tries a filter that nobody passes.
func (p *prober) filter(ctx context.Context, t client.ResourceType, text string) (evidence, bool, error) {
	a, err := p.get(ctx, t, query("filter", text, "count", "2"))
	if err != nil {
		return a.evidence, false, err
	}
	switch {
	case !a.ok() && a.Status == http.StatusNotFound: // some say so in place of an empty list
		return a.says("nobody"), t == client.Users, nil
	case !a.ok():
		return a.says("refused"), false, nil
	case a.hits() > 0:
		return a.says("ignored: it found %d", a.hits()), false, nil
	}
	return a.says("nobody"), true, nil
}

// operators tries the operators on userName, which every service can filter by.
func (p *prober) operators(ctx context.Context) error {
	value := fmt.Sprintf("%q", "provhub-"+p.token)
	var ops []string
	var because []evidence
	for _, o := range []struct{ op, text string }{
		{"eq", "userName eq " + value}, {"co", "userName co " + value}, {"sw", "userName sw " + value}, {"ew", "userName ew " + value},
		{"and", "userName eq " + value + " and userName eq " + value}, {"or", "userName eq " + value + " or userName eq " + value},
		{"not", "not (userName pr)"}, {"gt", `meta.lastModified gt "9999-01-01T00:00:00Z"`}, {"ge", `meta.lastModified ge "9999-01-01T00:00:00Z"`},
		{"lt", `meta.lastModified lt "1000-01-01T00:00:00Z"`}, {"le", `meta.lastModified le "1000-01-01T00:00:00Z"`},
	} {
		e, ok, err := p.filter(ctx, client.Users, o.text)
		if err != nil {
			return err
		}
		if ok {
			ops = append(ops, o.op)
		}
		because = append(because, e)
	}
	// These find everybody where they work.
	for _, o := range []struct{ op, text string }{{"ne", "userName ne " + value}, {"pr", "userName pr"}} {
		a, err := p.get(ctx, client.Users, query("filter", o.text, "count", "1"))
		if err != nil {
			return err
		}
		if a.ok() {
			ops = append(ops, o.op)
		}
		because = append(because, a.says("%d found", a.hits()))
	}
	if !slices.Contains(ops, "eq") { // the rest is what an ignored filter passes as well
		ops = nil
	}
	p.set("filter_ops", ops, because...)
	return p.search(ctx, value)
}

// search tries POST /.search (RFC 7644 §3.4.3), which keeps names out of logs.
func (p *prober) search(ctx context.Context, value string) error {
	a, err := p.send(ctx, client.Request{Op: client.OpRead, Type: client.Users, Method: http.MethodPost, Path: p.Profile().UsersPath + "/.search",
		Body: map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:SearchRequest"}, "filter": "userName eq " + value, "count": 2}})
	if err != nil {
		return err
	}
	p.set("post_search", a.ok() && a.total() == 0, a.says("%d found", a.hits()))
	return nil
}
