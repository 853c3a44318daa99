package ldap

import (
	"context"
	"fmt"
	"time"

	goldap "github.com/go-ldap/ldap/v3"
	"golang.org/x/sync/errgroup"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connector/span"
)

// Scope says how far below its base a search looks.
type Scope int

// The scopes.
const (
	ScopeSubtree  Scope = iota
	ScopeBase           // the base alone
	ScopeOneLevel       // its children
)

// Search is one search. Aliases are not followed.
type Search struct {
	Base       DN
	Scope      Scope
	Filter     Filter
	Attributes []string // nil: all user attributes; operational ones must be named
	PageSize   int      // of a listing; 0: 1000
	Controls   []Control
}

const (
	// defaultPage is the most that Active Directory gives.
	defaultPage = 1000
	// maxEmptyPages bounds pages without entries in a row: Active Directory sends
	// some, a server that only ever sends such is broken.
	maxEmptyPages = 1000
)

func searchRequest(s Search, limit time.Duration) *goldap.SearchRequest {
	scope := map[Scope]int{ScopeSubtree: goldap.ScopeWholeSubtree, ScopeBase: goldap.ScopeBaseObject, ScopeOneLevel: goldap.ScopeSingleLevel}[s.Scope]
	return goldap.NewSearchRequest(s.Base.String(), scope, goldap.NeverDerefAliases, 0, max(1, int(limit.Seconds())), false,
		s.Filter.String(), s.Attributes, s.Controls)
}

// search sends one request over a shared connection.
func (c *Client) search(ctx context.Context, req *goldap.SearchRequest) (*goldap.SearchResult, error) {
	if c.pool.o.DomainScope {
		req.Controls = append(req.Controls, goldap.NewControlString(goldap.ControlTypeMicrosoftDomainScope, false, ""))
	}
	return call(ctx, c, kindRead, "search", func(l *goldap.Conn) (*goldap.SearchResult, error) { return l.Search(req) })
}

// Find returns what a search for a few entries found, in no order. An answer
// that the server cut short is an error, and so is a base that does not exist
// (NOT_FOUND).
func (c *Client) Find(ctx context.Context, s Search) ([]Entry, error) {
	if s.Filter.err != nil {
		return nil, &connector.Error{Code: connector.CodeConfiguration, Message: s.Filter.err.Error()}
	}
	raw, err := c.search(ctx, searchRequest(s, c.timeout()))
	if err != nil {
		return nil, err
	}
	out := make([]Entry, 0, len(raw.Entries))
	for _, r := range raw.Entries {
		e, err := entryOf(r)
		if err != nil {
			return nil, unreadable(err.Error())
		}
		if err := c.complete(ctx, &e); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// Read returns one entry. NOT_FOUND when there is none of this name.
func (c *Client) Read(ctx context.Context, dn DN, attributes ...string) (Entry, error) {
	es, err := c.Find(ctx, Search{Base: dn, Scope: ScopeBase, Attributes: attributes})
	if err == nil && len(es) == 0 {
		err = &connector.Error{Code: connector.CodeNotFound, Message: "there is no such entry, or it must not be read"}
	}
	if err != nil {
		return Entry{}, err
	}
	return es[0], nil
}

// Listing says how a listing ended.
type Listing struct {
	// Complete: what was not listed is not there. Reason says why it is not.
	Complete bool
	Reason   string
}

// List streams all entries that match, in pages (RFC 2696), over a connection of
// its own: a page token is good on the connection that it came from, and yield
// may take its time. It stops at yield's first error, which it returns. When the
// connection breaks the listing has to begin anew: the error is UNAVAILABLE.
// Limits of the server and references to other servers end it as incomplete.
func (c *Client) List(ctx context.Context, s Search, yield func(Entry) error) (Listing, error) {
	if s.Filter.err != nil {
		return Listing{}, &connector.Error{Code: connector.CodeConfiguration, Message: s.Filter.err.Error()}
	}
	cn, err := c.pool.own(ctx)
	if err != nil {
		return Listing{}, err
	}
	defer cn.close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	l := &lister{c: c, conn: cn, search: s, end: Listing{Complete: true}}
	pages := make(chan []rawEntry)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { // the next page comes while yield works on the one before
		defer close(pages)
		return l.fetch(ctx, pages)
	})
	g.Go(func() error {
		for page := range pages {
			if err := l.hand(ctx, page, yield); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	if err := g.Wait(); err != nil {
		return Listing{}, err
	}
	return l.end, nil
}

// lister is a listing under way.
type lister struct {
	c      *Client
	conn   *conn
	search Search
	cookie []byte
	empty  int // pages without entries in a row
	end    Listing
}

// fetch reads all pages.
func (l *lister) fetch(ctx context.Context, pages chan<- []rawEntry) error {
	for more := true; more; {
		var page []rawEntry
		var err error
		if page, more, err = l.page(ctx); err != nil {
			return err
		}
		select {
		case pages <- page:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// page reads one page.
func (l *lister) page(ctx context.Context) (page []rawEntry, more bool, err error) {
	ctx, sp := span.Request(ctx, "list entries")
	sp.To(l.conn.server.Host, l.conn.server.Port)
	defer func() { sp.End(err) }()
	req := searchRequest(l.search, l.c.timeout())
	paging := goldap.NewControlPaging(uint32(orDefault(l.search.PageSize, defaultPage)))
	paging.SetCookie(l.cookie)
	req.Controls = append(req.Controls[:len(req.Controls):len(req.Controls)], paging)
	if l.c.pool.o.DomainScope {
		req.Controls = append(req.Controls, goldap.NewControlString(goldap.ControlTypeMicrosoftDomainScope, false, ""))
	}
	bounded, cancel := context.WithTimeout(ctx, l.c.timeout())
	defer cancel()
	taken := &entriesTaken{}
	l.conn.tap.give(taken)
	res, err := await(bounded, func() (*goldap.SearchResult, error) { return l.conn.ldap.Search(req) })
	cut := l.cutShort(err)
	if err != nil && !cut {
		return nil, false, faultOf(kindRead, "list entries", err)
	}
	if taken.err != nil {
		return nil, false, unreadable(taken.err.Error())
	}
	page = taken.entries
	if res == nil {
		return page, false, nil
	}
	if len(res.Referrals) > 0 {
		l.incomplete("a part of it is held by another server" + referralHosts("", res.Referrals))
	}
	if cut {
		return page, false, nil
	}
	more, err = l.next(res, len(page))
	return page, more, err
}

func (l *lister) incomplete(reason string) {
	l.end = Listing{Reason: reason}
}

// cutShort reports whether err ends the listing early, with what was read so far.
func (l *lister) cutShort(err error) bool {
	code, _ := ResultCode(err)
	what := map[uint16]string{goldap.LDAPResultTimeLimitExceeded: "time", goldap.LDAPResultSizeLimitExceeded: "size", goldap.LDAPResultAdminLimitExceeded: "administrative"}[code]
	if what == "" {
		return false
	}
	l.incomplete(fmt.Sprintf("the server's %s limit ended the listing; raise it for the account that provhub binds with", what))
	return true
}

func (l *lister) hand(ctx context.Context, page []rawEntry, yield func(Entry) error) error {
	for _, r := range page {
		e, err := r.entry()
		if err != nil {
			return unreadable(err.Error())
		}
		if err := l.c.complete(ctx, &e); err != nil {
			return err
		}
		if err := yield(e); err != nil {
			return err
		}
	}
	return nil
}

// next takes the token of the following page.
func (l *lister) next(res *goldap.SearchResult, entries int) (more bool, err error) {
	answer, ok := goldap.FindControl(res.Controls, goldap.ControlTypePaging).(*goldap.ControlPaging)
	if !ok || len(answer.Cookie) == 0 {
		return false, nil
	}
	l.cookie = answer.Cookie
	if entries > 0 {
		l.empty = 0
		return true, nil
	}
	if l.empty++; l.empty > maxEmptyPages {
		return false, unreadable("the server goes on sending pages without entries")
	}
	return true, nil
}

// entriesTaken takes the entries of one search. They may be read when go-ldap has
// returned the end of the search, which comes after them.
type entriesTaken struct {
	entries []rawEntry
	err     error // an entry that is none
}

func (t *entriesTaken) take(op byte, message []byte) bool {
	if op != tagEntry {
		return false
	}
	e, err := readEntry(string(message))
	if err != nil {
		t.err = err
	}
	t.entries = append(t.entries, e)
	return true
}

func (*entriesTaken) pause() {}
