package ldap

import (
	"context"
	"errors"
	"math"
	"time"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/provhub/provhub/connectors/connector"
)

// ErrRefreshRequired says that a cookie is of no use any more: the server cannot
// tell what happened since, and all has to be read (RFC 4533 §3.3.2, result code
// e-syncRefreshRequired; or a refresh by presence, whose deletions only who knows
// all entries can tell).
var ErrRefreshRequired = errors.New("the directory cannot tell any more what changed since the cookie")

// syncRefreshRequired is the result code of RFC 4533 §2.6.
const syncRefreshRequired = 4096

// Synced is one entry that a synchronization tells of.
type Synced struct {
	ID      string // its entryUUID
	Deleted bool   // there is no more than its ID then
	Entry   Entry
}

// Sync tells what happened to the entries that match since cookie (RFC 4533,
// refreshOnly), and returns the cookie to go on from. cookie nil: all entries, as
// one search that the server does not cut into pages: the account needs a size
// limit that allows it. The same entry may come more than once; the last counts.
// [ErrRefreshRequired] may come after entries were told. A listing that the server
// cuts short is an error, whatever was told before.
func (c *Client) Sync(ctx context.Context, s Search, cookie []byte, yield func(Synced) error) (next []byte, err error) {
	y := syncer{c: c, since: cookie, next: cookie, yield: yield}
	err = c.sync(ctx, s, goldap.SyncRequestModeRefreshOnly, cookie, c.timeout(), func(r goldap.Response) error { return y.take(ctx, r) })
	if err == nil && y.next == nil {
		err = unreadable("the server ended the synchronization without a cookie; it needs the overlay syncprov, or its like")
	}
	return y.next, err
}

// SyncWatch calls changed whenever something may have changed since cookie, until
// ctx ends, whose error it returns, or the connection breaks (RFC 4533,
// refreshAndPersist). It takes nothing in: [Client.Sync] does.
func (c *Client) SyncWatch(ctx context.Context, s Search, cookie []byte, changed func()) error {
	s.Attributes = []string{"1.1"}
	return c.sync(ctx, s, goldap.SyncRequestModeRefreshAndPersist, cookie, 0, func(r goldap.Response) error {
		if r.Entry() != nil || hasIDs(r) {
			changed()
		}
		return nil
	})
}

// sync makes one synchronization over a connection of its own. idle bounds how
// long nothing may come; 0: for ever.
func (c *Client) sync(ctx context.Context, s Search, mode goldap.ControlSyncRequestMode, cookie []byte, idle time.Duration, take func(goldap.Response) error) error {
	if s.Filter.err != nil {
		return &connector.Error{Code: connector.CodeConfiguration, Message: s.Filter.err.Error()}
	}
	cn, err := c.pool.own(ctx)
	if err != nil {
		return err
	}
	defer cn.close()
	cn.ldap.SetTimeout(0) // go-ldap would end the whole search by it
	req := searchRequest(s, 0)
	req.SizeLimit, req.TimeLimit = math.MaxInt32, 0
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch := time.AfterFunc(math.MaxInt64, cn.close)
	defer watch.Stop()
	for r := cn.ldap.Syncrepl(ctx, req, 64, mode, cookie, false); ; {
		if idle > 0 {
			watch.Reset(idle)
		}
		if !r.Next() {
			return syncEnd(ctx, r.Err(), cookie != nil)
		}
		watch.Stop() // what takes its time now is the caller
		if r.Referral() != "" {
			return unreadable("a part of it is held by another server" + referralHosts("", []string{r.Referral()}))
		}
		if err := take(r); err != nil {
			return err
		}
	}
}

// syncEnd is the error that a synchronization ended with, nil when it is whole. A
// server that was restored is behind its own cookies; OpenLDAP is unwilling then.
func syncEnd(ctx context.Context, err error, going bool) error {
	if err == nil {
		return ctx.Err()
	}
	fault := faultOf(kindRead, "follow the entries", err)
	code, _ := ResultCode(fault)
	if code == syncRefreshRequired || going && code == goldap.LDAPResultUnwillingToPerform {
		return ErrRefreshRequired
	}
	return fault
}

// syncer takes in the answers of one refresh.
type syncer struct {
	c     *Client
	since []byte
	yield func(Synced) error
	next  []byte
}

func (y *syncer) take(ctx context.Context, r goldap.Response) error {
	for _, c := range r.Controls() {
		var err error
		switch x := c.(type) {
		case *goldap.ControlSyncState:
			err = y.entry(ctx, x, r.Entry())
		case *goldap.ControlSyncInfo:
			err = y.info(x)
		case *goldap.ControlSyncDone:
			if y.since != nil && !x.RefreshDeletes {
				return ErrRefreshRequired
			}
			y.keep(x.Cookie)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (y *syncer) entry(ctx context.Context, state *goldap.ControlSyncState, raw *goldap.Entry) error {
	y.keep(state.Cookie)
	out := Synced{ID: state.EntryUUID.String(), Deleted: state.State == goldap.SyncStateDelete}
	if state.State == goldap.SyncStatePresent {
		return ErrRefreshRequired
	}
	if !out.Deleted && raw != nil {
		e, err := entryOf(raw)
		if err != nil {
			return unreadable(err.Error())
		}
		if err := y.c.complete(ctx, &e); err != nil {
			return err
		}
		out.Entry = e
	}
	return y.yield(out)
}

func (y *syncer) info(i *goldap.ControlSyncInfo) error {
	switch {
	case i.NewCookie != nil:
		y.keep(i.NewCookie.Cookie)
	case i.RefreshDelete != nil:
		y.keep(i.RefreshDelete.Cookie)
	case i.RefreshPresent != nil && y.since != nil, i.SyncIdSet != nil && !i.SyncIdSet.RefreshDeletes:
		return ErrRefreshRequired
	case i.RefreshPresent != nil:
		y.keep(i.RefreshPresent.Cookie)
	case i.SyncIdSet != nil:
		for _, id := range i.SyncIdSet.SyncUUIDs {
			if err := y.yield(Synced{ID: id.String(), Deleted: true}); err != nil {
				return err
			}
		}
		y.keep(i.SyncIdSet.Cookie)
	}
	return nil
}

// keep remembers the newest cookie.
func (y *syncer) keep(cookie []byte) {
	if len(cookie) > 0 {
		y.next = cookie
	}
}

// hasIDs reports whether an answer names entries by their ids alone.
func hasIDs(r goldap.Response) bool {
	for _, c := range r.Controls() {
		if i, ok := c.(*goldap.ControlSyncInfo); ok && i.SyncIdSet != nil {
			return true
		}
	}
	return false
}
