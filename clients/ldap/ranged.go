package ldap

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// rangeStep is how many values one request of a ranged read asks for.
const rangeStep = 1000

// cutRange splits "member;range=0-1499" ([MS-ADTS] §3.1.1.3.1.3.3). next is the
// first value still to be read, 0 when "*" says that there are no more.
func cutRange(description string) (name string, next int, ranged bool) {
	name, option, found := strings.Cut(description, ";range=")
	if !found {
		return description, 0, false
	}
	_, last, _ := strings.Cut(option, "-")
	n, err := strconv.Atoi(last)
	if err != nil {
		return name, 0, true
	}
	return name, n + 1, true
}

// complete reads the rest of the attributes that the server returned in part.
// An answer that makes no progress is an error: half a list must not pass for
// a whole one.
func (c *Client) complete(ctx context.Context, e *Entry) error {
	for i := range e.Attributes {
		a := &e.Attributes[i]
		for a.next > 0 {
			from := a.next
			part, err := c.readRange(ctx, e.DN, a.Name, from)
			if err != nil {
				return err
			}
			a.Values, a.next = append(a.Values, part.Values...), part.next
			if a.next != 0 && a.next <= from {
				return unreadable("the server does not go on with the values of " + a.Name)
			}
		}
	}
	return nil
}

func (c *Client) readRange(ctx context.Context, dn DN, name string, from int) (Attribute, error) {
	raw, err := c.search(ctx, searchRequest(Search{Base: dn, Scope: ScopeBase,
		Attributes: []string{fmt.Sprintf("%s;range=%d-%d", name, from, from+rangeStep-1)}}, c.timeout()))
	if err != nil {
		return Attribute{}, err
	}
	for _, e := range raw.Entries {
		for _, a := range e.Attributes {
			if n, next, ranged := cutRange(a.Name); ranged && strings.EqualFold(n, name) {
				return Attribute{Name: name, Values: a.Values, next: next}, nil
			}
		}
	}
	return Attribute{}, unreadable("the server does not return the rest of " + name)
}
