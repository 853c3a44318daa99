package ldapdir

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/provhub/provhub/clients/ldap"
	"github.com/provhub/provhub/core/identity"
	"github.com/provhub/provhub/core/source"
)

// oidSync is announced by servers that synchronize (RFC 4533 §2.2).
const oidSync = "1.3.6.1.4.1.4203.1.9.1.1"

// token says where the next reading goes on. It belongs to one database: that of
// another server, or of a restored one, has other ids for the same entries.
type token struct {
	Way     string
	Base    string                   // id of the entry that people are below
	Cookies map[identity.Kind][]byte `json:",omitempty"`
	Since   string                   `json:",omitempty"` // the newest modifyTimestamp that was seen
	At      place                    `json:",omitzero"`  // where the domain controller stood
	Cookie  []byte                   `json:",omitempty"` // of DirSync
	domain  domain
}

func (t *token) encode() []byte {
	if t.Way == Never {
		return nil
	}
	b, err := json.Marshal(t)
	if err != nil {
		panic(err) // text and bytes
	}
	return b
}

// begin finds out how changes are told here, and which database this is.
func (r *Reader) begin(ctx context.Context) (*token, error) {
	t := &token{Way: r.way, Cookies: map[identity.Kind][]byte{}}
	if t.Way == Auto {
		root, err := r.client.RootDSE(ctx)
		if err != nil {
			return nil, err
		}
		if t.Way = Never; root.Supports(oidSync) {
			t.Way = Syncrepl
		}
	}
	e, err := r.client.Read(ctx, r.people.base, r.dir.Anchor.Attribute)
	if err != nil {
		return nil, fmt.Errorf("people: base %s: %w", r.people.base, err)
	}
	if t.Base, err = r.dir.AnchorOf(e); err != nil {
		return nil, err
	}
	if t.Way == USN || t.Way == DirSync {
		t.domain, err = r.askDomain(ctx, t.Way)
		t.At = t.domain.at
	}
	return t, err
}

// Changes implements [source.Incremental].
func (r *Reader) Changes(ctx context.Context, from []byte, yield func(*source.Record) error) (source.Report, error) {
	p := &pass{Reader: r, yield: yield}
	now, err := r.begin(ctx)
	if err != nil {
		return source.Report{}, err
	}
	var t token
	if json.Unmarshal(from, &t) != nil || t.Way != now.Way || t.Base != now.Base {
		return source.Report{}, source.ErrTokenExpired
	}
	switch t.Way {
	case Syncrepl:
		err = p.follow(ctx, &t)
	case USN:
		err = p.numbered(ctx, &t, now.domain)
	case DirSync:
		err = p.synced(ctx, &t, now.domain)
	default:
		err = p.since(ctx, &t)
	}
	if errors.Is(err, ldap.ErrRefreshRequired) {
		err = fmt.Errorf("%w (%w)", source.ErrTokenExpired, err)
	}
	report := p.tally.Report()
	if err != nil {
		return report, err
	}
	if !report.Complete {
		// What is wrong with the entries that changed, only a whole reading can weigh.
		return report, fmt.Errorf("%w: %s", source.ErrTokenExpired, report.Incomplete[0])
	}
	report.Delta, report.Token = true, t.encode()
	return report, nil
}

// follow reads what the server tells from the cookies on.
func (p *pass) follow(ctx context.Context, t *token) error {
	for _, part := range p.parts() {
		cookie, ok := t.Cookies[part.of]
		if !ok {
			return source.ErrTokenExpired
		}
		next, err := p.sync(ctx, part, cookie)
		if err != nil {
			return err
		}
		t.Cookies[part.of] = next
	}
	return nil
}

// since reads what was written lately. Timestamps are whole seconds of the
// server's clock, so some entries are read again (QUIRKS LDAP-30).
func (p *pass) since(ctx context.Context, t *token) error {
	at, err := ldap.ParseTime(t.Since)
	if err != nil {
		return source.ErrTokenExpired
	}
	from := ldap.AtLeast("modifyTimestamp", ldap.FormatTime(at.Add(-p.overlap)))
	for _, part := range p.parts() {
		if err := p.list(ctx, part, ldap.And(part.filter, from)); err != nil {
			return err
		}
	}
	t.Since = max(t.Since, p.newest)
	return nil
}

// Watch implements [source.Watcher] where the directory synchronizes.
func (r *Reader) Watch(ctx context.Context, from []byte, changed func()) error {
	var t token
	if json.Unmarshal(from, &t) != nil || t.Way != Syncrepl {
		return errors.ErrUnsupported
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	parts := r.parts()
	ended := make(chan error, len(parts))
	for _, part := range parts {
		go func() {
			ended <- r.client.SyncWatch(ctx, r.search(part.kind, part.filter), t.Cookies[part.of], changed)
		}()
	}
	err := <-ended
	cancel()
	for range len(parts) - 1 {
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
		}
	}
	if errors.Is(err, ldap.ErrRefreshRequired) {
		changed()
	}
	return err
}
