package scim

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	client "github.com/provhub/provhub/clients/scim"
)

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
