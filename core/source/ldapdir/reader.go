package ldapdir

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

// Reader reads one directory. It implements [source.Reader], [source.Incremental],
// [source.Watcher] and [source.Single]. Close it.
type Reader struct {
	c       Config
	dir     *ldap.Directory
	client  *ldap.Client
	people  *kind
	groups  *kind // nil: none
	zone    *time.Location
	way     string
	overlap time.Duration
	named   bool // something names people
}

// Close ends all connections.
func (r *Reader) Close() { r.client.Close() }

// Fields implements [source.Reader].
func (r *Reader) Fields() []source.Field { return r.c.Fields() }

// GroupFields implements [source.Grouped].
func (r *Reader) GroupFields() []source.Field { return r.c.GroupFields() }

// pass is one reading, whole or of what changed.
type pass struct {
	*Reader
	yield  func(*source.Record) error
	tally  source.Tally
	newest string // modifyTimestamp
}

// Read implements [source.Reader].
func (r *Reader) Read(ctx context.Context, yield func(*source.Record) error) (source.Report, error) {
	p := &pass{Reader: r, yield: yield}
	t, err := r.begin(ctx)
	if err != nil {
		return source.Report{}, err
	}
	if t.Way == DirSync { // before anything is read, so that nothing falls between
		if t.Cookie, err = r.startCookie(ctx, t.domain.context); err != nil {
			return source.Report{}, err
		}
	}
	for _, part := range r.parts() {
		var err error
		if t.Way == Syncrepl {
			t.Cookies[part.of], err = p.sync(ctx, part, nil)
		} else {
			err = p.list(ctx, part, part.filter)
		}
		if err != nil {
			return p.tally.Report(), fmt.Errorf("%s: %w", part.base, err)
		}
	}
	t.Since = p.newest
	report := p.tally.Report()
	if t.Way == USN {
		switch err := r.still(ctx, t.At); {
		case errors.Is(err, source.ErrTokenExpired):
			return report, nil // without a token the next reading is a whole one, too
		case err != nil:
			return report, err
		}
	}
	if report.Complete {
		report.Token = t.encode()
	}
	return report, nil
}

// part is one kind of what is read.
type part struct {
	*kind
	of identity.Kind
}

// parts lists them, people first.
func (r *Reader) parts() []part {
	out := []part{{r.people, identity.Person}}
	if r.groups != nil {
		out = append(out, part{r.groups, identity.Group})
	}
	return out
}

func (r *Reader) search(k *kind, f ldap.Filter) ldap.Search {
	return ldap.Search{Base: k.base, Filter: f, Attributes: r.wanted(k)}
}

// list reads a part in pages.
func (p *pass) list(ctx context.Context, k part, f ldap.Filter) error {
	end, err := p.client.List(ctx, p.search(k.kind, f), func(e ldap.Entry) error { return p.take(k, e, "") })
	if err == nil && !end.Complete {
		p.tally.Incomplete(end.Reason)
	}
	return err
}

// sync reads a part as the directory tells it, from cookie on.
func (p *pass) sync(ctx context.Context, k part, cookie []byte) (next []byte, err error) {
	return p.client.Sync(ctx, p.search(k.kind, k.filter), cookie, func(s ldap.Synced) error {
		if !s.Deleted {
			return p.take(k, s.Entry, s.ID)
		}
		rec := source.Record{Kind: k.of, ID: s.ID, Deleted: true, Position: func() string { return "entryUUID " + s.ID }}
		if k.Anchor == "" && strings.EqualFold(p.dir.Anchor.Attribute, "entryUUID") {
			rec.Anchor = s.ID
		}
		return p.yield(&rec)
	})
}

// take hands on one entry.
func (p *pass) take(k part, e ldap.Entry, id string) error {
	rec := p.record(k.of, k.kind, e, id)
	p.newest = max(p.newest, e.First("modifyTimestamp"))
	if !p.tally.Take(&rec) {
		return nil
	}
	return p.yield(&rec)
}

// ReadOne implements [source.Single].
func (r *Reader) ReadOne(ctx context.Context, of identity.Kind, anchor string, yield func(*source.Record) error) error {
	for _, part := range r.parts() {
		if part.of != of {
			continue
		}
		f, err := r.byAnchor(part.kind, anchor)
		if err != nil {
			return source.ErrNotThere
		}
		es, err := r.client.Find(ctx, r.search(part.kind, ldap.And(part.filter, f)))
		if err != nil {
			return fmt.Errorf("%s: %w", part.base, err)
		}
		for _, e := range es {
			rec := r.record(of, part.kind, e, "")
			if err := yield(&rec); err != nil {
				return err
			}
		}
		if len(es) == 0 {
			return yield(&source.Record{Kind: of, Anchor: anchor, Deleted: true, Position: func() string { return part.base.String() }})
		}
		return nil
	}
	return source.ErrNotThere
}

func (r *Reader) byAnchor(k *kind, anchor string) (ldap.Filter, error) {
	if k.Anchor != "" {
		return ldap.Equal(k.Anchor, anchor), nil
	}
	return r.dir.ByAnchor(anchor)
}
