package fakeldap

import (
	"context"
	"crypto/rand"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// pagedSearch answers one page (RFC 2696). A cookie is good on its connection
// only, and once.
func (c *conn) pagedSearch(ctx context.Context, m message, r searchRequest, ctl control) (answer, error) {
	parts, err := ctl.sequenceOf(2)
	if err != nil {
		return answer{}, err
	}
	size, err := integer(parts[0])
	if err != nil || size < 0 {
		return answer{}, refuse(protocolError, "paged results control value invalid")
	}
	l, err := c.listingOf(m, r, text(parts[1]))
	if err != nil {
		return answer{}, err
	}
	page := int(size)
	if limit := c.dir.options.SizeLimit; limit > 0 && c.dir.flavor == ActiveDirectory {
		page = min(page, limit) // MaxPageSize
	}
	if page == 0 { // the client gives up the listing
		return answer{refusal: refusal{controls: pageControl(0, "")}}, nil
	}
	more, err := c.deliver(ctx, m, l, r.sizeLimit, page)
	if err != nil {
		return answer{refusal: refusal{controls: pageControl(0, "")}}, err
	}
	cookie := ""
	if more && len(l.rest) > 0 {
		cookie = rand.Text()
		c.mu.Lock()
		c.pages[cookie] = l
		c.mu.Unlock()
	}
	return answer{refusal: refusal{controls: pageControl(0, cookie)}}, nil
}

// listingOf begins a listing, or goes on with the one of the cookie.
func (c *conn) listingOf(m message, r searchRequest, cookie string) (*listing, error) {
	if cookie == "" {
		c.mu.Lock()
		clear(c.pages) // one listing at a time, as in slapd
		c.mu.Unlock()
		return c.begin(r)
	}
	c.mu.Lock()
	l := c.pages[cookie]
	delete(c.pages, cookie)
	c.mu.Unlock()
	if l == nil || l.base != r.base || m.fault(CookieRefused) != nil {
		if c.dir.flavor == ActiveDirectory {
			return nil, refuse(unavailableCriticalExtension, "").ad(winBadCookie)
		}
		return nil, refuse(unwillingToPerform, "paged results cookie is invalid or old")
	}
	return l, nil
}

func pageControl(estimate int64, cookie string) []*ber.Packet {
	return []*ber.Packet{responseControl(oidPaged, sequence(number(estimate), octets(cookie)))}
}
