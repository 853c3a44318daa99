package fakescim

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/directory"
	"github.com/provhub/provhub/connectors/connectortest/fakescim/internal/schema"
)

// pageMax is the longest page of a server whose dialect says nothing of it.
const pageMax = 1000

// page is which part of a listing is asked for.
type page struct {
	start    int // from 1
	count    int // after the dialect's limits
	asked    string
	byCursor bool
	cursor   string
}

// pageOf reads startIndex, count and cursor (RFC 7644 §3.4.2.4, RFC 9865 §2).
func (q *request) pageOf() (page, error) {
	r := q.rules
	p := page{start: 1, count: r.PageDefault, asked: q.query.Get("count"), cursor: q.query.Get("cursor")}
	most := pageMax
	if r.PageMax > 0 {
		most = r.PageMax
	}
	if p.count == 0 {
		p.count = most
	}
	if p.asked != "" {
		n, err := strconv.Atoi(p.asked)
		if err != nil {
			return p, schema.Bad(schema.InvalidCount, "count: a number is needed")
		}
		p.count = max(0, n)
	}
	p.count = min(p.count, most)
	p.byCursor = q.query.Has("cursor") || r.Paging == scim.PagingCursor && r.CursorFirst == scim.CursorOmitted || r.forceCursor
	index := q.query.Has("startIndex")
	switch {
	case index && p.byCursor && q.query.Has("cursor"):
		return p, schema.Bad(schema.InvalidValue, "startIndex and cursor exclude each other")
	case index && r.Paging == scim.PagingCursor:
		return p, schema.Bad(schema.InvalidValue, "startIndex is not supported")
	case p.byCursor && (r.Paging == scim.PagingIndex || r.Paging == scim.PagingNone):
		return p, schema.Bad(schema.InvalidValue, "cursor is not supported")
	case r.Paging == scim.PagingNone:
		p.count = int(^uint(0) >> 1)
	case index:
		n, err := strconv.Atoi(q.query.Get("startIndex"))
		if err != nil {
			return p, schema.Bad(schema.InvalidValue, "startIndex: a number is needed")
		}
		p.start = max(1, n)
	}
	return p, nil
}

// slice is one page that was cut out of a listing.
type slice struct {
	resources []*directory.Resource
	total     int
	next      string // cursor of the next page; "": this is the last
	byCursor  bool
}

// cursors are the places where cursor listings stand.
type cursors struct {
	now func() time.Time

	mu    sync.Mutex
	open  map[string]place
	order []string // names in open, oldest first
}

// cursorsMax bounds how many places are kept; the oldest goes first.
const cursorsMax = 10_000

// place is where a listing goes on.
type place struct {
	found []*directory.Resource
	at    int
	asked string // count, which must not change
	made  time.Time
	empty bool // the page before was an empty one
}

func newCursors(now func() time.Time) *cursors { return &cursors{now: now, open: map[string]place{}} }

// cut returns the page that was asked for.
func (c *cursors) cut(q *request, p page, found []*directory.Resource) (slice, error) {
	if q.rules.endsAfter > 0 && len(found) > q.rules.endsAfter {
		total := len(found)
		s, err := c.cutWhole(q, p, found[:q.rules.endsAfter])
		s.total = total
		return s, err
	}
	return c.cutWhole(q, p, found)
}

func (c *cursors) cutWhole(q *request, p page, found []*directory.Resource) (slice, error) {
	if p.byCursor {
		return c.goOn(q, p, found)
	}
	from := min(p.start-1, len(found))
	if from < len(found) && p.count > 0 {
		from = max(0, from-q.rules.repeat*(from/p.count))
	}
	to := min(from+p.count, len(found))
	return slice{resources: found[from:to], total: len(found)}, nil
}

// goOn returns the page that a cursor stands before.
func (c *cursors) goOn(q *request, p page, found []*directory.Resource) (slice, error) {
	at := place{found: found, asked: p.asked}
	if p.cursor != "" {
		var err error
		if at, err = c.find(q, p); err != nil {
			return slice{}, err
		}
	}
	from := max(0, at.at-q.rules.repeat)
	to := min(at.at+p.count, len(at.found))
	if q.rules.emptyPages && !at.empty && p.cursor != "" {
		to, from, at.empty = at.at, at.at, true
	} else {
		at.empty = false
	}
	out := slice{resources: at.found[from:to], total: len(at.found), byCursor: true}
	if to < len(at.found) && p.count > 0 {
		at.at = to
		out.next = c.keep(at)
	}
	return out, nil
}

// find returns the place of a cursor.
func (c *cursors) find(q *request, p page) (place, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.open[p.cursor]
	switch {
	case !ok:
		return at, schema.Bad(schema.InvalidCursor, "the cursor is not known")
	case q.rules.expired || c.now().Sub(at.made) > cursorLife:
		delete(c.open, p.cursor)
		return at, schema.Bad(schema.ExpiredCursor, "the cursor has expired")
	case at.asked != p.asked:
		return at, schema.Bad(schema.InvalidCount, "count differs from that of the first page")
	}
	return at, nil
}

// keep returns a cursor for a place. It holds characters that a URL must escape,
// as real ones do.
func (c *cursors) keep(at place) string {
	at.made = c.now()
	b := make([]byte, 10)
	_, _ = rand.Read(b) // never fails
	name := "AA:" + base64.StdEncoding.EncodeToString(b) + "+/="
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.order) == cursorsMax {
		delete(c.open, c.order[0])
		c.order = c.order[1:]
	}
	c.open[name] = at
	c.order = append(c.order, name)
	return name
}

// parseQuery reads a query string as a service with a strict parser does: a space
// around "=" is refused.
func parseQuery(raw string) (url.Values, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, schema.Refused(http.StatusBadRequest, "the query string cannot be read")
	}
	for name := range values {
		if name == "" || name[0] == ' ' || name[len(name)-1] == ' ' {
			return nil, schema.Refused(http.StatusBadRequest, "the query string has a parameter %q", name)
		}
	}
	return values, nil
}

// text returns a JSON number or boolean as a query string would hold it.
func text(v any) string { return fmt.Sprint(v) }
