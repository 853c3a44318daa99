package ldapdir

import (
	"context"
	"fmt"
	"strconv"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/core/source"
)

// place is where a domain controller stands. Its numbers are its own, and those of
// one database of it: another controller, or this one restored, counts otherwise
// (QUIRKS LDAP-33).
type place struct {
	Server     string // DNS name
	Invocation string // the database's id
	USN        uint64 // the highest number that was given when it was asked
}

// domain is what was asked of the controller before anything was read.
type domain struct {
	context ldap.DN // the naming context of people and groups
	at      place
}

// askDomain asks for it. way says what the server must be able to do.
func (r *Reader) askDomain(ctx context.Context, way string) (domain, error) {
	root, err := r.client.RootDSE(ctx)
	if err != nil {
		return domain{}, err
	}
	var d domain
	for i, part := range r.parts() {
		nc, ok := root.ContextOf(part.base)
		if !ok || i > 0 && !nc.Equal(d.context) {
			return domain{}, misplaced("base %s is not in the same domain as the rest, as incremental: %s needs it", part.base, way)
		}
		d.context = nc
	}
	if way == DirSync {
		if !root.Supports(ldap.OIDDirSync) {
			return domain{}, misplaced("the server has no DirSync, which incremental: dirsync needs; only domain controllers of Active Directory have it")
		}
		return d, nil
	}
	d.at, err = r.place(ctx, root)
	return d, err
}

// place reads where the controller stands.
func (r *Reader) place(ctx context.Context, root ldap.RootDSE) (place, error) {
	usn, err := strconv.ParseUint(root.First("highestCommittedUSN"), 10, 64)
	if err != nil {
		return place{}, misplaced("the server has no highestCommittedUSN, which incremental: usn needs; only domain controllers of Active Directory have it")
	}
	service, err := ldap.ParseDN(root.First("dsServiceName"))
	if err != nil {
		return place{}, err
	}
	e, err := r.client.Read(ctx, service, "invocationId")
	if err != nil {
		return place{}, fmt.Errorf("%s: %w", service, err)
	}
	id, err := ldap.GUIDText([]byte(e.First("invocationId")))
	if err != nil {
		return place{}, misplaced("the account that provhub binds with cannot read invocationId of %s, which incremental: usn needs", service)
	}
	return place{Server: root.First("dnsHostName"), Invocation: id, USN: usn}, nil
}

// still fails when another controller answers by now, as happens when one is shut
// down: nobody knows then which of the two was read.
func (r *Reader) still(ctx context.Context, at place) error {
	now, err := r.askDomain(ctx, USN)
	if err == nil && (now.at.Server != at.Server || now.at.Invocation != at.Invocation) {
		err = fmt.Errorf("%w: domain controller %s answered, then %s", source.ErrTokenExpired, at.Server, now.at.Server)
	}
	return err
}

func misplaced(format string, args ...any) error {
	return &connector.Error{Code: connector.CodeConfiguration, Message: fmt.Sprintf(format, args...)}
}

// numbered reads what has a higher number than the token's. Entries that were
// deleted, moved away, or match no more come first, so that the last word is about
// those that are there.
func (p *pass) numbered(ctx context.Context, t *token, now domain) error {
	if t.At.Server != now.at.Server || t.At.Invocation != now.at.Invocation || now.at.USN < t.At.USN {
		return fmt.Errorf("%w: it came from domain controller %s, database %s at %d; now %s answers, database %s at %d", source.ErrTokenExpired,
			t.At.Server, t.At.Invocation, t.At.USN, now.at.Server, now.at.Invocation, now.at.USN)
	}
	newer := ldap.AtLeast("uSNChanged", strconv.FormatUint(t.At.USN+1, 10))
	if err := p.left(ctx, now.context, newer); err != nil {
		return err
	}
	for _, part := range p.parts() {
		if err := p.list(ctx, part, ldap.And(part.filter, newer)); err != nil {
			return err
		}
	}
	if err := p.still(ctx, now.at); err != nil {
		return err
	}
	t.At = now.at
	return nil
}

// left tells of all that changed and is not among people or groups now.
func (p *pass) left(ctx context.Context, nc ldap.DN, newer ldap.Filter) error {
	for _, part := range p.parts() {
		gone := ldap.Search{Base: nc, Filter: ldap.And(newer, ldap.Equal("isDeleted", "TRUE")), Attributes: []string{p.dir.Anchor.Attribute},
			Controls: []ldap.Control{ldap.ShowDeleted()}}
		if err := p.tellGone(ctx, part, gone, func(ldap.Entry) bool { return true }); err != nil {
			return err
		}
		others := ldap.Search{Base: nc, Filter: ldap.And(newer, ldap.Not(part.filter)), Attributes: gone.Attributes}
		if err := p.tellGone(ctx, part, others, func(ldap.Entry) bool { return true }); err != nil {
			return err
		}
		elsewhere := ldap.Search{Base: nc, Filter: ldap.And(newer, part.filter), Attributes: gone.Attributes}
		if err := p.tellGone(ctx, part, elsewhere, func(e ldap.Entry) bool { return !e.DN.Within(part.base) }); err != nil {
			return err
		}
	}
	return nil
}

// tellGone tells that what s finds, as far as pick wants it, is no part of ours.
func (p *pass) tellGone(ctx context.Context, k part, s ldap.Search, pick func(ldap.Entry) bool) error {
	end, err := p.client.List(ctx, s, func(e ldap.Entry) error {
		id, err := p.dir.AnchorOf(e)
		if err != nil || id == "" || !pick(e) {
			return err
		}
		return p.gone(k, id)
	})
	if err == nil && !end.Complete {
		p.tally.Incomplete(end.Reason)
	}
	return err
}

// gone yields that the entry with this id is in a part no more.
func (p *pass) gone(k part, id string) error {
	rec := source.Record{Kind: k.of, ID: id, Deleted: true, Position: func() string { return p.dir.Anchor.Attribute + " " + id }}
	if k.Anchor == "" {
		rec.Anchor = id
	}
	return p.yield(&rec)
}
