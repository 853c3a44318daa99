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
	err = c.sync(ctx, s, goldap.SyncRequestModeRefreshOnly, cookie, c.timeout(), func(t told) error { return y.take(ctx, t) })
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
	return c.sync(ctx, s, goldap.SyncRequestModeRefreshAndPersist, cookie, 0, func(t told) error {
		if t.entry != nil || t.info != nil && t.info.SyncIdSet != nil {
			changed()
		}
		return nil
	})
}

// sync makes one synchronization over a connection of its own. idle bounds how
// long nothing may come; 0: for ever.
func (c *Client) sync(ctx context.Context, s Search, mode goldap.ControlSyncRequestMode, cookie []byte, idle time.Duration, take func(told) error) error {
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
	f := &flow{out: make(chan []told), quit: ctx.Done()}
	cn.tap.give(f)
	ended := make(chan syncRest, 1)
	go func() { ended <- restOf(cn.ldap.Syncrepl(ctx, req, 1, mode, cookie, false)) }()
	for {
		if idle > 0 {
			watch.Reset(idle)
		}
		select {
		case batch := <-f.out:
			watch.Stop() // what takes its time now is the caller
			for _, t := range batch {
				if t.err != nil {
					return unreadable(t.err.Error())
				}
				if err := take(t); err != nil {
					return err
				}
			}
		case end := <-ended:
			if end.referral != "" {
				return unreadable("a part of it is held by another server" + referralHosts("", []string{end.referral}))
			}
			if err := syncEnd(ctx, end.err, cookie != nil); err != nil || end.done == nil {
				return err
			}
			return take(told{done: end.done})
		}
	}
}

// syncRest is what the flow does not take.
type syncRest struct {
	referral string // to another server, which ends it; "": none
	done     *goldap.ControlSyncDone
	err      error
}

func restOf(r goldap.Response) (rest syncRest) {
	for r.Next() {
		if rest.referral = r.Referral(); rest.referral != "" {
			return rest
		}
		for _, c := range r.Controls() {
			if d, ok := c.(*goldap.ControlSyncDone); ok {
				rest.done = d
			}
		}
	}
	rest.err = r.Err()
	return rest
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

func (y *syncer) take(ctx context.Context, t told) error {
	switch {
	case t.entry != nil && t.state.id != "":
		return y.entry(ctx, t.state, *t.entry)
	case t.info != nil:
		return y.info(t.info)
	case t.done != nil:
		if y.since != nil && !t.done.RefreshDeletes {
			return ErrRefreshRequired
		}
		y.keep(t.done.Cookie)
	}
	return nil
}

func (y *syncer) entry(ctx context.Context, s syncState, raw rawEntry) error {
	y.keep(s.cookie)
	out := Synced{ID: s.id, Deleted: s.state == goldap.SyncStateDelete}
	if s.state == goldap.SyncStatePresent {
		return ErrRefreshRequired
	}
	if !out.Deleted {
		e, err := raw.entry()
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
