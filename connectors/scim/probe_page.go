package scim

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	client "github.com/provhub/provhub/clients/scim"
)

// manyResources is what a page is asked to hold to see where the service stops.
const manyResources = 1000

// accountsToPage is how many accounts it takes to see whether one page goes on
// where another ended.
const accountsToPage = 2

// pages finds out how listings come in pages. Where there are too few accounts and
// the probe makes some of its own, that is [prober.ownPages]'s.
func (p *prober) pages(ctx context.Context) error {
	plain, err := p.get(ctx, client.Users, query("count", "1"))
	if err != nil {
		return err
	}
	p.set("list_without_filter", plain.ok(), plain.says("%d listed", len(plain.resources())))
	if !plain.ok() {
		return nil
	}
	if plain.total() < 0 {
		p.set("total_results", client.TotalsAbsent, plain.says("no totalResults"))
	}
	if p.args.Write && len(p.made) == 0 && plain.hits() < accountsToPage {
		p.postponed = true
		return nil
	}
	byCursor, err := p.paging(ctx, plain)
	if err != nil {
		return err
	}
	start := []string{"startIndex", "1"}
	if byCursor {
		start = []string{"cursor", ""}
	}
	large, err := p.get(ctx, client.Users, query(append(start, "count", strconv.Itoa(manyResources))...))
	if err != nil {
		return err
	}
	switch n := len(large.resources()); {
	case large.ok() && n > 0 && (n < large.total() || large.Text("nextCursor") != ""):
		p.set("page_max", n, large.says("%d of %d", n, large.total()))
	case large.ok():
		p.note("a page of %d holds all %d accounts: where pages end is not known", manyResources, n)
	default:
		p.note("a page of %d is refused (%d)", manyResources, large.Status)
	}
	if byCursor && p.Profile().Paging != client.PagingCursor {
		p.note("whether totalResults is true shows in a second probe, with paging: cursor")
		return nil
	}
	return p.totals(ctx)
}

// paging tells index from cursor, and reports whether a cursor is the only way.
func (p *prober) paging(ctx context.Context, plain *answer) (byCursor bool, err error) {
	first, err := p.get(ctx, client.Users, query("startIndex", "1", "count", "1"))
	if err != nil {
		return false, err
	}
	second, err := p.get(ctx, client.Users, query("startIndex", "2", "count", "1"))
	if err != nil {
		return false, err
	}
	cursor, err := p.get(ctx, client.Users, query("cursor", "", "count", "1"))
	if err != nil {
		return false, err
	}
	one, two := first.resources(), second.resources()
	goesOn := len(one) > 0 && len(two) > 0 && one[0].ID() != two[0].ID()
	hasCursor := cursor.ok() && cursor.Text("nextCursor") != ""
	switch {
	case len(plain.resources()) > 1:
		p.set("paging", client.PagingNone, plain.says("count 1 is answered with %d", len(plain.resources())))
	case goesOn && hasCursor:
		p.set("paging", client.PagingAuto, second.says("another account"), cursor.says("a cursor"))
	case goesOn:
		p.set("paging", client.PagingIndex, second.says("another account"), cursor.says("no cursor"))
	case hasCursor:
		p.set("paging", client.PagingCursor, second.says("no other account"), cursor.says("a cursor"))
		return true, nil
	case plain.total() > 1:
		p.set("paging", client.PagingNone, second.says("no other account"), cursor.says("no cursor"))
	default:
		p.note("%s", p.tooFew(plain.hits()))
	}
	return false, nil
}

func (p *prober) tooFew(n int) string {
	why := fmt.Sprintf("how pages go on cannot be told: there are too few accounts (%d, and it takes %d)", n, accountsToPage)
	if !p.args.Write {
		why += "; with write, the probe makes its own"
	}
	return why
}

// ownPages looks at pages and parameters by the probe's own accounts, where there
// were too few others.
func (p *prober) ownPages(ctx context.Context) error {
	if !p.postponed {
		return nil
	}
	p.postponed = false
	if p.accounts() < accountsToPage {
		more, err := p.removable(ctx)
		if err != nil {
			return err
		}
		if more {
			if _, _, err := p.post(ctx, client.Users, p.user(1)); err != nil {
				return err
			}
		}
	}
	if err := p.pages(ctx); err != nil {
		return err
	}
	return p.parameters(ctx)
}

// accounts is how many the probe made that are still there.
func (p *prober) accounts() (n int) {
	for _, m := range p.made {
		if m.t == client.Users && !m.ended {
			n++
		}
	}
	return n
}

// totalsMax bounds the accounts that are read to check totalResults.
const totalsMax = 2000

// totals counts the accounts and compares that with totalResults (QUIRKS SCIM-17).
func (p *prober) totals(ctx context.Context) error {
	enough := errors.New("enough")
	n := 0
	at := evidence{Request: "listing of " + p.Profile().UsersPath, At: now()}
	end, err := p.List(ctx, client.Query{Type: client.Users}, func(client.Resource) error {
		if n++; n > totalsMax {
			return enough
		}
		return nil
	})
	p.requests += end.Pages
	at.Status = 200
	switch {
	case errors.Is(err, enough):
		p.note("there are more than %d accounts: whether totalResults is true was not counted", totalsMax)
	case fatal(err):
		return err
	case err != nil:
		p.note("the accounts cannot be listed: %v", err)
	case end.Total < 0:
	case end.Total == end.Distinct:
		at.Note = "every account was listed once"
		p.set("total_results", client.TotalsTrusted, at)
	default:
		p.set("total_results", client.TotalsHint, at)
		p.note("totalResults says %d and %d were listed", end.Total, end.Distinct)
	}
	return nil
}

// parameters finds out whether the service selects and sorts (RFC 7644 §3.9, §3.4.2.3),
// when pages does.
func (p *prober) parameters(ctx context.Context) error {
	if p.postponed {
		return nil
	}
	for _, q := range []struct{ key, name, value string }{
		{"attributes_param", "attributes", "userName"}, {"excluded_attributes_param", "excludedAttributes", "userName"}, {"sort_param", "sortBy", "userName"},
	} {
		a, err := p.get(ctx, client.Users, query("count", "1", q.name, q.value))
		if err != nil {
			return err
		}
		rs := a.resources()
		switch {
		case !a.ok():
			p.set(q.key, client.ParameterNone, a.says("refused"))
		case len(rs) == 0:
			p.note("whether %s works cannot be seen without accounts", q.name)
		case q.name == "excludedAttributes" && rs[0].Text("userName") != "":
			p.set(q.key, client.ParameterNone, a.says("ignored"))
		default:
			p.set(q.key, client.ParameterAuto, a.says("taken"))
		}
	}
	return p.tellsMembers(ctx)
}

// tellsMembers looks whether any group shows its members. That none does may
// mean that all are empty: only a group of its own proves it.
func (p *prober) tellsMembers(ctx context.Context) error {
	a, err := p.get(ctx, client.Groups, query("count", "20"))
	if err != nil || !a.ok() {
		return err
	}
	for _, g := range a.resources() {
		if len(g.Values(client.Path{Attr: "members"})) > 0 {
			p.set("members_read", client.MembersFull, a.says("a group shows its members"))
			return nil
		}
	}
	return nil
}
