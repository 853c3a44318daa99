package scim

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// Query says what to list.
type Query struct {
	Type     ResourceType
	Filter   Filter // nil: all
	PageSize int    // 0: the profile's
	Selection
}

// ListEnd says how a listing ended.
type ListEnd struct {
	// Complete: whatever was not listed is not in the target.
	Complete bool
	// Reason says in plain words why a listing is not complete.
	Reason   string
	Distinct int // resources yielded
	Total    int // what the target said last; -1: nothing
	Pages    int
}

// List calls yield for each resource once, and stops at yield's first error,
// which it returns. Memory holds one page, and some 20 bytes per resource.
//
// A listing is complete when its last page was reached, without an error, and
// the target's count, where it is trusted, is what was seen. With an error it
// never is. Pages by index overlap by one resource, so that whoever is there
// all the time is listed, also when others are deleted meanwhile.
func (c *Client) List(ctx context.Context, q Query, yield func(Resource) error) (ListEnd, error) {
	l, err := c.listing(q)
	if err != nil {
		return ListEnd{Reason: err.Error(), Total: -1}, err
	}
	for l.more {
		page, err := l.next(ctx)
		if err != nil {
			return l.end(connector.AsError(err).Error()), err
		}
		for _, r := range page {
			if err := yield(r); err != nil {
				return l.end("the reader stopped"), err
			}
		}
	}
	return l.end(""), nil
}

// The bounds of a listing that does not go on as it should.
const (
	maxRestarts   = 2   // after a cursor that expired
	maxEmptyPages = 100 // in a row that bring nothing new
)

// listing is one listing under way.
type listing struct {
	c    *Client
	p    *Profile
	q    Query
	text string // of the filter

	more   bool
	lookup bool   // for few hits: what the target counts is enough to stop
	mode   Paging // index, cursor or none
	count  int    // resources asked for per page; 0: not sent
	cursor string
	places // index mode

	seen     map[uint64]struct{} // ids, hashed
	seed     maphash.Seed
	total    int
	recounts bool // the target counted differently from page to page
	pages    int
	idle     int // pages in a row that brought nothing new
	restarts int
	faults   []string // why it is not complete
}

func (c *Client) listing(q Query) (*listing, error) {
	p := c.Profile()
	l := &listing{c: c, p: p, q: q, more: true, places: firstPlace(), total: -1, seen: map[uint64]struct{}{}, seed: maphash.MakeSeed()}
	if q.Type == Groups && !p.Can(GroupRead) {
		return nil, connector.Errorf(connector.CodeUnsupported, "profile %s: groups cannot be read (group_ops)", p.Name)
	}
	switch {
	case q.Filter == nil && !p.ListWithoutFilter:
		return nil, connector.Errorf(connector.CodeUnsupported, "profile %s: the target lists nothing without a filter (list_without_filter)", p.Name)
	case q.Filter != nil:
		if err := p.CheckFilter(q.Type, q.Filter); err != nil {
			return nil, err
		}
		var err error
		if l.text, err = p.FilterText(q.Filter); err != nil {
			return nil, err
		}
	}
	l.mode = p.Paging
	if l.mode == PagingAuto {
		l.mode = PagingIndex
	}
	l.count = q.PageSize
	if l.count == 0 {
		l.count = p.PageDefault
	}
	if p.PageMax > 0 {
		l.count = min(l.count, p.PageMax)
	}
	return l, nil
}

// next reads one page and returns what it has that is new.
func (l *listing) next(ctx context.Context) ([]Resource, error) {
	resp, err := l.c.Send(ctx, l.request())
	if err != nil {
		return nil, l.recover(err)
	}
	found, isList := listOf(resp.Resource)
	if !isList {
		return nil, connector.Errorf(connector.CodeConfiguration, "the target answered %s with something that is no list; is the address right?", l.p.Collection(l.q.Type))
	}
	if n, ok := intOf(member(resp.Resource, "totalResults")); ok {
		l.recounts = l.recounts || l.total >= 0 && l.total != n
		l.total = n
	}
	l.pages++
	cursor := textOf(member(resp.Resource, "nextCursor"))
	if l.mode != PagingIndex || cursor != "" {
		fresh := l.fresh(found)
		l.goOn(len(fresh), cursor)
		return fresh, nil
	}
	return l.follow(found), nil
}

// listOf returns the resources of a list response (RFC 7644 §3.4.2). An empty one
// may be without Resources, but then it says that there are none.
func listOf(r Resource) (found []any, isList bool) {
	v := member(r, "Resources")
	if found, isList = v.([]any); isList {
		return found, true
	}
	n, counted := intOf(member(r, "totalResults"))
	return nil, v == nil && counted && n == 0 || v == nil && r.isListResponse()
}

func (r Resource) isListResponse() bool {
	for _, s := range r.Schemas() {
		if strings.EqualFold(s, "urn:ietf:params:scim:api:messages:2.0:ListResponse") {
			return true
		}
	}
	return false
}

// intOf reads a whole number, also one in quotes.
func intOf(v any) (int, bool) {
	var n int
	_, err := fmt.Sscanf(textOf(v), "%d", &n)
	return n, err == nil
}

// fresh returns the resources that were not seen before, and notes them.
func (l *listing) fresh(found []any) []Resource {
	out := make([]Resource, 0, len(found))
	for _, v := range found {
		r := Resource(object(v))
		if r.ID() == "" {
			l.fault("the target lists resources without an id")
			continue
		}
		if h := l.hash(r); !l.saw(h) {
			l.seen[h] = struct{}{}
			out = append(out, r)
		}
	}
	return out
}

func (l *listing) hash(r Resource) uint64 { return maphash.String(l.seed, r.ID()) }

func (l *listing) saw(h uint64) bool {
	_, ok := l.seen[h]
	return ok
}

// goOn decides whether there is another page, where there is a cursor or only one.
func (l *listing) goOn(fresh int, cursor string) {
	l.idle++
	if fresh > 0 {
		l.idle = 0
	}
	if cursor == "" || l.mode == PagingNone {
		l.more = false
		return
	}
	if l.idle > 0 && cursor == l.cursor || l.idle > maxEmptyPages {
		l.fault("the target's cursor leads nowhere")
		l.more = false
	}
	l.mode, l.cursor = PagingCursor, cursor // also unasked: some targets know no other way (RFC 9865 §2)
}

// recover decides whether a listing goes on after an answer that was no success;
// nil when it does.
func (l *listing) recover(err error) error {
	var f *Fault
	if !errors.As(err, &f) {
		return err
	}
	switch {
	case l.mode == PagingCursor && l.cursor != "" && isCursorFault(f) && l.restarts < maxRestarts:
		l.restarts++
		l.cursor, l.idle = "", 0 // what was seen is not yielded again
		return nil
	case f.Class == ClassSplit && l.mode == PagingIndex && l.count > 1:
		l.count /= 2
		return nil
	case l.mode == PagingIndex && l.total >= 0 && l.at > l.total && f.Status < 500 && f.Class != ClassThrottle:
		l.more = false // some refuse to look behind the end
		return nil
	}
	return err
}

func isCursorFault(f *Fault) bool {
	return strings.EqualFold(f.ScimType, "expiredCursor") || strings.EqualFold(f.ScimType, "invalidCursor")
}

func (l *listing) fault(why string) {
	for _, f := range l.faults {
		if f == why {
			return
		}
	}
	l.faults = append(l.faults, why)
}

// end says how the listing ended. why is not "" when it was broken off.
func (l *listing) end(why string) ListEnd {
	e := ListEnd{Distinct: len(l.seen), Total: l.total, Pages: l.pages}
	trusted := l.p.TotalResults == TotalsTrusted && l.total >= 0
	if why == "" && trusted && l.apart && l.recounts {
		l.fault("the target's list changed while it was read, and its pages do not overlap")
	}
	if why == "" && trusted && l.total != len(l.seen) {
		l.fault(fmt.Sprintf("the target counts %d and listed %d", l.total, len(l.seen)))
	}
	if why != "" {
		l.fault(why)
	}
	e.Reason = strings.Join(l.faults, "; ")
	e.Complete = e.Reason == ""
	return e
}

// Can reports whether op can be done with groups.
func (p *Profile) Can(op GroupOp) bool {
	for _, o := range p.GroupOps {
		if o == op {
			return true
		}
	}
	return false
}
